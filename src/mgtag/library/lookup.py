"""Questions about files: what do the tags say, what does the index know, which ones match."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag import tags
from mgtag.errors import UsageError
from mgtag.library.index import Index
from mgtag.library.query import parse_query
from mgtag.library.records import Filter, Track
from mgtag.prediction import Prediction
from mgtag.tags import Tags


@dataclass(frozen=True)
class FileInfo:
    """One file: its tags, and what the index knows (None if nothing)."""

    path: Path
    tags: Tags
    track: Track | None
    prediction: Prediction | None


def file_info(path: Path, index: Index) -> FileInfo:
    """Look at one file.

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


def matching(index: Index, wanted: Filter, query: Iterable[str] = ()) -> Iterator[Track]:
    """Return the files of the index that match, in order, as they are read.

    Parameters
    ----------
    index : Index
    wanted : Filter
    query : iterable of str
        Terms as `mgtag.library.query` has them.

    Raises
    ------
    UsageError
        If the index knows nothing of a folder, and there is none; or a term is none.
    """
    folders = tuple(Path(os.path.abspath(folder)) for folder in wanted.folders)
    for folder in folders:
        if not folder.exists() and not index.knows_below(folder):
            raise UsageError(f"{folder}: there is no such file or folder, and the index knows of none.")
    matches = parse_query(query)
    return filter(matches, index.tracks(replace(wanted, folders=folders)))
