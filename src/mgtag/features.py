"""Waveform to log-mel windows: the only implementation, used to train and to tag.

A `MelSpec` describes windows of two kinds: decibels, each window standardised by itself (the networks
trained here), and log10(1 + c · power) of sound brought to one level first (musicnn).

``mel.npz`` of the GTZAN set holds librosa's mel spectrogram (Slaney scale and norm, power)
with a frame about every 1,708 samples, each centred on its hop. Framing here begins at the
window's first sample, so that a frame is a real stretch of sound and nothing is padded; a
frame then lies 170 samples from the nearest one of the set, a tenth of a hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mgtag.arrays import F32

AMIN = 1e-10  # power under which a decibel is not worth telling (librosa.power_to_db)
FLAT = 1e-3  # dB; a window that varies less than this holds no sound
SILENT = 1e-4  # RMS; a softer slice is brought to a level no further than one of this
DYNAMIC_RANGE = 80.0  # dB under a window's loudest cell, by default


@dataclass(frozen=True)
class MelSpec:
    """How a mel window is made; it travels inside a bundle.

    Attributes
    ----------
    sample_rate : int
        Hz.
    n_fft, hop : int
        Samples.
    n_mels, n_frames : int
        Height and width of a window.
    fmin, fmax : float
        Hz; edges of the lowest and highest band.
    top_db : float
        What lies further under a window's loudest cell is cut off: there, codecs put what they like.
        Of standardised windows only.
    compression : float, optional
        A cell is ``log10(1 + compression * power)``, not standardised. Without it, cells are decibels, and
        each window is standardised.
    level_db : float, optional
        RMS level to which each window's sound is brought first, in decibels; 0 is an RMS of 1. Each by
        itself, so that the answer to a slice does not depend on which others are heard.
    """

    sample_rate: int = 22_050
    n_fft: int = 2048
    hop: int = 1708
    n_mels: int = 128
    n_frames: int = 39
    fmin: float = 0.0
    fmax: float = 11_025.0
    top_db: float = DYNAMIC_RANGE
    compression: float | None = None
    level_db: float | None = None

    @property
    def n_samples(self) -> int:
        """Samples that a window needs: its last frame runs to its own end."""
        return (self.n_frames - 1) * self.hop + self.n_fft

    @property
    def slice_s(self) -> float:
        """Seconds from one slice to the next where they tile the track."""
        return self.n_frames * self.hop / self.sample_rate


def log_mel(y: F32, spec: MelSpec) -> F32:
    """Log-mel spectrogram in decibels, without padding.

    Equals ``librosa.power_to_db(librosa.feature.melspectrogram(y, center=False, ...),
    top_db=None)`` to 1e-4.

    Parameters
    ----------
    y : F32
        Shape ``(..., n)``, at ``spec.sample_rate``; `n` at least ``spec.n_fft``.

    Returns
    -------
    F32
        Shape ``(..., n_mels, 1 + (n - n_fft) // hop)``, in dB.
    """
    mel = _mel_power(y, spec)
    np.maximum(mel, np.float32(AMIN), out=mel)
    np.log10(mel, out=mel)
    mel *= 10
    return mel


def window(y: F32, spec: MelSpec) -> F32:
    """Turn the sound of slices into a network's input windows.

    Parameters
    ----------
    y : F32
        Shape ``(..., n_samples)``, at ``spec.sample_rate``.

    Returns
    -------
    F32
        Shape ``(..., n_mels, n_frames)``; standardised, or as ``spec.compression`` says.
    """
    if spec.compression is None:
        return standardise(log_mel(y, spec), spec.top_db)
    power = _mel_power(y, spec)
    if spec.level_db is not None:
        power *= _gain(y, spec.level_db) ** 2
    compressed: F32 = np.log10(1 + spec.compression * power)
    return compressed


def windows(y: F32, spec: MelSpec, step_s: float | None = None) -> F32:
    """Cut a waveform into log-mel windows.

    Parameters
    ----------
    y : F32
        Shape ``(n,)``, at ``spec.sample_rate``.
    step_s : float, optional
        Seconds between the beginnings of windows; by default they tile the track.

    Returns
    -------
    F32
        Shape ``(w, n_mels, n_frames)``, as `window` makes them. The last may run past the end by
        up to a hop, filled with zeros; a shorter waveform gives ``w = 0``.
    """
    step = round((step_s or spec.slice_s) * spec.sample_rate)
    count = max(0, 1 + (len(y) + spec.hop - spec.n_samples) // step)
    if not count:
        return np.zeros((0, spec.n_mels, spec.n_frames), np.float32)
    padded = np.pad(y, (0, max(0, (count - 1) * step + spec.n_samples - len(y))))
    cuts = sliding_window_view(padded, spec.n_samples)[::step][:count]
    return window(cuts, spec)


def slice_starts(duration_s: float, spec: MelSpec, at_most: int | None = None) -> list[float]:
    """Return where the slices of a track begin, in seconds.

    They tile the track, or, where that would take more than `at_most`, are evenly spread over it.
    """
    last = duration_s - (spec.n_samples - spec.hop) / spec.sample_rate
    if last < 0:
        return []
    count = 1 + int(last / spec.slice_s)
    if at_most is None or count <= at_most:
        return [n * spec.slice_s for n in range(count)]
    return [float(start) for start in np.linspace(0, duration_s - spec.n_samples / spec.sample_rate, at_most)]


def standardise(mel: F32, top_db: float = DYNAMIC_RANGE) -> F32:
    """Bring every window to mean 0 and deviation 1; a flat one, silence, becomes zeros.

    Parameters
    ----------
    mel : F32
        Shape ``(..., n_mels, n_frames)``, in dB.
    top_db : float
        As in `MelSpec`.
    """
    mel = np.maximum(mel, mel.max(axis=(-2, -1), keepdims=True) - top_db)
    mean = mel.mean(axis=(-2, -1), keepdims=True)
    deviation = mel.std(axis=(-2, -1), keepdims=True)
    standardised: F32 = ((mel - mean) / np.maximum(deviation, FLAT)).astype(np.float32)
    return standardised


def _mel_power(y: F32, spec: MelSpec) -> F32:
    frames = sliding_window_view(y, spec.n_fft, axis=-1)[..., :: spec.hop, :]
    spectrum = np.fft.rfft(frames * _hann(spec.n_fft), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    mel: F32 = power.astype(np.float32) @ mel_filters(spec).T
    return np.swapaxes(mel, -1, -2)


def _gain(y: F32, level_db: float) -> F32:
    """Factor that brings each slice to an RMS level, shape ``(..., 1, 1)``."""
    rms = np.sqrt(np.mean(np.square(y, dtype=np.float64), axis=-1))[..., None, None]
    gain: F32 = (10 ** (level_db / 20) / np.maximum(rms, SILENT)).astype(np.float32)
    return gain


@cache
def mel_filters(spec: MelSpec) -> F32:
    """Triangular filters of equal area on Slaney's mel scale, shape ``(n_mels, 1 + n_fft // 2)``.

    Slaney, *Auditory Toolbox* (1998): linear below 1 kHz, logarithmic above; each triangle is
    divided by half its width in Hz, so that white noise has the same level in every band.
    """
    edges = _mel_to_hz(np.linspace(_hz_to_mel(spec.fmin), _hz_to_mel(spec.fmax), spec.n_mels + 2))
    bins = np.fft.rfftfreq(spec.n_fft, 1 / spec.sample_rate)
    width = np.diff(edges)
    ramps = edges[:, None] - bins
    rising = -ramps[:-2] / width[:-1, None]
    falling = ramps[2:] / width[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters.astype(np.float32)


MEL_STEP_HZ = 200 / 3  # Hz a mel below the break
BREAK_HZ = 1000.0
BREAK_MEL = BREAK_HZ / MEL_STEP_HZ
LOG_STEP = np.log(6.4) / 27  # above the break, 27 mels a factor of 6.4


def _hz_to_mel(hz: float) -> float:
    if hz < BREAK_HZ:
        return hz / MEL_STEP_HZ
    return float(BREAK_MEL + np.log(hz / BREAK_HZ) / LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = BREAK_HZ * np.exp(LOG_STEP * (mel - BREAK_MEL))
    return np.where(mel < BREAK_MEL, mel * MEL_STEP_HZ, above)


@cache
def _hann(n: int) -> F32:
    periodic = np.hanning(n + 1)[:-1]
    return periodic.astype(np.float32)
