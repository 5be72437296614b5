"""A playlist around some songs: near to them, each near to the one before, no artist twice in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mgtag.explore.space import Space, blend

BREADTH = 4  # candidates are the nearest tracks that would fill the playlist so many times
SEED_BONUS = 2.0  # a seed is always nearer than what is none


def playlist(space: Space, seeds: Sequence[int], length_s: float) -> list[int]:
    """Return tracks in playing order, the first seed first, until they last long enough.

    Each next track is the one nearest to the track before and to the seeds' middle, both alike, among the
    tracks near the seeds; another recording of a song that is there already, and the artist who has
    just played, are passed over.

    Parameters
    ----------
    space : Space
    seeds : sequence of int
        Tracks that are in it in any case, unless the length is reached before.
    length_s : float
        Seconds.
    """
    middle = blend(space, seeds)
    pool = list(seeds)
    seconds = 0.0
    for number, _ in space.nearest(middle, len(space.tracks), seeds):
        if seconds > BREADTH * length_s:
            break
        pool.append(number)
        seconds += space.tracks[number].duration_s
    towards = space.vectors[pool] @ middle
    towards[: len(seeds)] += SEED_BONUS
    chosen, songs = [pool[0]], {_song(space, pool[0])}
    played_s = space.tracks[pool[0]].duration_s
    while played_s < length_s:
        scores = space.vectors[pool] @ space.vectors[chosen[-1]] + towards
        last = _artist(space, chosen[-1])
        following = (pool[place] for place in np.argsort(-scores, kind="stable"))
        number = next(
            (n for n in following if _song(space, n) not in songs and _may_follow(space, last, n)), -1
        )
        if number < 0:
            break
        chosen.append(number)
        songs.add(_song(space, number))
        played_s += space.tracks[number].duration_s
    return chosen


def _artist(space: Space, number: int) -> str:
    return (space.tracks[number].artist or "").casefold()


def _may_follow(space: Space, last: str, number: int) -> bool:
    return not last or _artist(space, number) != last


def _song(space: Space, number: int) -> tuple[str, str]:
    """Return what two recordings of a song have in common; a file without tags is its own."""
    track = space.tracks[number]
    return (_artist(space, number), track.title.casefold()) if track.title else ("", track.path)
