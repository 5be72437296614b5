"""Sound that is no music, made from nothing, to teach a network to say "I do not know".

A softmax over ten genres has to say something of a reading voice, and says it with confidence,
unless it met such sound and learned to share its probability out evenly: outlier exposure
(Hendrycks, Mazeika, Dietterich, arXiv:1812.04606). Everything here is arithmetic on random
numbers, so that training needs no second data set; speech is source and filter (Fant, 1960):
a buzz or hiss through three formants, in syllables, words and pauses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mgtag_train.data import Track, pack
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from mgtag.features import F32, MelSpec, log_mel

F64 = NDArray[np.float64]

LENGTH_S = 30.0  # of a clip, as those of the music
FLOOR_DB = (-90.0, -25.0)  # range of the room noise under every clip, dB under its peak


def negatives(spec: MelSpec, seed: int, each: int = 30) -> list[Track]:
    """Make tracks with label -1.

    Parameters
    ----------
    spec : MelSpec
    seed : int
    each : int
        Tracks of each kind in `KINDS`; speech, the most frequent of them in a music folder, has
        four times as many.
    """
    tracks: list[Track] = []
    for name, make in KINDS.items():
        for number in range(each * (4 if make is speech else 1)):
            rng = default_rng([seed, len(tracks)])
            y = with_floor(make(rng, round(LENGTH_S * spec.sample_rate), spec.sample_rate), rng)
            tracks.append(pack(f"{name}.{number:05d}", -1, log_mel(y, spec)))
    return tracks


def with_floor(y: F64, rng: Generator) -> F32:
    """Bring a sound to a peak of 0.5 and lay a little coloured noise under it."""
    y = y / max(1e-9, float(np.abs(y).max())) * 0.5
    return (y + coloured(rng, len(y)) * 10 ** (rng.uniform(*FLOOR_DB) / 20)).astype(np.float32)


def coloured(rng: Generator, n: int, slope: float | None = None) -> F64:
    """Noise whose power falls as a power of frequency: white 0, pink 1, brown 2; peak 1."""
    slope = rng.uniform(-1, 2.5) if slope is None else slope
    size = 1 << (n - 1).bit_length()
    spectrum = rng.standard_normal(size // 2 + 1) + 1j * rng.standard_normal(size // 2 + 1)
    spectrum *= np.maximum(1, np.arange(size // 2 + 1)) ** (-slope / 2)
    spectrum[:40] = 0
    y = np.fft.irfft(spectrum)[:n]
    return np.asarray(y / np.abs(y).max(), np.float64)


def noise(rng: Generator, n: int, rate: int) -> F64:
    """Steady noise of any colour, half of the time through a band-pass."""
    y = coloured(rng, n)
    return band_pass(y, rng, rate) if rng.random() < 0.5 else y


def surf(rng: Generator, n: int, rate: int) -> F64:
    """Noise that swells and fades: wind, surf, traffic, breathing, a machine's throb."""
    return noise(rng, n, rate) * (0.05 + slow(rng, n, rate, rng.choice([0.2, 1.0, 5.0])))


def tones(rng: Generator, n: int, rate: int) -> F64:
    """One to three steady sines, perhaps switched: test tones, dial tones, beeps."""
    t = np.arange(n) / rate
    pitches = log_uniform(rng, 60, 8000, int(rng.integers(1, 4)))
    y: F64 = np.sum([rng.uniform(0.2, 1) * np.sin(2 * np.pi * hz * t) for hz in pitches], axis=0)
    if rng.random() < 0.4:
        y = y * (np.sin(2 * np.pi * t * rng.uniform(0.3, 6)) > rng.uniform(-0.7, 0.7))
    return y


def hum(rng: Generator, n: int, rate: int) -> F64:
    """Mains and motors: a low fundamental with harmonics, nearly steady."""
    base = rng.choice([50, 60, 100, 120, rng.uniform(25, 250)])
    phase = 2 * np.pi * np.cumsum(base * (1 + 0.003 * (slow(rng, n, rate, 1.0) - 0.5))) / rate
    fall = rng.uniform(0.3, 2)
    top = rng.integers(1, min(60, int(rate / 2 / base)))
    return sum(
        (rng.uniform(0.1, 1) * k**-fall * np.sin(k * phase + rng.uniform(0, 6.3)) for k in range(1, top + 1)),
        np.zeros(n),
    )


