"""How music is split into what is learned from, what is chosen on, and what is measured.

The reports cut songs into slices and drew the test slices at random, so that the other slices of
the same song were learned: *leaking*. It is done here too, to stand beside their figures, and so
that its cost can be read off. Only here can a slice be taken for a track, and its name tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sklearn.model_selection import train_test_split

from mgtag_train.data.sources import Source
from mgtag_train.data.tracks import Track, split_names, take

Parts = dict[str, list[Track]]

TOLD: Mapping[str, str] = {
    "leaking": "slices at random, the same song on both sides (leaking)",
    "tracks": "tracks at random, the same artist and repeated recordings on both sides",
    "filtered": "tracks, fault-filtered and artist-aware",
    "artists": "songs, no artist on two sides",
}
VALID_SHARE = 0.2  # of what is not test, as the Queen's report has it
OF_SLICE = "/"  # between a clip's name and the number of its slice


def split(
    protocol: str, tracks: Mapping[str, Track], source: Source, n_frames: int, seed: int, test_share: float
) -> Parts:
    """Split music as a protocol says.

    Parameters
    ----------
    protocol : {"leaking", "tracks", "filtered"}
        Random ones are stratified, and differ from seed to seed.
    tracks : mapping of str to Track
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
    if protocol == "filtered":
        wanted = {part: split_names(part, source) for part in ("train", "valid", "test")}
        genres = {genre_of(name) for name in tracks}
        return {
            part: take(tracks, [name for name in names if genre_of(name) in genres])
            for part, names in wanted.items()
        }
    items = [track for _, track in sorted(tracks.items())]
    if protocol == "leaking":
        items = slices_as_tracks(items, n_frames)
    rest, test = _halves(items, test_share, seed)
    train, valid = _halves(rest, VALID_SHARE, seed)
    return {"train": train, "valid": valid, "test": test}


def slices_as_tracks(tracks: Sequence[Track], n_frames: int) -> list[Track]:
    """Cut tracks into slices that lie end to end, each passed off as a track of its own."""
    return [
        replace(track, name=f"{track.name}{OF_SLICE}{i}", mel=track.mel[:, i * n_frames : (i + 1) * n_frames])
        for track in tracks
        for i in range(track.mel.shape[1] // n_frames)
    ]


def _halves(items: Sequence[Track], share: float, seed: int) -> tuple[list[Track], list[Track]]:
    labels = [track.label for track in items]
    one, other = train_test_split(items, test_size=share, random_state=seed, stratify=labels)
    return list(one), list(other)


def genre_of(name: str) -> str:
    """Return what a track's name says: ``"blues"`` of ``"blues.00000"``."""
    return name.split(".")[0]
