"""Every split into training, validation and test, of music and of lyrics.

The papers cut songs into slices and drew the test slices at random, so that other slices of the
same song were trained on: *leaking*. It is reproduced here to stand beside their figures and to
show what it is worth. Only `slices_as_tracks` turns slices into tracks, and marks their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from mgtag.errors import UsageError
from mgtag_train.data.sources import GTZAN, Source
from mgtag_train.data.tracks import MelTrack, take

Parts = dict[str, list[MelTrack]]
PARTS = ("train", "valid", "test")
LISTS = Path(__file__).parent / "splits"

DESCRIPTIONS: Mapping[str, str] = {
    "leaking": "slices at random, the same song on both sides (leaking)",
    "tracks": "tracks at random, the same artist and repeated recordings on both sides",
    "filtered": "tracks, fault-filtered and artist-aware",
    "artists": "songs, no artist on two sides",
}
VALID_SHARE = 0.2  # of what is not test, as in the Queen's paper
FOLDS = 5  # of a split by artist: one is test, then one of five of the rest is validation
FEWEST = 10  # tracks of a genre
OF_SLICE = "/"  # between a clip's name and the number of its slice


def split_tracks(
    split: str, tracks: Mapping[str, MelTrack], source: Source, n_frames: int, seed: int, test_share: float
) -> Parts:
    """Split music.

    Parameters
    ----------
    split : {"leaking", "tracks", "filtered"}
        Random ones are stratified, and differ from seed to seed.
    tracks : mapping of str to MelTrack
        By name; only those to be split.
    n_frames : int
        Length of the slices that "leaking" draws.
    test_share : float
        Of all, where the split is random.

    Returns
    -------
    dict
        The tracks of ``"train"``, ``"valid"`` and ``"test"``; under "leaking", slices.

    Raises
    ------
    UsageError
        If tracks of a committed list are missing.
    """
    if split == "filtered":
        wanted = {part: split_names(part, source) for part in PARTS}
        genres = {genre_of(name) for name in tracks}
        return {
            part: take(tracks, [name for name in names if genre_of(name) in genres])
            for part, names in wanted.items()
        }
    items = [track for _, track in sorted(tracks.items())]
    if split == "leaking":
        items = slices_as_tracks(items, n_frames)
    rest, test = _halves(items, test_share, seed)
    train, valid = _halves(rest, VALID_SHARE, seed)
    return {"train": train, "valid": valid, "test": test}


def slices_as_tracks(tracks: Sequence[MelTrack], n_frames: int) -> list[MelTrack]:
    """Cut tracks into slices that lie end to end, each passed off as a track of its own."""
    return [
        replace(track, name=f"{track.name}{OF_SLICE}{i}", mel=track.mel[:, i * n_frames : (i + 1) * n_frames])
        for track in tracks
        for i in range(track.mel.shape[1] // n_frames)
    ]


def _halves(items: Sequence[MelTrack], share: float, seed: int) -> tuple[list[MelTrack], list[MelTrack]]:
    labels = [track.label for track in items]
    one, other = train_test_split(items, test_size=share, random_state=seed, stratify=labels)
    return list(one), list(other)


def genre_of(name: str) -> str:
    """Return the genre in a track's name: ``"blues"`` of ``"blues.00000"``."""
    return name.split(".")[0]


def split_names(part: str, source: Source = GTZAN) -> tuple[str, ...]:
    """Return the tracks of ``"train"``, ``"valid"`` or ``"test"``, from the committed list."""
    lines = (LISTS / f"{part}_{source.split}.txt").read_text().splitlines()
    return tuple(Path(line).stem for line in lines if line.strip())


def draw_parts(
    names: Sequence[str], labels: Sequence[int], artists: Sequence[str], genres: Sequence[str], seed: int
) -> list[str]:
    """Draw a split by artist: stratified by genre, 64 : 16 : 20, all tracks of an artist in one part.

    A track without an artist counts as one of its own. Where a genre has fewer artists than folds, they
    cannot be in every part, and its tracks are drawn one by one.

    Returns
    -------
    list of str
        ``"train"``, ``"valid"`` or ``"test"`` for each track.

    Raises
    ------
    UsageError
        If a genre has too few tracks, or too few artists to be in every part.
    """
    of = np.array(labels)
    count = np.bincount(of, minlength=len(genres))
    for genre, n in zip(genres, count, strict=True):
        if n < FEWEST:
            raise UsageError(
                f"{genre}: {n} clips are too few to be split into train, valid and test; "
                f"add some until there are {FEWEST}, or take the folder away."
            )
    owners = [artist or name for artist, name in zip(artists, names, strict=True)]
    n_artists = Counter(label for label, _ in set(zip(labels, owners, strict=True)))
    rows = zip(labels, owners, names, strict=True)
    groups = np.array([name if n_artists[label] < FOLDS else owner for label, owner, name in rows])
    part, rest = np.full(len(of), "train"), np.arange(len(of))
    for held_out in ("test", "valid"):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        kept, drawn = next(folds.split(rest, of[rest], groups[rest]))
        part[rest[drawn]] = held_out
        rest = rest[kept]
    for name in PARTS:
        if absent := set(range(len(genres))) - set(of[part == name].tolist()):
            genre = genres[min(absent)]
            raise UsageError(f"{genre}: its few artists leave none of it for {name}; add music by others.")
    return [str(one) for one in part]


def check_artists(parts: Mapping[str, Iterable[str]]) -> None:
    """Make sure that no artist is in two parts; tracks without one ("") cannot be checked.

    Raises
    ------
    UsageError
        If one is.
    """
    seen: dict[str, str] = {}
    for part, artists in parts.items():
        for artist in sorted({artist.casefold() for artist in artists if artist}):
            if seen.setdefault(artist, part) != part:
                raise UsageError(
                    f"Songs by {artist!r} are in {seen[artist]} and in {part}; split the table by artist."
                )
