"""What a picture of a track needs of its sound, drawn while it streams by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32, U8
from mgtag.features import DYNAMIC_RANGE, MelSpec, log_mel, mel_filters

COLUMNS = 4096  # of a picture at most: finer than any screen, and the same for five minutes or three hours


@dataclass(frozen=True)
class SoundPicture:
    """Outline and spectrogram of a track, column by column.

    Attributes
    ----------
    duration_s : float
        Of what was decoded.
    column_s : float
        Seconds a column; a whole number of hops.
    low, high : F32
        Shape ``(columns,)``; the waveform's extremes in each column, -1..1.
    mel : U8
        Shape ``(n_mels, columns)``, lowest band first; 255 is the loudest cell, 0 is 80 dB under it.
    """

    duration_s: float
    column_s: float
    low: F32
    high: F32
    mel: U8


def height_of(hz: Sequence[float], spec: MelSpec) -> F32:
    """Return how far up a spectrogram frequencies lie, 0..1."""
    peaks = mel_filters(spec).argmax(axis=1) * (spec.sample_rate / spec.n_fft)
    middles = (np.arange(spec.n_mels) + 0.5) / spec.n_mels
    return np.interp(hz, peaks, middles).astype(np.float32)


class Sketch:
    """Draws a `SoundPicture` from a waveform that comes in parts.

    Parameters
    ----------
    spec : MelSpec
    duration_s : float
        Expected; it only decides how wide a column is.
    """

    def __init__(self, spec: MelSpec, duration_s: float) -> None:
        self._spec = spec
        self._hops = max(1, round(duration_s * spec.sample_rate / spec.hop) // COLUMNS + 1)
        self._y = np.zeros(0, np.float32)
        self._length = 0
        self._low: list[F32] = []
        self._high: list[F32] = []
        self._mel: list[F32] = []

    def add(self, part: F32) -> None:
        """Take the next stretch of the waveform."""
        self._length += len(part)
        self._y = np.concatenate([self._y, part])
        width = self._hops * self._spec.hop
        overhang = max(0, self._spec.n_fft - self._spec.hop)  # the last frame looks beyond its hop
        if count := max(0, len(self._y) - overhang) // width:
            self._draw(self._y[: count * width + overhang], count)
            self._y = self._y[count * width :]

    def finish(self) -> SoundPicture:
        """Draw what is left and return the picture."""
        width = self._hops * self._spec.hop
        if len(self._y):
            count = -(-len(self._y) // width)
            spare = count * width + self._spec.n_fft - len(self._y)
            self._draw(np.pad(self._y, (0, spare)), count)
        mel = np.concatenate(self._mel, axis=1)
        scaled = (mel - mel.max() + DYNAMIC_RANGE) * (255 / DYNAMIC_RANGE)
        return SoundPicture(
            duration_s=self._length / self._spec.sample_rate,
            column_s=width / self._spec.sample_rate,
            low=np.concatenate(self._low),
            high=np.concatenate(self._high),
            mel=np.round(scaled).clip(0, 255).astype(np.uint8),
        )

    def _draw(self, y: F32, count: int) -> None:
        cells = y[: count * self._hops * self._spec.hop].reshape(count, -1)
        self._low.append(cells.min(axis=1))
        self._high.append(cells.max(axis=1))
        frames = log_mel(y, self._spec)[:, : count * self._hops]
        self._mel.append(frames.reshape(len(frames), count, self._hops).mean(axis=2))
