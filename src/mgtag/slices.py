"""A track as windows: some of its slices, or all of them one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32
from mgtag.audio import Sound
from mgtag.errors import TooShortError
from mgtag.features import MelSpec, window, windows

AT_ONCE = 32  # slices held together, so that a long file needs no more memory than a short one
SILENCE = 1e-4  # peak of a slice, -80 dBFS, under which there is nothing to hear
GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, lie as evenly as any sequence that may end anywhere


@dataclass(frozen=True)
class Slices:
    """Some slices of a track.

    Attributes
    ----------
    starts_s : F32
        Shape ``(k,)``; where they begin, in seconds.
    windows : F32
        Shape ``(k, n_mels, n_frames)``, as `features.window` makes them.
    audible : array of bool
        Shape ``(k,)``; whether there is any sound in the slice.
    """

    starts_s: F32
    windows: F32
    audible: NDArray[np.bool_]


def cut(sound: Sound, spec: MelSpec, starts_s: Sequence[float]) -> Slices:
    """Decode the slices that begin at some places, and nothing else.

    Raises
    ------
    AudioError
        If one lies beyond the last sound, as in a truncated file.
    """
    y = sound.slices(starts_s, spec.n_samples / spec.sample_rate, spec.sample_rate)
    return Slices(np.array(starts_s, np.float32), window(y, spec), np.abs(y).max(axis=1) > SILENCE)


def tiles(
    sound: Sound, spec: MelSpec, at_once: int = AT_ONCE, tap: Callable[[F32], object] = lambda part: None
) -> Iterator[Slices]:
    """Cut a whole track into slices that tile it, `at_once` at a time.

    Parameters
    ----------
    tap : callable
        Told the waveform, part by part, as it is decoded.

    Raises
    ------
    AudioError
        If there is no sound to be read; `TooShortError` if it is less than one slice.
    """
    step = spec.n_frames * spec.hop
    wanted = (at_once - 1) * step + spec.n_samples
    y, first = np.zeros(0, np.float32), 0
    for part in sound.stream(spec.sample_rate):
        tap(part)
        y = np.concatenate([y, part])
        while len(y) >= wanted:
            yield _tiled(first, y[:wanted], spec)
            y, first = y[at_once * step :], first + at_once
    rest = _tiled(first, y, spec)
    if len(rest.windows):
        yield rest
    elif not first:
        raise too_short(sound, spec, len(y) / spec.sample_rate)


def spread(n: int) -> list[int]:
    """Return the numbers under `n` in an order of which any beginning is spread over all of them."""
    free, order = list(range(n)), []
    for k in range(n):
        place = (0.5 + k * GOLDEN) % 1 * n - 0.5
        order.append(min(free, key=lambda i: abs(i - place)))
        free.remove(order[-1])
    return order


def too_short(sound: Sound, spec: MelSpec, length_s: float) -> TooShortError:
    """Return the error for a track in which no slice fits."""
    return TooShortError(
        f"{sound.path}: too short: {length_s:.1f} s, and mgtag listens to {spec.slice_s:.0f} s at a time."
    )


def _tiled(first: int, y: F32, spec: MelSpec) -> Slices:
    x, step = windows(y, spec), spec.n_frames * spec.hop
    peaks = [np.abs(y[n * step :][: spec.n_samples]).max(initial=0.0) for n in range(len(x))]
    starts_s = ((first + np.arange(len(x))) * spec.slice_s).astype(np.float32)
    return Slices(starts_s, x, np.array(peaks) > SILENCE)
