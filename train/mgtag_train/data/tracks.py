"""Tracks as quantised log-mel spectrograms, their cache on disk, and the windows cut from them.

Windows are cut by `SliceDataset`, which takes whole tracks only, after the split: slices of one track
cannot be on both sides of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from mgtag.arrays import F32, U8
from mgtag.errors import UsageError
from mgtag.features import MelSpec, standardise
from mgtag_train.data.sources import GTZAN, Source

TOP_DB = 80.0  # dB under a clip's loudest cell that the set keeps (librosa.power_to_db)
LEVELS = 255  # steps of a byte over a clip's range


@dataclass(frozen=True)
class MelTrack:
    """The log-mel spectrogram of one track.

    Attributes
    ----------
    name : str
        Such as ``"blues.00000"``.
    label : int
        Index into the source's labels; -1 for what is not music.
    mel : U8
        Shape ``(n_mels, frames)``: decibels, scaled from the clip's min..max to 0..255.
    range_db : float
        Decibels from 0 to 255.
    """

    name: str
    label: int
    mel: U8
    range_db: float = TOP_DB


def quantise(name: str, label: int, mel: F32) -> MelTrack:
    """Quantise a log-mel spectrogram to uint8 as ``mel.npz`` is: the top 80 dB, min..max scaled to 0..255.

    Parameters
    ----------
    mel : F32
        Shape ``(n_mels, frames)``, in dB.
    """
    mel = np.maximum(mel, mel.max() - TOP_DB)
    low, span = float(mel.min()), float(np.ptp(mel))
    scaled = np.round((mel - low) * (LEVELS / span)) if span else np.zeros_like(mel)
    return MelTrack(name, label, scaled.astype(np.uint8), span)


def load_cache(path: Path, source: Source = GTZAN) -> dict[str, MelTrack]:
    """Read a mel cache: GTZAN's ``mel.npz``, or what `save_cache` wrote.

    Raises
    ------
    UsageError
        If there is no such file, it is no such cache, or one of another data set.
    """
    try:
        with np.load(path, allow_pickle=False) as cache:
            arrays = {key: cache[key] for key in cache.files}
        mels, names = arrays["mel"], [str(name) for name in arrays["name"]]
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file.") from error
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise UsageError(
            f"{path}: this is no mel cache with the arrays 'mel' and 'name' ({error})."
        ) from error
    if mels.ndim != 3 or mels.shape[1] != source.spec.n_mels or mels.dtype != np.uint8:
        raise UsageError(
            f"{path}: the cache holds {mels.dtype} {mels.shape}, not bytes of {source.spec.n_mels} bands."
        )
    if "hop" in arrays and int(arrays["hop"]) != source.spec.hop:
        raise UsageError(f"{path}: its hop is {arrays['hop']} samples, not {source.spec.hop}.")
    if "labels" in arrays:
        if tuple(arrays["labels"].tolist()) != source.labels:
            raise UsageError(f"{path}: the cache is of other genres than {source.name}'s.")
        labels = arrays["label"].tolist()
    else:
        labels = [_label(name, source) for name in names]
    frames = arrays.get("frames", np.full(len(mels), mels.shape[2]))
    ranges = arrays.get("range_db", np.full(len(mels), TOP_DB))
    rows = zip(names, labels, mels, frames, ranges, strict=True)
    return {
        name: MelTrack(name, label, mel[:, :n], float(range_db)) for name, label, mel, n, range_db in rows
    }


def save_cache(path: Path, parts: Mapping[str, Sequence[MelTrack]], source: Source) -> None:
    """Write tracks and their split to a mel cache, so that the audio need not be decoded again.

    Beside the arrays of ``mel.npz``, ``mel`` and ``name``, there are ``label`` (index into ``labels``),
    ``part``, ``range_db``, ``frames`` (of each clip; the rest of its row is zeros) and ``hop``.

    Raises
    ------
    UsageError
        If it cannot be written there.
    """
    tracks = [(part, track) for part, some in parts.items() for track in some]
    longest = max(track.mel.shape[1] for _, track in tracks)
    mel = np.zeros((len(tracks), source.spec.n_mels, longest), np.uint8)
    for row, (_, track) in zip(mel, tracks, strict=True):
        row[:, : track.mel.shape[1]] = track.mel
    try:
        save_whole(
            path,
            mel=mel,
            name=np.array([track.name for _, track in tracks]),
            label=np.array([track.label for _, track in tracks]),
            labels=np.array(source.labels),
            part=np.array([part for part, _ in tracks]),
            range_db=np.array([track.range_db for _, track in tracks], np.float32),
            frames=np.array([track.mel.shape[1] for _, track in tracks]),
            hop=np.array(source.spec.hop),
        )
    except OSError as error:
        raise UsageError(f"{path}: the mel cache cannot be written ({error.strerror}).") from error


def save_whole(path: Path, **arrays: Any) -> None:
    """Write arrays as ``.npz``, so that another process sees all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        np.savez(part, **arrays)
    Path(part.name).replace(path)


