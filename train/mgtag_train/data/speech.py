"""Voices from nothing: a buzz or a hiss through formants, in syllables, words and pauses.

Source and filter (Fant, 1960) with the formants in parallel, each with a level of its own, as in
Klatt's synthesiser (JASA 67(3), 1980). Nothing it says means anything; its spectrogram is what
counts: harmonics that glide, formants that move, hisses up to the top, gaps down to the floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mgtag.arrays import F64
from mgtag_train.data.signals import log_uniform, resonate

VOWELS_HZ = np.array(  # of men: Peterson and Barney, JASA 24(2), 1952
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
UPPER_HZ = np.array([3500, 4500, 6500, 8500])  # nearly the same in every vowel
WIDTHS_HZ = np.array([60, 90, 130, 200, 250, 400, 600])
SOFTEST_DB = np.array([0, -14, -22, -26, -34, -44, -54])  # of each formant; the loudest is half of it


@dataclass(frozen=True)
class Voice:
    """What stays the same while somebody speaks.

    Attributes
    ----------
    hz : float
        Mean pitch.
    melody : float
        How far it strays, as a share.
    tract : float
        Factor of all formants: the length of the vocal tract.
    levels : F64
        Of the formants, linear.
    breath : float
        Noise in the source.
    pace : float
        Syllables against a slow reader's.
    pause_s : float
        Between words.
    hiss : float
        Level of fricatives against vowels.
    """

    hz: float
    melody: float
    tract: float
    levels: F64
    breath: float
    pace: float
    pause_s: float
    hiss: float


def speech(rng: Generator, n: int, rate: int) -> F64:
    """Make `n` samples of one voice, perhaps in a room."""
    voice, y, at = draw_voice(rng), np.zeros(n), 0
    while at < n:
        syllables = int(rng.integers(1, 8))
        for part in range(syllables):
            pitch = (1 - voice.melody * part / syllables) * (1 + voice.melody * rng.uniform(-1, 1))
            for sound in syllable(rng, voice, voice.hz * pitch, rate):
                stop = min(n, at + len(sound))
                y[at:stop] += sound[: stop - at]
                at = stop
        at += int(rate * voice.pause_s * rng.exponential(1.0) * (6 if rng.random() < 0.12 else 1))
    return room(y, rng, rate) if rng.random() < 0.5 else y


def draw_voice(rng: Generator) -> Voice:
    """Draw a speaker."""
    return Voice(
        hz=float(log_uniform(rng, 70, 330, 1)[0]),
        melody=rng.uniform(0.02, 0.35),
        tract=rng.uniform(0.9, 1.3),
        levels=10 ** (SOFTEST_DB * rng.uniform(0.3, 1.0, len(SOFTEST_DB)) / 20),
        breath=float(rng.choice([0.0, 0.02, 1.0], p=[0.5, 0.42, 0.08])),  # 1: a whisper
        pace=rng.uniform(0.8, 2.2),
        pause_s=rng.uniform(0.0, 0.2),
        hiss=float(log_uniform(rng, 0.03, 0.6, 1)[0]),
    )


def syllable(rng: Generator, voice: Voice, hz: float, rate: int) -> list[F64]:
    """Consonant, vowel, and perhaps a consonant; vowels at a level near 1."""
    parts = [consonant(rng, voice, rate)] if rng.random() < 0.8 else []
    parts.append(vowel(rng, voice, hz, rate))
    if rng.random() < 0.4:
        parts.append(consonant(rng, voice, rate))
    return parts


def vowel(rng: Generator, voice: Voice, hz: float, rate: int) -> F64:
    """Pulses of gliding pitch through formants that move from one vowel towards another."""
    n = int(rate * rng.uniform(0.08, 0.28) / voice.pace)
    start, end = 1 + voice.melody * rng.uniform(-0.6, 0.6, 2)
    phase = np.cumsum(hz * np.linspace(start, end, n)) / rate
    pulses = np.diff(np.floor(phase), prepend=0.0) * (voice.breath < 1)
    source = pulses + voice.breath * 0.3 * rng.standard_normal(n)
    first, second = VOWELS_HZ[rng.integers(len(VOWELS_HZ), size=2)]
    fade = np.clip(np.linspace(1.3, -0.3, n), 0, 1)  # two stretches are enough for 13 frames a second
    y = formants(source, voice, first, rate) * fade + formants(source, voice, second, rate) * (1 - fade)
    edge = min(n // 2, rate // 60)
    y[:edge] *= np.linspace(0, 1, edge)
    y[n - edge :] *= np.linspace(1, 0, edge)
    return y / max(1e-9, float(np.abs(y).max())) * rng.uniform(0.4, 1)


def formants(source: F64, voice: Voice, lower_hz: F64, rate: int) -> F64:
    """Sum of the source through each formant, in alternating sign as in Klatt's parallel branch."""
    centres = voice.tract * np.concatenate([lower_hz, UPPER_HZ])
    y = np.zeros(len(source))
    for k, (hz, width, level) in enumerate(zip(centres, WIDTHS_HZ, voice.levels, strict=True)):
        if hz < 0.47 * rate:
            y += (-1) ** k * level * resonate(source, float(hz), float(width), rate)
    return y


def consonant(rng: Generator, voice: Voice, rate: int) -> F64:
    """Make a fricative, a stop with its burst, or a short gap."""
    kind = rng.integers(3)
    n = int(rate * rng.uniform(0.04, 0.15) / voice.pace)
    if kind == 0:
        hiss = resonate(rng.standard_normal(n), rng.uniform(2000, 9000), rng.uniform(800, 4000), rate)
        swell: F64 = np.sin(np.pi * np.linspace(0, 1, n)) * (voice.hiss / np.abs(hiss).max())
        return hiss * swell
    gap = np.zeros(n)
    if kind == 1:
        burst = resonate(rng.standard_normal(min(n, rate // 80)), rng.uniform(500, 6000), 2500, rate)
        gap[n - len(burst) :] = voice.hiss * burst / np.abs(burst).max()
    return gap


def room(y: F64, rng: Generator, rate: int) -> F64:
    """Convolve with noise that dies away: a reverberation of 0.1 to 1 s."""
    n = int(rate * rng.uniform(0.1, 1.0))
    echo = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n) * rng.uniform(0.01, 0.15)
    echo[: int(rate * rng.uniform(0.0, 0.03))] = 0  # the nearest wall
    echo[0] = 1
    size = 1 << (len(y) + n - 1).bit_length()
    wet: F64 = np.fft.irfft(np.fft.rfft(y, size) * np.fft.rfft(echo, size))[: len(y)]
    return wet
