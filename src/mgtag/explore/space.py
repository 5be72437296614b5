"""The library as points: the mean embedding of each track, and how near two of them are.

Embeddings are standardised over the library (mean 0, deviation 1 in each dimension), so that a dimension
in which all tracks agree counts for nothing, and nearness is the cosine. The search is exact: one matrix
product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag.library.genre_map import key
from mgtag.library.index import Index
from mgtag.library.paths import to_text
from mgtag.library.records import Located

FLAT = 1e-6  # deviation of a dimension in which all tracks agree
FEWEST = 3  # tracks of a genre from which its direction is taken


@dataclass(frozen=True)
class Space:
    """The tracks that one model heard.

    Attributes
    ----------
    bundle : str
    tracks : list of Located
    vectors : F32
        Shape ``(n, d)``; rows of length 1.
    """

    bundle: str
    tracks: list[Located]
    vectors: F32

    def find(self, song: Path) -> int:
        """Return the number of a track.

        Raises
        ------
        UsageError
            If the model has not heard it.
        """
        path = to_text(song.absolute())
        for number, track in enumerate(self.tracks):
            if track.path == path:
                return number
        if not song.exists():
            raise UsageError(f"{song}: there is no such file.")
        raise UsageError(
            f"{song}: {self.bundle} has not heard this song; `mgtag scan --no-tags` on it does, and writes "
            "no tag."
        )

    def genre(self, name: str) -> F32:
        """Return the direction in which a genre lies from the middle of the library, of length 1.

        Raises
        ------
        UsageError
            If too few tracks were heard as it.
        """
        members = [n for n, track in enumerate(self.tracks) if key(track.genre) == key(name)]
        if len(members) < FEWEST:
            known = sorted({track.genre for track in self.tracks if track.genre})
            raise UsageError(
                f"{name!r}: {len(members)} tracks were heard as this genre, and its direction needs "
                f"{FEWEST}; heard were {', '.join(known)}."
            )
        return _unit(self.vectors[members].mean(axis=0))

    def nearest(self, query: F32, count: int, without: Iterable[int] = ()) -> list[tuple[int, float]]:
        """Return the tracks nearest to a direction, with their cosine, nearest first.

        Parameters
        ----------
        query : F32
            Shape ``(d,)``.
        count : int
            How many at most.
        without : iterable of int
            Tracks to leave out.
        """
        nearness = self.vectors @ _unit(query)
        nearness[list(without)] = -np.inf
        count = min(count, len(nearness))
        best = np.argpartition(-nearness, count - 1)[:count] if count else np.zeros(0, np.int64)
        order = best[np.lexsort((best, -nearness[best]))]
        return [(int(n), float(nearness[n])) for n in order if nearness[n] > -np.inf]


def load_space(index: Index, bundle: str | None = None) -> Space:
    """Read the embeddings of a library.

    Parameters
    ----------
    index : Index
    bundle : str, optional
        Id or name of the model that heard them; by default the one that heard most.

    Raises
    ------
    UsageError
        If it has heard nothing.
    """
    heard = index.bundles()
    found = next((one for one in heard if bundle in (None, one, one.partition("@")[0])), None)
    if found is None:
        by = f" by {bundle}" if bundle else ""
        raise UsageError(f"No track was heard{by} yet; `mgtag scan --no-tags` listens, and writes no tag.")
    tracks, rows = [], []
    for track, embedding in index.embeddings(found):
        tracks.append(track)
        rows.append(np.frombuffer(embedding, np.float16))
    return Space(found, tracks, _standardised(np.stack(rows).astype(np.float32)))


def blend(space: Space, songs: Sequence[int], plus: Sequence[str] = (), minus: Sequence[str] = ()) -> F32:
    """Return the direction of some songs, with genres added and taken away: blues + pop - country.

    The arithmetic on genres is the idea of the fourth paper, which tried it on the codes of its network.
    """
    sum_ = np.zeros(space.vectors.shape[1], np.float32)
    if songs:
        sum_ += _unit(space.vectors[list(songs)].mean(axis=0))
    for sign, names in ((1, plus), (-1, minus)):
        for name in names:
            sum_ += sign * space.genre(name)
    return _unit(sum_)


def _standardised(rows: F32) -> F32:
    deviation = rows.std(axis=0)
    centred = (rows - rows.mean(axis=0)) / np.where(deviation > FLAT, deviation, np.inf)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: F32 = (centred / np.maximum(lengths, FLAT)).astype(np.float32)
    return unit


def _unit(vector: F32) -> F32:
    unit: F32 = (vector / max(float(np.linalg.norm(vector)), FLAT)).astype(np.float32)
    return unit
