"""Put tags back as they were, and find out how a killed run ended."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag import identity, tags
from mgtag.card import GENRE
from mgtag.errors import MgtagError, UsageError, error_sentence
from mgtag.library.genre_map import key
from mgtag.library.index import UNDOABLE, Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Change, Entry, Track, Values, added
from mgtag.library.whereabouts import Place, Whereabouts


@dataclass(frozen=True)
class Undone:
    """The file is byte for byte what it was before (in a dry run: would be); and its fields' values then."""

    path: Path
    values: Values

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres."""
        return self.values.get(GENRE, ())


@dataclass(frozen=True)
class Refused:
    """The file was left as it is, and why."""

    path: Path
    error: str


@dataclass(frozen=True)
class Which:
    """Which changes to undo: those that fulfil every condition that is given.

    Attributes
    ----------
    run : int, optional
        Of this run.
    paths : tuple of Path
        Of files that lie now at or under one of these.
    genre : str, optional
        Changes that wrote this genre, and that nothing was written over since.
    """

    run: int | None = None
    paths: tuple[Path, ...] = ()
    genre: str | None = None


def undo(
    index: Index, which: Which | None = None, dry_run: bool = False, leave: bool = False
) -> Iterator[Undone | Refused]:
    """Undo changes, latest first.

    Parameters
    ----------
    index : Index
        Of which this process is the sole writer.
    which : Which, optional
        By default the last run that changed a file.
    dry_run : bool
        Only tell what would happen.
    leave : bool
        Remember what was taken back as the listener's decision; no scan writes it there again.

    Raises
    ------
    UsageError
        If there is no such run, or nothing left to undo.
    """
    recover(index, clean=not dry_run)
    which = which or Which()
    which = replace(which, paths=tuple(Path(os.path.abspath(path)) for path in which.paths))
    if which == Which():
        which = Which(run=index.last_tagging_run())
        if which.run is None:
            raise UsageError("There is nothing to undo: no run has changed a file, or all were undone.")
    undoing, any_found = Undoing(index, which.paths, dry_run, leave), False
    for change in _chosen(index, which):
        event = undoing.of(change)
        if event is not None:
            any_found = True
            yield event
    if not dry_run:
        index.end_copies()
    if not any_found:
        raise UsageError(
            f"Run {which.run} changed no file, or was undone already."
            if which == Which(run=which.run)
            else "There is nothing of mgtag's to undo there."
        )


def _chosen(index: Index, which: Which) -> Iterator[Change]:
    if which.run is not None and not index.has_run(which.run):
        raise UsageError(
            f"There is no run {which.run}; `mgtag undo` alone takes the last one that changed a file."
        )
    if which.paths:
        strangers = [path for path in which.paths if path.is_file() and index.track(path) is None]
        there = index.changes_at(which.paths, [*filter(None, map(_signature, strangers))])
        changes: Iterator[Change] = (c for c in there if which.run in (None, c.run))
    else:
        changes = index.changes(run=which.run, states=UNDOABLE)
    return changes if which.genre is None else _that_wrote(which.genre, which.run, changes)


def _that_wrote(genre: str, run: int | None, changes: Iterable[Change]) -> Iterator[Change]:
    covered: set[str] = set()  # files as they were before a change that stays
    for change in changes:
        wrote = {key(g) for g in added(change.before, change.after).get(GENRE, ())}
        if key(genre) in wrote and change.sha_after not in covered and run in (None, change.run):
            yield change
        else:
            covered.add(change.sha_before)


def entries_of(index: Index, run: int) -> Iterator[Entry]:
    """Return what a run changed, file by file.

    Raises
    ------
    UsageError
        If there was no such run.
    """
    if not index.has_run(run):
        raise UsageError(f"There is no run {run}; `mgtag log` lists them.")
    return index.entries(run)


def recover(index: Index, clean: bool = True) -> None:
    """Settle the changes that a killed run left pending: each either happened, or did not.

    With `clean`, remove the copies that it left beside its files.
    """
    for change in list(index.changes(states=("pending",))):
        try:
            with open(change.path, "rb") as file:
                happened = hashlib.file_digest(file, "sha256").hexdigest() != change.sha_before
        except OSError:
            happened = True  # gone or moved: keep what could bring it back
        if happened:
            index.end_change(change.id, "done")
        else:
            index.drop_change(change.id)
    if clean:
        for folder in index.copies():
            tags.discard_leftovers(folder)
        index.end_copies()


class Undoing:
    """Undoes changes one by one; see `undo` for the arguments."""

    def __init__(
        self, index: Index, within: tuple[Path, ...] = (), dry_run: bool = False, leave: bool = False
    ) -> None:
        self._index, self._dry_run, self._leave = index, dry_run, leave
        self._within = within
        self._whereabouts = Whereabouts(index, within)
        self._would_be: dict[str, Path] = {}  # in a dry run: files as they would now be

    def of(self, change: Change) -> Undone | Refused | None:
        """Undo one change, or return None if its file lies outside of what was asked for."""
        path = change.path
        try:
            place = self._find(change)
            path = place.path if place else path
            if self._within and not any(path.is_relative_to(root) for root in self._within):
                return None
            if place is None:
                return Refused(path, f"{path}: {_missing(path)}")
            if self._dry_run:
                self._would_be[change.sha_before] = path
            else:
                self._put_back(change, place)
        except (MgtagError, OSError) as error:
            return Refused(path, error_sentence(path, error))
        known = self._index.track(path)  # for the fields that were not written
        return Undone(path, {**(known.tags if known else {}), **change.before})

    def _find(self, change: Change) -> Place | None:
        if change.sha_after in self._would_be:
            return Place(self._would_be[change.sha_after], tagged=True)
        return self._whereabouts.find(change)

    def _put_back(self, change: Change, place: Place) -> None:
        index, path = self._index, place.path
        track = _followed(index, change, path)
        if self._leave and track is not None:
            took = added(change.before, change.after)
            heads = {*track.declined, *took}
            index.decline(path, {h: (*track.declined.get(h, ()), *took.get(h, ())) for h in heads})
        if place.tagged:
            index.begin_copies(path.resolve().parent)
            tags.draft_undo(
                path, change.patch, change.sha_before, change.sha_after, identity.signature, change.mtime_ns
            ).commit()
        if track is not None:
            status = path.stat()
            track = replace(
                track,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                tags={**track.tags, **change.before},
                written=_written(path),
                outcome=Outcome.UNDONE,
                reason="",
            )
        index.end_change(change.id, "undone", track)


def _followed(index: Index, change: Change, path: Path) -> Track | None:
    """Return what is known of the file at `path`, which may have come from elsewhere since the last scan."""
    track, before = index.track(path), index.track(change.path)
    if path != change.path and track is None and before and before.signature == change.signature:
        index.move(change.path, path)
        track = index.track(path)
    return track


def _missing(path: Path) -> str:
    if path.exists():
        return "it was changed since mgtag tagged it, so it was left as it is."
    return "the file is gone; nothing to put back. If it moved, scan its new folder, then undo again."


def _signature(path: Path) -> str:
    try:
        return identity.signature(path)
    except (MgtagError, OSError):
        return ""


def _written(path: Path) -> Values:
    """Return what an earlier run wrote, and is there again."""
    try:
        found = tags.read(path)
        return {field: found.own(field) for field in tags.WRITABLE}
    except MgtagError:
        return {}