def chirps(rng: Generator, n: int, rate: int) -> F64:
    """Birds, sirens, sweeps: short or long glides, with or without trills and pauses."""
    y, at = np.zeros(n), 0
    shortest = rng.uniform(0.03, 0.8)
    low, high = np.sort(log_uniform(rng, 300, 9000, 2))
    while at < n:
        length = int(rate * shortest * rng.uniform(1, 3))
        x = np.linspace(0, 1, length, endpoint=False)
        start, end = rng.uniform(low, high, 2)
        bow = rng.uniform(-0.2, 0.2) * np.sin(np.pi * x * rng.integers(1, 4))
        trill = rng.choice([0, 0.05]) * np.sin(2 * np.pi * x * length / rate * rng.uniform(10, 40))
        phase = 2 * np.pi * np.cumsum((start + (end - start) * x) * (1 + bow + trill)) / rate
        tone = (np.sin(phase) + rng.choice([0, 0.2]) * np.sin(2 * phase)) * np.sin(np.pi * x) ** 0.5
        stop = min(n, at + length)
        y[at:stop] += rng.uniform(0.3, 1) * tone[: stop - at]
        at = stop + int(rate * shortest * rng.exponential(1.0))
    return y


def clicks(rng: Generator, n: int, rate: int) -> F64:
    """Ticks, knocks, rain, fire, applause: a few to thousands of short ringing impulses a second."""
    rate_hz = float(log_uniform(rng, 0.5, 3000, 1)[0])
    y = np.zeros(n)
    if rng.random() < 0.2:  # a clock
        y[:: max(1, int(rate / min(rate_hz, 30)))] = 1
    else:
        np.add.at(y, rng.integers(0, n, max(1, int(rate_hz * n / rate))), 1.0)
        y *= rng.exponential(1.0, n) * rng.choice([-1, 1], n)
    if rng.random() < 0.3:
        y *= 0.05 + slow(rng, n, rate, 1.0)
    hz, ring_s = float(log_uniform(rng, 200, 6000, 1)[0]), float(log_uniform(rng, 5e-4, 0.05, 1)[0])
    return resonate(y, hz, 1 / (np.pi * ring_s), rate)


