"""Put tags back as they were, and find out how a killed run ended."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from mgtag import audio, tags
from mgtag.errors import MgtagError, UsageError
from mgtag.library.index import UNDOABLE, Index
from mgtag.library.outcome import Outcome
from mgtag.library.records import Change, Values
from mgtag.library.whereabouts import Whereabouts


@dataclass(frozen=True)
class Undone:
    """The file is byte for byte what it was before the run."""

    path: Path
    genres: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """The file was left as it is, and why."""

    path: Path
    error: str


def undo(index: Index, run: int | None = None) -> Iterator[Undone | Refused]:
    """Undo a run's changes, latest first.

    Parameters
    ----------
    index : Index
        Of which this process is the sole writer.
    run : int, optional
        By default the last one that changed a file.

    Raises
    ------
    UsageError
        If there is no such run, or nothing left to undo in it.
    """
    recover(index)
    if run is None:
        run = index.last_tagging_run()
        if run is None:
            raise UsageError("There is nothing to undo: no run has changed a file, or all were undone.")
    if not index.has_run(run):
        raise UsageError(f"There is no run {run}; `mgtag undo` alone takes the last one that changed a file.")
    changes = index.changes(run=run, states=UNDOABLE)
    if (first := next(changes, None)) is None:
        raise UsageError(f"Run {run} changed no file, or was undone already.")
    whereabouts = Whereabouts(index)
    for change in chain([first], changes):
        yield _undo(index, whereabouts, change)
    index.end_copies()


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


def _undo(index: Index, whereabouts: Whereabouts, change: Change) -> Undone | Refused:
    path = change.path
    try:
        place = whereabouts.find(change)
        if place is None:
            return Refused(path, f"{path}: {_missing(path)}")
        path = place.path
        if place.tagged:
            index.begin_copies(path.resolve().parent)
        status = _put_back(path, change) if place.tagged else path.stat()
    except MgtagError as error:
        return Refused(path, str(error))
    except OSError as error:
        return Refused(path, f"{path}: {error.strerror or error}.")
    track = index.track(path)
    if track is not None:
        track = replace(
            track,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            tags={**track.tags, **change.before},
            written=_written(path),
            outcome=Outcome.UNDONE,
        )
    index.end_change(change.id, "undone", track)
    return Undone(path, change.before.get("genre", ()))


def _put_back(path: Path, change: Change) -> os.stat_result:
    return tags.draft_undo(
        path, change.patch, change.sha_before, change.sha_after, audio.signature, change.mtime_ns
    ).commit()


def _missing(path: Path) -> str:
    if path.exists():
        return "it was changed since mgtag tagged it, so it was left as it is."
    return "the file is gone; nothing to put back. If it moved, scan its new folder, then undo again."


def _written(path: Path) -> Values:
    """Return what an earlier run wrote, and is there again."""
    try:
        found = tags.read(path)
        return {field: found.own(field) for field in tags.WRITABLE}
    except MgtagError:
        return {}
