"""Find the file that a change belongs to, wherever it lies now.

By path first, then by the signature of its sound, then among its neighbours and the other files of
the journal; always by what the file should now be, so that a twin with the same sound is not taken
for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mgtag import tags
from mgtag.library.index import UNDOABLE, Index
from mgtag.library.records import Change, Track
from mgtag.tags.patch import sizes


@dataclass(frozen=True)
class Place:
    """Where a change's file lies, and whether it is as mgtag wrote it or as it was before."""

    path: Path
    tagged: bool


class Whereabouts:
    """The search for the files of an index's journal.

    Parameters
    ----------
    index : Index
    hints : iterable of Path
        Where else to look.
    """

    def __init__(self, index: Index, hints: Iterable[Path] = ()) -> None:
        self._index, self._hints = index, tuple(hints)

    def find(self, change: Change) -> Place | None:
        """Return where the change's file lies; None if no file is what it should be.

        Raises
        ------
        OSError
            If the file at the change's own path cannot be read.
        """
        after, before = sizes(change.patch)
        own = _digest(change.path, (after, before))
        if own == change.sha_after:
            return Place(change.path, tagged=True)
        elsewhere = list(dict.fromkeys(self._elsewhere(change)))
        for path in elsewhere:
            if self._holds(path, after, change.sha_after) and not self._claimed(path, change):
                return Place(path, tagged=True)
        if own == change.sha_before:
            return Place(change.path, tagged=False)
        for path in elsewhere:  # an undo that was killed before it was noted
            track = self._index.track(path)
            if track and _as_after(track, change) and self._holds(path, before, change.sha_before):
                return Place(path, tagged=False)
        return None

    def still_tagged(self, change: Change) -> bool:
        """Return whether the file at a change's own path is as mgtag wrote it, by no other change."""
        after, _ = sizes(change.patch)
        here = self._holds(change.path, after, change.sha_after)
        return here and not self._claimed(change.path, change)

    def _elsewhere(self, change: Change) -> Iterator[Path]:
        paths = [track.path for track in self._index.same_sound(change.signature)]
        with suppress(OSError):
            paths += sorted(change.path.parent.iterdir())
        yield from (path for path in [*paths, *self._hints, *self._journal] if path != change.path)

    @cached_property
    def _journal(self) -> list[Path]:
        return list(self._index.journal_paths())

    def _holds(self, path: Path, size: int, sha: str) -> bool:
        try:
            return _digest(path, (size,)) == sha
        except OSError:
            return False

    def _claimed(self, path: Path, change: Change) -> bool:
        """Return whether another change found its own file there: every file is put back once."""
        others = self._index.changes(states=UNDOABLE, path=path, sha_after=change.sha_after)
        return any(other.id != change.id for other in others)


def _as_after(track: Track, change: Change) -> bool:
    return all(track.tags.get(head, ()) == values for head, values in change.after.items())


def _digest(path: Path, of_size: tuple[int, ...]) -> str:
    """Return the SHA-256 of a file that may be the one, judging by its size; "" for any other."""
    try:
        return tags.digest(path) if path.is_file() and path.stat().st_size in of_size else ""
    except FileNotFoundError:
        return ""