def silence(rng: Generator, n: int, rate: int) -> F64:
    """Next to nothing, with a rare knock that sets the clip's maximum."""
    y = coloured(rng, n) * 10 ** rng.uniform(-4, -1)
    for at in rng.integers(0, n - rate // 10, rng.integers(1, 4)):
        y[at : at + rate // 10] += coloured(rng, rate // 10) * np.geomspace(1, 1e-3, rate // 10)
    return y


def babble(rng: Generator, n: int, rate: int) -> F64:
    """Several voices at once."""
    voices = range(rng.integers(2, 6))
    return sum((rng.uniform(0.3, 1) * speech(rng, n, rate) for _ in voices), np.zeros(n))


def speech(rng: Generator, n: int, rate: int) -> F64:
    """One voice: vowels, fricatives and stops in syllables, words and pauses, perhaps in a room."""
    voice_hz, tract = float(log_uniform(rng, 75, 300, 1)[0]), rng.uniform(0.85, 1.25)
    pace, range_ = rng.uniform(0.7, 1.8), rng.uniform(0.02, 0.35)
    pause, tilt = rng.uniform(0.1, 0.8), rng.uniform(0.6, 0.97)
    y, at = np.zeros(n), 0
    while at < n:
        syllables = rng.integers(1, 6)
        for part in range(syllables):
            fall = 1 - range_ * part / syllables
            for sound in _syllable(
                rng, voice_hz * fall * (1 + range_ * rng.uniform(-1, 1)), tract, pace, tilt, rate
            ):
                stop = min(n, at + len(sound))
                y[at:stop] += sound[: stop - at]
                at = stop
        at += int(rate * pause * rng.exponential(0.3) * (4 if rng.random() < 0.15 else 1))
    return _room(y, rng, rate) if rng.random() < 0.5 else y


VOWELS = np.array(  # formants in Hz of men's vowels: Peterson and Barney, JASA 24 (1952)
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [440, 1020, 2240],
        [300, 870, 2240],
        [640, 1190, 2390],
        [490, 1350, 1690],
    ]
)
BANDWIDTHS = np.array([60.0, 90.0, 150.0, 250.0])  # Hz
FOURTH_HZ = 3500.0


def _syllable(rng: Generator, hz: float, tract: float, pace: float, tilt: float, rate: int) -> list[F64]:
    """Consonant, vowel, and perhaps a consonant; all at a level near 1."""
    parts = [_consonant(rng, rate, pace)] if rng.random() < 0.8 else []
    n = int(rate * rng.uniform(0.07, 0.25) / pace)
    glide = np.linspace(1 + rng.uniform(-0.1, 0.1), 1 + rng.uniform(-0.15, 0.1), n)
    phase = np.cumsum(hz * glide * (1 + 0.01 * rng.standard_normal())) / rate
    buzz = np.diff(np.floor(phase), prepend=0.0) + 0.005 * rng.standard_normal(n)
    y = lfilter([1.0], [1.0, -tilt], buzz)
    start, end = VOWELS[rng.integers(len(VOWELS), size=2)] * tract
    half = n // 2  # the tract moves: two stretches, cross-faded, are enough for 13 frames a second
    fade = np.clip(np.linspace(1.5, -0.5, n), 0, 1)
    y = _formants(y, start, tract, rate) * fade + _formants(y, (start + end) / 2, tract, rate) * (1 - fade)
    edge = min(half, int(0.02 * rate))
    y[:edge] *= np.linspace(0, 1, edge)
    y[-edge:] *= np.linspace(1, 0, edge)
    parts.append(y / max(1e-9, np.abs(y).max()) * rng.uniform(0.4, 1))
    if rng.random() < 0.4:
        parts.append(_consonant(rng, rate, pace))
    return parts


def _formants(y: F64, formants: F64, tract: float, rate: int) -> F64:
    for hz, width in zip([*formants, FOURTH_HZ * tract], BANDWIDTHS, strict=True):
        y = resonate(y, hz, width, rate)
    return y


def _consonant(rng: Generator, rate: int, pace: float) -> F64:
    """Make a fricative, a stop with its burst, or a short gap."""
    kind = rng.integers(3)
    n = int(rate * rng.uniform(0.03, 0.14) / pace)
    if kind == 0:
        hiss = resonate(rng.standard_normal(n), rng.uniform(1500, 8500), rng.uniform(500, 3000), rate)
        swell: F64 = np.sin(np.pi * np.linspace(0, 1, n))
        swell *= rng.uniform(0.05, 0.4) / np.abs(hiss).max()
        return hiss * swell
    gap = np.zeros(n)
    if kind == 1:
        burst = rng.standard_normal(min(n, rate // 100))
        gap[-len(burst) :] = 0.2 * resonate(burst, rng.uniform(500, 5000), 1500, rate)
    return gap


def _room(y: F64, rng: Generator, rate: int) -> F64:
    """Convolve with noise that dies away: a reverberation of 0.1 to 1 s."""
    n = int(rate * rng.uniform(0.1, 1.0))
    echo = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n) * rng.uniform(0.01, 0.1)
    echo[0] = 1
    size = 1 << (len(y) + n - 1).bit_length()
    return np.asarray(np.fft.irfft(np.fft.rfft(y, size) * np.fft.rfft(echo, size))[: len(y)], np.float64)


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


KINDS: dict[str, Callable[[Generator, int, int], F64]] = {
    "noise": noise,
    "surf": surf,
    "tones": tones,
    "hum": hum,
    "chirps": chirps,
    "clicks": clicks,
    "silence": silence,
    "babble": babble,
    "speech": speech,
}
