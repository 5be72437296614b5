"""Compare index, journal and files, and mend what the files themselves can decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mgtag import tags
from mgtag.errors import MgtagError
from mgtag.library.index import UNDOABLE, Index
from mgtag.library.outcome import Outcome
from mgtag.library.paths import to_text
from mgtag.library.records import Change, Track, Values
from mgtag.library.undo import recover
from mgtag.library.whereabouts import Whereabouts


@dataclass(frozen=True)
class Difference:
    """Where index, journal and file do not agree.

    Attributes
    ----------
    what : str
        What is so, in a sentence without the path.
    mend : callable, optional
        Makes index or journal say what is so; None where only a person can do something.
    mended : bool
    """

    path: Path
    what: str
    mend: Callable[[], object] | None = None
    mended: bool = False


@dataclass(frozen=True)
class Checked:
    """How much was compared."""

    files: int
    changes: int


def check(index: Index, mend: bool = False) -> Iterator[Difference | Checked]:
    """Compare everything in the index with what is on the disk.

    A file whose size and date are those of the index is not read in full, only its tags.

    Parameters
    ----------
    index : Index
        Of which, to mend, this process is the sole writer.
    mend : bool
        Mend what can be mended. No music file is ever changed.

    Yields
    ------
    Difference or Checked
        The latter last.
    """
    counts = [0, 0]
    for difference in _differences(index, counts):
        if mend and difference.mend is not None:
            difference.mend()
            difference = replace(difference, mended=True)
        yield difference
    yield Checked(*counts)


def _differences(index: Index, counts: list[int]) -> Iterator[Difference]:
    for problem in index.problems():
        yield Difference(Path(str(index.path)), f"the index itself is damaged: {problem}.")
    for change in list(index.changes(states=("pending",))):
        yield Difference(
            change.path, "a run was killed while it wrote here; undo settles it.", lambda: recover(index)
        )
    folders: dict[Path, None] = {}
    for track in list(index.tracks()):
        counts[0] += 1
        folders[track.path.parent] = None
        yield from _of_file(index, track)
    yield from _of_journal(index, counts)
    for folder in folders:
        for copy in filter(tags.is_leftover, _names(folder)):
            yield Difference(
                copy, "a run that was killed left this copy.", partial(tags.discard_leftover, copy)
            )


def _of_file(index: Index, track: Track) -> Iterator[Difference]:
    path = track.path
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.parent.is_dir():
            yield Difference(path, "it is gone.", lambda: index.set_gone([to_text(path)]))
        else:
            yield Difference(path, "its folder is not there; is a drive away?")
        return
    except OSError as error:
        yield Difference(path, f"it cannot be looked at ({error.strerror or error}).")
        return
    if track.size < 0:  # to be tried again anyway
        return
    if (status.st_size, status.st_mtime_ns) != (track.size, track.mtime_ns):
        yield Difference(path, "it changed since the last scan; scan it again.")
    elif track.outcome is not Outcome.FAILED and track.artist is not None:
        try:
            found = tags.read(path)
        except MgtagError as error:
            yield Difference(path, f"its tags cannot be read any more: {error}")
            return
        said = {field: found.values.get(field, ()) for field in track.tags}
        if said != dict(track.tags):
            written = {field: found.own(field) for field in tags.WRITABLE}
            yield Difference(
                path,
                f"the index says {_told(track.tags)}, and the file says {_told(said)}.",
                lambda: index.record(replace(track, tags=said, written=written)),
            )


def _of_journal(index: Index, counts: list[int]) -> Iterator[Difference]:
    whereabouts, covered = Whereabouts(index), set[str]()
    for change in index.changes(states=UNDOABLE):
        counts[1] += 1
        if change.sha_after not in covered and not _is_as_known(index, change, change.after):
            yield from _of_change(index, whereabouts, change)
        covered.add(change.sha_before)
    for change in index.changes(states=("undone",)):
        counts[1] += 1
        if not _is_as_known(index, change, change.before) and whereabouts.still_tagged(change):
            yield Difference(
                change.path,
                f"run {change.run} is noted as undone here, but what it wrote still stands.",
                partial(index.end_change, change.id, "done"),
            )


def _of_change(index: Index, whereabouts: Whereabouts, change: Change) -> Iterator[Difference]:
    try:
        place = whereabouts.find(change)
    except OSError as error:
        yield Difference(change.path, f"it cannot be read ({error.strerror or error}).")
        return
    if place is None and change.path.exists():
        yield Difference(
            change.path, f"it was changed since run {change.run} tagged it; undo would leave it alone."
        )
    elif place is None:
        yield Difference(change.path, f"the file that run {change.run} tagged is not there.")
    elif not place.tagged:
        yield Difference(
            place.path,
            f"run {change.run} is noted to have tagged it, but it is as it was before.",
            lambda: index.end_change(change.id, "undone"),
        )


def _is_as_known(index: Index, change: Change, values: Values) -> bool:
    """Return whether the index's row and the file's size and date agree that it is as a change left it."""
    track = index.track(change.path)
    if track is None or any(track.tags.get(field, ()) != names for field, names in values.items()):
        return False
    try:
        status = change.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (track.size, track.mtime_ns)


def _names(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _told(values: Values) -> str:
    return ", ".join(name for names in values.values() for name in names) or "nothing"
