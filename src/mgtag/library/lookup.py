"""Questions about files: what do the tags say, what does the index know, which ones match."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mgtag import tags
from mgtag.errors import UsageError
from mgtag.library.index import Index
from mgtag.library.records import Track
from mgtag.prediction import Prediction
from mgtag.tags import Tags


@dataclass(frozen=True)
class FileInfo:
    """One file: its tags, and what the index knows (None if nothing)."""

    path: Path
    tags: Tags
    track: Track | None
    prediction: Prediction | None


@dataclass(frozen=True)
class Filter:
    """Which files, and in what order: ``"path"``, ``"genre"`` or ``"confidence"``."""

    folders: tuple[Path, ...] = ()
    genre: str | None = None
    min_confidence: float = 0.0
    max_confidence: float = 1.0
    event: str | None = None
    order: str = "path"


ORDERS = {"path": "path", "genre": "heard, confidence DESC, path", "confidence": "confidence DESC, path"}


def file_info(path: Path, index: Index) -> FileInfo:
    """FileInfo at one file.

    Raises
    ------
    UsageError
        If there is no such file.
    TagError
        If its tags cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path}: there is no such file.")
    path = Path(os.path.abspath(path))
    return FileInfo(path, tags.read(path), index.track(path), index.prediction(path))


def matching(index: Index, wanted: Filter) -> Iterator[Track]:
    """Return the files of the index that match, in order; genres without regard to case."""
    where = ["confidence BETWEEN ? AND ?"]
    values: list[object] = [wanted.min_confidence, wanted.max_confidence]
    if wanted.folders:
        where.append("(" + " OR ".join(["path = ? OR (path > ? AND path < ?)"] * len(wanted.folders)) + ")")
        for folder in wanted.folders:
            root = os.fsencode(os.path.abspath(folder)).rstrip(b"/")
            values += [root, root + b"/", root + b"0"]  # "0" follows "/"
    if wanted.event is not None:
        where.append("event = ?")
        values.append(wanted.event)
    for track in index.tracks(" AND ".join(where), values, ORDERS[wanted.order]):
        if wanted.genre is None or wanted.genre.casefold() in {
            g.casefold() for g in (*track.genres, track.heard)
        }:
            yield track
