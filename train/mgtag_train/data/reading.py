"""The one road from a data set on disk to its tracks, split: decode its audio, or read a mel cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from mgtag.audio import load, load_slices, probe
from mgtag.errors import MgtagError, UsageError
from mgtag.features import MelSpec, log_mel
from mgtag_train.data.clips import Clip, find_clips
from mgtag_train.data.sources import Source
from mgtag_train.data.splitting import PARTS, split_names
from mgtag_train.data.tracks import MelTrack, SliceDataset, load_cache, quantise, take

CLIP_S = 30.0  # of a longer file, its middle
ABOUT_S = 1.0  # by which a clip may be longer and is still read whole; GTZAN's are up to 30.6 s
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Corpus:
    """A data set's tracks, split.

    Attributes
    ----------
    source : Source
        With its labels, also where they are the names of its folders.
    parts : mapping of str to list of MelTrack
        "train", "valid" and "test".
    left_out : tuple of str
        A sentence for every clip that could not be used.
    """

    source: Source
    parts: Mapping[str, list[MelTrack]]
    left_out: tuple[str, ...] = ()

    def dataset(self, part: str) -> SliceDataset:
        """Windows of one part."""
        return SliceDataset(self.parts[part], self.source.spec)

    def cut_at(self, top_db: float) -> Corpus:
        """Return the same, with windows cut off so many decibels under their loudest cell."""
        return replace(self, source=replace(self.source, spec=replace(self.source.spec, top_db=top_db)))

    @property
    def sizes(self) -> dict[str, int]:
        """Tracks in each part."""
        return {part: len(tracks) for part, tracks in self.parts.items()}


def read_tracks(
    source: Source,
    *,
    audio: Path | None = None,
    features: Path | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress = lambda what, done, of: None,
) -> Corpus:
    """Read a data set from one of two places.

    Parameters
    ----------
    audio : Path, optional
        Its folder: what `mgtag_train.data.download.fetch` returned, or one in that layout.
    features : Path, optional
        What `mgtag_train.data.tracks.save_cache` wrote; for GTZAN also ``mel.npz``.
    seed : int
        Of the split, where the data set has none of its own; a cache keeps the one it was made with.
    jobs : int
        Processes that decode clips.
    progress : callable
        Called with how many clips have been read, of how many.

    Raises
    ------
    UsageError
        If the music is not there, or too little of it can be used.
    """
    if features is not None:
        return _from_cache(source, features)
    if audio is None:
        raise UsageError("Say where the music is: --audio FOLDER, or --features CACHE.npz.")
    source, clips = find_clips(source, audio, seed)
    parts: dict[str, list[MelTrack]] = {part: [] for part in PARTS}
    left_out = []
    for done, (clip, loaded) in enumerate(_load_all(clips, source.spec, jobs), 1):
        if isinstance(loaded, MelTrack):
            parts[clip.part].append(loaded)
        elif source.layout == "gtzan":
            raise UsageError(loaded)  # its lists are the benchmark: none of them may be missing
        else:
            left_out.append(loaded)
        progress(f"reading {source.name}", done, len(clips))
    for part, tracks in parts.items():
        if not tracks:
            raise UsageError(f"{audio}: no clip of {part} could be read; the first problem: {left_out[:1]}.")
    return Corpus(source, parts, tuple(left_out))


def load_clip(clip: Clip, spec: MelSpec) -> MelTrack | str:
    """Return a clip as a track, of a long one its middle, or a sentence why it is left out."""
    if not clip.path.is_file():
        return f"{clip.path}: the clip is missing."
    try:
        length_s = probe(clip.path).duration_s
        if length_s > CLIP_S + ABOUT_S:
            y = load_slices(clip.path, [(length_s - CLIP_S) / 2], CLIP_S, spec.sample_rate)[0]
        else:
            y = load(clip.path, spec.sample_rate)
    except (MgtagError, OSError) as error:
        return str(error)
    if len(y) < spec.n_samples:
        return f"{clip.path}: {len(y) / spec.sample_rate:.1f} s are shorter than one window."
    return quantise(clip.name, clip.label, log_mel(y, spec))


def _load_all(clips: list[Clip], spec: MelSpec, jobs: int) -> Iterator[tuple[Clip, MelTrack | str]]:
    load_one = partial(load_clip, spec=spec)
    if jobs == 1:
        yield from zip(clips, map(load_one, clips), strict=True)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        loaded: Iterable[MelTrack | str] = pool.map(load_one, clips, chunksize=8)
        yield from zip(clips, loaded, strict=True)


def _from_cache(source: Source, path: Path) -> Corpus:
    try:
        with np.load(path, allow_pickle=False) as cache:
            kept = {key: cache[key].tolist() for key in ("labels", "part", "name") if key in cache.files}
    except (OSError, ValueError, EOFError):
        kept = {}  # `load_cache` says what is wrong
    if not source.labels:
        source = replace(source, labels=tuple(kept.get("labels", ())))
    tracks = load_cache(path, source)
    if "part" in kept:
        names = {
            part: [name for name, its in zip(kept["name"], kept["part"], strict=True) if its == part]
            for part in PARTS
        }
    elif source.split == "filtered":
        names = {part: list(split_names(part, source)) for part in PARTS}
    else:
        raise UsageError(f"{path}: this cache does not say how {source.name} is split; make it from audio.")
    return Corpus(source, {part: take(tracks, names[part]) for part in PARTS})
