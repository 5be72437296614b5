"""All that a bundle learns from: a data set's tracks, split, and the sounds that are no music."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag.errors import UsageError
from mgtag_train.data.not_music import make_negatives
from mgtag_train.data.reading import Progress, read_tracks
from mgtag_train.data.sources import SOURCES, Source
from mgtag_train.data.tracks import MelTrack, SliceDataset

NEGATIVES_SEED, HELD_OUT_SEED = 20_02, 20_15  # of the sounds to learn from, and to choose the threshold on


@dataclass(frozen=True)
class Corpus:
    """A source's tracks, split, with the sounds that are no music.

    Attributes
    ----------
    left_out : tuple of str
        A sentence for every clip that could not be used.
    """

    source: Source
    parts: Mapping[str, list[MelTrack]]
    negatives: list[MelTrack]
    held_out_negatives: list[MelTrack]
    left_out: tuple[str, ...] = ()

    def dataset(self, part: str) -> SliceDataset:
        """Windows of one part of the music."""
        return SliceDataset(self.parts[part], self.source.spec)

    def cut_at(self, top_db: float) -> Corpus:
        """Return the same, heard down to so many decibels under each window's loudest cell."""
        return replace(self, source=replace(self.source, spec=replace(self.source.spec, top_db=top_db)))

    @property
    def sizes(self) -> dict[str, int]:
        """Tracks in each part."""
        return {part: len(tracks) for part, tracks in self.parts.items()}


def find_source(dataset: str) -> Source:
    """Return a data set by its name.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    if dataset not in SOURCES:
        raise UsageError(f"There is no data set {dataset!r} to train on; there is {', '.join(SOURCES)}.")
    return SOURCES[dataset]


def read_corpus(
    dataset: str,
    features: Path | None,
    audio: Path | None,
    jobs: int = 1,
    progress: Progress = lambda what, done, of: None,
) -> Corpus:
    """Read all tracks of a data set, and make the sounds that are no music.

    Parameters
    ----------
    jobs : int
        Processes that hear clips.
    progress : callable
        Told how many clips have been heard, of how many.

    Raises
    ------
    UsageError
        If there is no such data set, or its music is not where it was said to be.
    """
    got = read_tracks(find_source(dataset), audio=audio, features=features, jobs=jobs, progress=progress)
    return Corpus(
        got.source,
        got.parts,
        make_negatives(got.source.spec, NEGATIVES_SEED),
        make_negatives(got.source.spec, HELD_OUT_SEED, each=10),
        got.left_out,
    )