def take(tracks: Mapping[str, MelTrack], names: Sequence[str]) -> list[MelTrack]:
    """Pick tracks by name.

    Raises
    ------
    UsageError
        If one is missing.
    """
    if missing := [name for name in names if name not in tracks]:
        raise UsageError(f"{len(missing)} tracks of the split are missing, the first is {missing[0]}.")
    return [tracks[name] for name in names]


class SliceDataset:
    """Windows of whole tracks: random ones to learn from, tiling ones to vote with.

    Parameters
    ----------
    tracks : sequence of MelTrack
        Never slices.
    spec : MelSpec

    Attributes
    ----------
    labels : Tensor
        Shape ``(tracks,)``, int64.
    mel : Tensor
        Shape ``(tracks, n_mels, longest)``, bytes; zeros after a track's end.
    frames : Tensor
        Shape ``(tracks,)``, int64: lengths. Tracks that differ by less than a window, as GTZAN's clips
        of about 30 s do, are all cut to the shortest.
    """

    def __init__(self, tracks: Sequence[MelTrack], spec: MelSpec) -> None:
        if not all(isinstance(track, MelTrack) for track in tracks):
            raise TypeError("a SliceDataset is made of tracks; split those, then slice")
        lengths = np.array([track.mel.shape[1] for track in tracks])
        if lengths.min() < spec.n_frames:
            short = tracks[int(lengths.argmin())].name
            raise UsageError(f"{short}: the track is shorter than one window of {spec.slice_s:.1f} s.")
        if np.ptp(lengths) < spec.n_frames:
            lengths[:] = lengths.min()
        mel = np.zeros((len(tracks), tracks[0].mel.shape[0], lengths.max()), np.uint8)
        for row, track, n in zip(mel, tracks, lengths, strict=True):
            row[:, :n] = track.mel[:, :n]
        self.spec = spec
        self.names = tuple(track.name for track in tracks)
        self.labels = torch.tensor([track.label for track in tracks])
        self.mel, self.frames = torch.from_numpy(mel), torch.from_numpy(lengths)
        self.scale = torch.tensor([track.range_db / LEVELS for track in tracks], dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.names)

    def cut(self, tracks: Tensor, columns: Tensor) -> Tensor:
        """Return windows in decibels.

        Parameters
        ----------
        tracks : Tensor
            Shape ``(batch,)``: which track each window is of.
        columns : Tensor
            Shape ``(batch, n_frames)``: which frames, as integers.

        Returns
        -------
        Tensor
            Shape ``(batch, n_mels, n_frames)``, 0 dB at the track's softest cell.
        """
        bands = torch.arange(self.mel.shape[1])
        window = self.mel[tracks[:, None, None], bands[None, :, None], columns[:, None, :]]
        return window.float() * self.scale[tracks, None, None]

    def tiles(self, step: int | None = None) -> tuple[Tensor, Tensor]:
        """Cut every track into standardised windows, as tagging does.

        Returns
        -------
        windows : Tensor
            Shape ``(w, n_mels, n_frames)``.
        owner : Tensor
            Shape ``(w,)``: index of the track that each window is of.
        """
        step = step or self.spec.n_frames
        counts = (self.frames - self.spec.n_frames) // step + 1
        owner = torch.arange(len(self)).repeat_interleave(counts)
        number = torch.arange(len(owner)) - (counts.cumsum(0) - counts)[owner]
        columns = (number * step)[:, None] + torch.arange(self.spec.n_frames)
        return torch.from_numpy(standardise(self.cut(owner, columns).numpy(), self.spec.top_db)), owner


def _label(name: str, source: Source) -> int:
    genre = name.split(".")[0]
    if genre not in source.labels:
        raise UsageError(f"{name}: {genre!r} is none of the genres of {source.name}.")
    return source.labels.index(genre)
