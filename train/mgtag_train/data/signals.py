"""Raw material for made-up sound: coloured noise, resonances, slow curves."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.signal import butter, lfilter, sosfilt

from mgtag.arrays import F64


def coloured(rng: Generator, n: int, slope: float | None = None) -> F64:
    """Noise whose power falls as a power of frequency: white 0, pink 1, brown 2; peak 1."""
    slope = rng.choice([0.0, 1.0, 2.0, rng.uniform(-1, 2.5)]) if slope is None else slope
    size = 1 << (n - 1).bit_length()
    spectrum = rng.standard_normal(size // 2 + 1) + 1j * rng.standard_normal(size // 2 + 1)
    spectrum *= np.maximum(1, np.arange(size // 2 + 1)) ** (-slope / 2)
    spectrum[:40] = 0
    y = np.fft.irfft(spectrum)[:n]
    return np.asarray(y / np.abs(y).max(), np.float64)


def resonate(y: F64, hz: float, width_hz: float, rate: int) -> F64:
    """Pass a sound through one resonance of this centre and width."""
    radius = np.exp(-np.pi * width_hz / rate)
    feedback = [1.0, -2 * radius * np.cos(2 * np.pi * min(hz, 0.48 * rate) / rate), radius**2]
    return np.asarray(lfilter([1.0 - radius], feedback, y), np.float64)


def band_pass(y: F64, rng: Generator, rate: int) -> F64:
    """Keep a random band of at least half an octave."""
    low = float(log_uniform(rng, 60, 4000, 1)[0])
    high = min(low * 2 ** rng.uniform(0.5, 5), 0.48 * rate)
    return np.asarray(sosfilt(butter(2, [low, high], "bandpass", fs=rate, output="sos"), y), np.float64)


def slow(rng: Generator, n: int, rate: int, hz: float) -> F64:
    """Return a random curve in 0..1 that moves at about `hz`."""
    knots = rng.random(max(4, int(n / rate * hz * 2)))
    return np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)


def log_uniform(rng: Generator, low: float, high: float, n: int) -> F64:
    """Draw `n` numbers, every octave alike."""
    return np.exp(rng.uniform(np.log(low), np.log(high), n))
