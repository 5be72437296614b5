"""Synthetic sounds that are not music, to train on with uniform targets.

A softmax over ten genres gives a confident answer to a reading voice, unless it was trained on such
sounds to share its probability out evenly: outlier exposure
(Hendrycks, Mazeika, Dietterich, arXiv:1812.04606). Everything here is arithmetic on random
numbers, so that training needs no second data set; voices have a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator, default_rng

from mgtag.arrays import F32, F64
from mgtag.features import MelSpec, log_mel
from mgtag_train.data.signals import band_pass, coloured, log_uniform, resonate, slow
from mgtag_train.data.speech import speech
from mgtag_train.data.tracks import MelTrack, quantise

LENGTH_S = 30.0  # of a clip, as those of the music
TRAIN_SEED, HELD_OUT_SEED = 20_02, 20_15  # of the sounds to train on, and to choose the threshold on
FLOOR_DB = (-110.0, -30.0)  # range of the room noise under every clip, dB under its peak


def make_negatives(spec: MelSpec, seed: int, each: int = 30) -> list[MelTrack]:
    """Make tracks with label -1.

    Parameters
    ----------
    spec : MelSpec
    seed : int
    each : int
        Tracks of each kind in `KINDS`; speech, the most frequent of them in a music folder, has
        six times as many.
    """
    tracks: list[MelTrack] = []
    for name, make in KINDS.items():
        for number in range(each * (6 if make is speech else 1)):
            rng = default_rng([seed, len(tracks)])
            y = with_floor(make(rng, round(LENGTH_S * spec.sample_rate), spec.sample_rate), rng)
            tracks.append(quantise(f"{name}.{number:05d}", -1, log_mel(y, spec)))
    return tracks


def training_negatives(spec: MelSpec) -> list[MelTrack]:
    """Make those to train on."""
    return make_negatives(spec, TRAIN_SEED)


def held_out_negatives(spec: MelSpec) -> list[MelTrack]:
    """Make those that a threshold is chosen on, a third as many."""
    return make_negatives(spec, HELD_OUT_SEED, each=10)


def with_floor(y: F64, rng: Generator) -> F32:
    """Bring a sound to a peak of 0.5 and lay a little coloured noise under it."""
    y = y / max(1e-9, float(np.abs(y).max())) * 0.5
    return (y + coloured(rng, len(y)) * 10 ** (rng.uniform(*FLOOR_DB) / 20)).astype(np.float32)


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
