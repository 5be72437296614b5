"""Look up files: their tags, their rows in the index, and which files match a query."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag import bundle, tags
from mgtag.card import GENRE, Head
from mgtag.errors import BundleError, UsageError
from mgtag.library.decisions import vote_of
from mgtag.library.index import Index
from mgtag.library.query import parse_query
from mgtag.library.records import Answer, Filter, Track
from mgtag.prediction import Prediction
from mgtag.tags import Tags


@dataclass(frozen=True)
class FileInfo:
    """One file: its tags, and its row in the index (None if there is none).

    Attributes
    ----------
    names : mapping
        How the labels of each head are shown.
    wider : Answer, optional
        The genre that is sure where the one that was heard is not; see `Vote.decided`.
    """

    path: Path
    tags: Tags
    track: Track | None
    prediction: Prediction | None
    names: Mapping[str, Mapping[str, str]]
    wider: Answer | None


def file_info(path: Path, index: Index) -> FileInfo:
    """Look at one file.

    Raises
    ------
    UsageError
        If there is no such file, or it is a folder.
    TagError
        If its tags cannot be read.
    """
    check_files([path])
    path = Path(os.path.abspath(path))
    track = index.track(path)
    heads = {} if track is None else _heads(track)
    names = {name: dict(zip(head.labels, head.names, strict=True)) for name, head in heads.items()}
    wider = _wider(track, heads[GENRE]) if track is not None and heads else None
    return FileInfo(path, tags.read(path), track, index.prediction(path), names, wider)


def _heads(track: Track) -> Mapping[str, Head]:
    """Return the heads of the model that heard a track; none where it is not at hand."""
    try:
        return bundle.find(track.bundle.partition("@")[0]).card.heads if track.answers else {}
    except BundleError:
        return {}


def _wider(track: Track, head: Head) -> Answer | None:
    heard = vote_of(GENRE, head, track.answers.get(GENRE, ()), None)
    decided = heard.decided(head.threshold)
    return None if decided is heard else Answer(decided.best()[0], decided.confidence)


def check_files(paths: Iterable[Path]) -> None:
    """Raise `UsageError` where a path is no file."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file.")
        if path.is_dir():
            raise UsageError(f"{path}: this is a folder; name the files in it.")


def check_places(index: Index, paths: Iterable[Path]) -> None:
    """Raise `UsageError` where there is nothing at a path, and the index knows of nothing there."""
    for path in paths:
        if not path.exists() and not index.knows_below(path):
            raise UsageError(f"{path}: there is no such file or folder, and the index knows of none.")


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
    check_places(index, folders)
    matches = parse_query(query, spelling=wanted.spelling)
    return filter(matches, index.tracks(replace(wanted, folders=folders)))
