"""What may happen to a sound before the student and its teacher hear it, both alike.

A teacher is worth most where it answers for exactly what the student was given (Beyer et al.,
arXiv:2106.05237), so these changes are made to waveforms, once, and both hear the result. None of
them may tell which collection a sound comes from: codecs differ in their upper limit, hence the low-pass.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.fft import irfft, next_fast_len, rfft

from mgtag.arrays import F32, F64

RATE = 24_000  # Hz; the highest that any of the collections has
SPEED = 0.13  # natural logarithm of the largest change of speed, which moves pitch and tempo
SPED = 0.7  # share of slices whose speed is changed
MIXED = 0.35  # share of slices that are two pieces at once
MIX_DB = 12.0  # by which one of them may be louder
SILENCE = 1e-5  # RMS

ROOM, EQUALISED, LOW_PASS, HIGH_PASS, DISTORTED, NOISY = 0.15, 0.8, 0.35, 0.15, 0.15, 0.15  # shares
KNOTS = 8  # of the equaliser's curve, evenly over the octaves
LOWEST_HZ, OCTAVES = 20.0, 9.3


def draw_speed(rng: Generator) -> float:
    """Draw how much faster than it is a slice is played."""
    return float(np.exp(rng.uniform(-SPEED, SPEED))) if rng.random() < SPED else 1.0


def mix(y: F32, other: F32, rng: Generator) -> F32:
    """Sound two slices together, one up to `MIX_DB` louder."""
    gain = 10 ** (rng.uniform(-MIX_DB, MIX_DB) / 20)
    mixed: F32 = y / _rms(y) + gain * other / _rms(other)
    return mixed


def change(y: F32, rng: Generator) -> F32:
    """Put a sound into a room, equalise, distort it, and lay noise under it; each by chance."""
    if rng.random() < ROOM:
        y = reverberate(y, rng)
    if rng.random() < EQUALISED:
        y = equalise(y, rng)
    if rng.random() < DISTORTED:
        y = np.tanh(y * (rng.uniform(0.3, 1.2) / _rms(y)))
    if rng.random() < NOISY:
        level = _rms(y) * 10 ** (-rng.uniform(15, 45) / 20)
        y = y + level * rng.standard_normal(len(y), np.float32)
    return y.astype(np.float32)


def reverberate(y: F32, rng: Generator) -> F32:
    """Convolve with noise that dies away within 0.1 to 0.8 s, under the direct sound."""
    n = int(RATE * rng.uniform(0.1, 0.8))
    response = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    response[0] = np.sqrt(np.abs(response).sum()) * rng.uniform(0.5, 4)
    size = next_fast_len(len(y) + n, real=True)
    wet: F32 = irfft(rfft(y, size) * rfft(response.astype(np.float32), size), size)[: len(y)]
    return wet


def equalise(y: F32, rng: Generator) -> F32:
    """Draw a smooth curve over the octaves, perhaps with an upper or a lower limit."""
    size = next_fast_len(len(y), real=True)
    hz = np.maximum(np.arange(size // 2 + 1) * (RATE / size), 1.0)
    gain = 10 ** (_curve_db(hz, rng) / 20)
    equalised: F32 = irfft(rfft(y, size) * gain.astype(np.float32), size)[: len(y)]
    return equalised


def _curve_db(hz: F64, rng: Generator) -> F64:
    octave = np.log2(np.maximum(hz, LOWEST_HZ) / LOWEST_HZ)
    knots = rng.standard_normal(KNOTS) * rng.uniform(0, 6)
    decibels = np.interp(octave, np.linspace(0, OCTAVES, KNOTS), knots)
    if rng.random() < LOW_PASS:
        limit = np.exp(rng.uniform(np.log(2500), np.log(10_500)))
        decibels -= rng.uniform(12, 96) * np.clip(np.log2(hz / limit), 0, 1)
    if rng.random() < HIGH_PASS:
        limit = np.exp(rng.uniform(np.log(60), np.log(400)))
        decibels -= rng.uniform(6, 36) * np.clip(np.log2(limit / hz), 0, 2)
    return np.asarray(decibels, np.float64)


def _rms(y: F32) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(y))) + SILENCE)
