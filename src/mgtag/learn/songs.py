"""Which files carry a genre that somebody chose, and what a model heard in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mgtag import identity, tags
from mgtag.arrays import F32
from mgtag.bundle import Bundle
from mgtag.card import BASE, GENRE, Head
from mgtag.errors import AudioError, StoreError, TagError
from mgtag.learn.promise import NOT_MUSIC, Examples
from mgtag.library.genre_map import GenreMap, key
from mgtag.library.index import Index
from mgtag.library.policy import by_hand
from mgtag.library.records import Filter, Track
from mgtag.library.together import artist_key
from mgtag.library.walk import find_audio
from mgtag.vote import vote

Source = Literal["tags", "folders"]


@dataclass(frozen=True)
class Song:
    """A file with a genre that somebody chose.

    Attributes
    ----------
    genre : str
        As it is spelled there.
    group : str
        Whose songs are never on both sides when a head is measured: the artist's, where one is known; else
        the album's; else those of the folder.
    heard : bool
        Whether the index has the model's embedding of this very sound.
    """

    path: Path
    genre: str
    group: str
    heard: bool


@dataclass(frozen=True)
class Found:
    """The songs, and what was passed over.

    Attributes
    ----------
    files : int
        That were looked at.
    songs : tuple of Song
    unreadable : tuple of str
        A sentence for each file whose tags cannot be read.
    """

    files: int
    songs: tuple[Song, ...]
    unreadable: tuple[str, ...]


def find_songs(paths: Sequence[Path], index: Index, bundles: Collection[str], source: Source) -> Found:
    """Find the songs below some paths, or all that the index knows.

    Parameters
    ----------
    paths : sequence of Path
    index : Index
    bundles : collection of str
        Ids of the models with the same embedding.
    source : {"tags", "folders"}
        Where a genre is: in the tags, unless mgtag wrote it; or in the name of the folder below a path.

    Raises
    ------
    UsageError
        If a path does not exist.
    """
    files, songs, unreadable = 0, [], []
    for path, root, known in _candidates(paths, index):
        files += 1
        try:
            song = _song(path, root, known, bundles, source)
        except (TagError, OSError) as error:
            unreadable.append(str(error))
        else:
            songs += [song] if song else []
    return Found(files, tuple(songs), tuple(unreadable))


def examples(
    songs: Iterable[Song], index: Index, base: Bundle, genre_map: GenreMap
) -> tuple[Examples, tuple[Song, ...]]:
    """Collect what the model heard in the songs; those in which nothing was heard are left out.

    Returns
    -------
    examples : Examples
        Its genres are spelled as most of their songs have it.
    songs : tuple of Song
        In the same order.
    """
    kept, rows, music = [], [], []
    for song in songs:
        try:
            heard = index.prediction(song.path)
        except StoreError:
            continue
        if heard is None or not np.isfinite(heard.embedding).all():
            continue
        answered = heard.heads.get(BASE) or heard.heads[GENRE]
        kept.append(song)
        rows.append(heard.embedding[0])
        music.append(share_of_music(base.card.genre, answered.probabilities))
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for song in kept:
        spellings[genre_map.canonical(song.genre)][song.genre] += 1
    order = {name: n for n, name in enumerate(sorted(spellings))}
    made = Examples(
        tuple(spellings[name].most_common(1)[0][0] for name in order),
        np.array([order[genre_map.canonical(song.genre)] for song in kept], np.int64),
        [song.group for song in kept],
        np.array(rows, np.float32),
        np.array(music, np.float32),
    )
    return made, tuple(kept)


def share_of_music(head: Head, probabilities: F32) -> float:
    """Return the probability that a track is music, 0 where a head's best label is that it is not."""
    result = vote(head, probabilities)
    return 0.0 if result.not_music else float(result.probabilities[list(result.writable)].sum())


def _candidates(paths: Sequence[Path], index: Index) -> Iterator[tuple[Path, Path | None, Track | None]]:
    """Yield every file, the path below which it was found, and what the index knows of it."""
    if not paths:
        yield from ((track.path, None, track) for track in index.tracks(Filter()))
    seen: set[Path] = set()
    for root in paths:
        for path in find_audio([root]).tracks:
            if path not in seen:
                yield path, root.absolute(), index.track(path)
            seen.add(path)


def _song(
    path: Path, root: Path | None, known: Track | None, bundles: Collection[str], source: Source
) -> Song | None:
    status = path.stat()
    same = known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
    if known is not None and same and known.artist is not None:
        genres, artist, album = by_hand(known.genres, known.written.get(GENRE, ())), known.artist, known.album
    else:
        found = tags.read(path)
        genres, artist, album = by_hand(found.genres, found.own(GENRE)), found.artist, found.album
    if source == "folders":
        genres = (_folder(path, root),)
    genres = tuple(g for g in genres if g.strip() and g.isprintable() and key(g) != key(NOT_MUSIC))
    if not genres:
        return None
    group = _group(path, artist, album or "", source)
    return Song(path, genres[0], group, _is_heard(path, known, same, bundles))


def _folder(path: Path, root: Path | None) -> str:
    """Return the name of the folder below `root` in which a file lies, or of the root itself."""
    within = path.relative_to(root).parts if root is not None and path.is_relative_to(root) else ()
    return within[0] if len(within) > 1 else path.parent.name


def _group(path: Path, artist: str, album: str, source: Source) -> str:
    if first := artist_key(artist):
        return f"artist {first}"
    if album:
        return f"album {path.parent}/{album.casefold()}"
    return f"{path}" if source == "folders" else f"folder {path.parent}"


def _is_heard(path: Path, known: Track | None, same: bool, bundles: Collection[str]) -> bool:
    if known is None or not known.answers or known.bundle not in bundles:
        return False
    try:
        return same or bool(known.signature and identity.is_known(path, known.signature))
    except (AudioError, OSError):
        return False
