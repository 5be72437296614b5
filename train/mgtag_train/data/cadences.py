"""Synthetic pieces whose key is known: cadences played by plain instruments over a little percussion.

Four bars that name their key (a cadence through the subdominant, twice), in any of 24 keys, at a random
tempo, tuning, octave and brightness; harmonic minor, so that the leading note is there. They show that a
key finder finds keys; they are no measure of how it fares in recorded music.
"""

from __future__ import annotations

import numpy as np

from mgtag.arrays import F32

SAMPLE_RATE = 22_050  # Hz
# Chords as semitones over the tonic; major first.
PROGRESSIONS = (
    (
        ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
        ((0, 4, 7), (9, 12, 16), (2, 5, 9), (7, 11, 14)),
        ((0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12)),
    ),
    (
        ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
        ((0, 3, 7), (8, 12, 15), (5, 8, 12), (7, 11, 14)),
        ((0, 3, 7), (8, 12, 15), (3, 7, 10), (10, 14, 17)),
    ),
)


def cadence(key: int, seed: int) -> F32:
    """Return a piece, shape ``(n,)``, in -1..1, in a key numbered as `mgtag.analysis.NAMES` are."""
    rng = np.random.default_rng((seed, key))
    minor, tonic = divmod(key, 12)
    progression = PROGRESSIONS[minor][rng.integers(3)]
    beat_s = 60 / rng.uniform(80, 150)
    a4 = 440 * 2 ** (rng.uniform(-0.3, 0.3) / 12)  # Hz; up to 30 cents out of tune
    decay, brightness, octave = rng.uniform(1, 6), rng.uniform(0.3, 0.8), int(rng.integers(0, 2))
    n = round(beat_s * SAMPLE_RATE)
    t = np.asarray(np.arange(n) / SAMPLE_RATE, np.float32)
    hiss = 0.05 * rng.standard_normal(n) * np.exp(-40 * t)
    beats = []
    for _ in range(4):
        for chord in progression:
            for beat in range(4):
                notes = [*chord, chord[beat % 3] + 12] if beat else [chord[0] - 12, *chord]
                tones = [_tone(a4, tonic + note + 12 * octave, t, decay, brightness) for note in notes]
                beats.append(np.sum(tones, axis=0) + hiss * rng.uniform(0.5, 2))
    y = np.concatenate(beats)
    return np.asarray(y / np.abs(y).max(), np.float32)


def _tone(a4: float, note: int, t: F32, decay: float, brightness: float) -> F32:
    """Return a plucked note, so many semitones over the C below middle C."""
    frequency = a4 * 2 ** ((note - 21) / 12)
    overtones = (brightness**k * np.sin(2 * np.pi * frequency * (k + 1) * t) for k in range(5))
    return np.asarray(sum(overtones) * np.exp(-decay * t))
