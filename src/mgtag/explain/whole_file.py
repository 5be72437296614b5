"""A whole file in one pass, however long: slice after slice side by side, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mgtag import audio
from mgtag.arrays import F32
from mgtag.errors import AudioError
from mgtag.explain.sketch import Sketch, Sound
from mgtag.features import MelSpec, windows
from mgtag.inference import BATCH, SILENCE, Tagger
from mgtag.prediction import Prediction, concatenate

Tell = Callable[[float], object]  # told how many seconds were heard


@dataclass(frozen=True)
class Stretch:
    """Some slices of a track, side by side.

    Attributes
    ----------
    first : int
        Number of the first slice; slice ``n`` begins at ``n * spec.slice_s``.
    windows : F32
        Shape ``(k, n_mels, n_frames)``, standardised.
    audible : array of bool
        Shape ``(k,)``; whether there is any sound in the slice.
    """

    first: int
    windows: F32
    audible: NDArray[np.bool_]


def stretches(
    path: Path, spec: MelSpec, sketch: Sketch | None = None, at_once: int = BATCH
) -> Iterator[Stretch]:
    """Cut a file into slices that tile it, a stretch of `at_once` at a time.

    Parameters
    ----------
    sketch : Sketch, optional
        Draws along.

    Raises
    ------
    AudioError
        If there is no sound to be read, or less than one slice.
    """
    step = spec.n_frames * spec.hop
    wanted = (at_once - 1) * step + spec.n_samples
    y, first, length = np.zeros(0, np.float32), 0, 0
    for part in _chunks(audio.stream(path, spec.sample_rate), at_once * step):
        if sketch is not None:
            sketch.add(part)
        length += len(part)
        y = np.concatenate([y, part])
        while len(y) >= wanted:
            yield _stretch(first, y[:wanted], spec)
            y, first = y[at_once * step :], first + at_once
    rest = _stretch(first, y, spec)
    if len(rest.windows):
        yield rest
    elif not first:
        raise AudioError(
            f"{path}: too short: {length / spec.sample_rate:.1f} s, "
            f"and mgtag listens to {spec.slice_s:.0f} s at a time."
        )


def listen(path: Path, tagger: Tagger, tell: Tell = lambda seconds: None) -> tuple[Prediction, Sound]:
    """Hear every slice of a file, and keep what a picture of it needs.

    Raises
    ------
    AudioError
        If there is no sound to be read, less than one slice, or nothing but silence.
    """
    card = tagger.bundle.card
    sketch = Sketch(card.mel, audio.probe(path).duration_s)
    parts, heard = [], False
    for stretch in stretches(path, card.mel, sketch):
        starts_s = (np.arange(len(stretch.windows)) + stretch.first) * card.mel.slice_s
        parts.append(tagger.ask(stretch.windows, stretch.audible, starts_s.astype(np.float32)))
        heard = heard or bool(stretch.audible.any())
        tell(float(starts_s[-1]) + card.mel.slice_s)
    if not heard:
        raise AudioError(f"{path}: there is nothing to hear: the whole file is silent.")
    return concatenate(parts), sketch.finish()


def _stretch(first: int, y: F32, spec: MelSpec) -> Stretch:
    x = windows(y, spec)
    step = spec.n_frames * spec.hop
    peaks = [np.abs(y[n * step :][: spec.n_samples]).max(initial=0.0) for n in range(len(x))]
    return Stretch(first, x, np.array(peaks) > SILENCE)


def _chunks(parts: Iterator[F32], least: int) -> Iterator[F32]:
    """Join parts to chunks of at least so many samples; a decoder's own are a thousand long."""
    held: list[F32] = []
    for part in parts:
        held.append(part)
        if sum(map(len, held)) >= least:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)
