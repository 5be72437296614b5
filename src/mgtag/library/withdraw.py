"""Take back what mgtag wrote when it was less sure than one would now have it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mgtag import tags
from mgtag.card import GENRE
from mgtag.errors import MgtagError
from mgtag.library.index import UNDOABLE, Index
from mgtag.library.lookup import check_places
from mgtag.library.records import Filter
from mgtag.library.undo import Refused, Undoing, Undone, recover


def withdraw(
    index: Index,
    below: float,
    paths: tuple[Path, ...] = (),
    dry_run: bool = False,
    leave: bool = False,
) -> Iterator[Undone | Refused]:
    """Put back the files whose genre mgtag wrote with less confidence than `below`.

    Parameters
    ----------
    index : Index
        Of which this process is the sole writer.
    below : float
        The confidence is the one in the file's own tag, 0..1.
    paths : tuple of Path
        Only files at or under these; all of the index by default.
    dry_run, leave : bool
        As for `mgtag.library.undo.undo`.

    Raises
    ------
    UsageError
        If there is nothing at one of the paths, and the index knows of nothing there.
    """
    paths = tuple(Path(os.path.abspath(path)) for path in paths)
    check_places(index, paths)
    recover(index, clean=not dry_run)
    written = [t.path for t in index.tracks(Filter(folders=paths)) if any(t.written.values())]
    undoing = Undoing(index, dry_run=dry_run, leave=leave)
    for path in written:
        changes = index.changes(path=path, states=UNDOABLE)
        while (confidence := _confidence(path)) is not None and confidence < below:
            change = next(changes, None)
            if change is None:
                yield Refused(path, f"{path}: this index does not know how it was before mgtag tagged it.")
                break
            event = undoing.of(change)
            if event is not None:
                yield event
            if dry_run or not isinstance(event, Undone):
                break
    if not dry_run:
        index.end_copies()


def _confidence(path: Path) -> float | None:
    """Return how sure mgtag was of what it wrote and nobody changed: of the genre, or else the mood."""
    try:
        found = tags.read(path)
    except MgtagError:
        return None
    return next((found.provenance[f].confidence for f in (GENRE, "mood") if found.ours(f)), None)
