"""Tempo and key of a track, by librosa, each with a confidence under which nothing is written.

Tempo: a median onset envelope below 8 kHz, its autocorrelation over the middle 30 s under a prior around
120 BPM (as ``librosa.feature.tempo`` weighs it), and the straight line through the beats that Ellis'
tracker finds at that tempo ("Beat Tracking by Dynamic Programming", 2007). Key: the mean CQT chroma of the
middle 60 s, correlated with the profiles of 24 keys as Krumhansl and Schmuckler did, the profiles being those
of Temperley ("What's Key for Key?", Music Perception 17(1), 1999).

What makes an answer sure is weighed by ``analysis.json``, fitted and measured by ``mgtag lab
tempo-and-key``; train/RESULTS.md has the figures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mgtag.arrays import F32
from mgtag.audio import Sound
from mgtag.extras import not_installed

SAMPLE_RATE = 22_050  # Hz
HOP, KEY_HOP = 512, 2048  # samples between two columns of the onset envelope, and of the chroma
TEMPO_S, KEY_S = 30.0, 60.0  # seconds of the middle that are heard
MOST_HZ = 8_000  # of the onset envelope: above are hiss and what codecs leave out
LIKELY_BPM, SPREAD = 120.0, 1.0  # of the prior: its middle, and its deviation in octaves
MOST_BPM = 320
SAME = math.log2(1.08)  # two tempi nearer than this are one
LEAST_BEATS = 5
MAJOR = (5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0)  # from the tonic up
MINOR = (5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0)
NAMES = "C Db D Eb E F F# G Ab A Bb B Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm".split()
METHODS = {"bpm": "librosa-tempo-1", "key": "librosa-key-1"}  # who wrote it, in a file's provenance
FIELDS = (*METHODS,)
CONSTANTS = Path(__file__).with_name("analysis.json")


class Estimate(NamedTuple):
    """What was heard of one field.

    Attributes
    ----------
    label : str
        As it is written: whole BPM, or a key such as ``"F#m"``; "" where there is nothing to hear.
    confidence : float
        0..1. Of a tempo the probability that it is the one that people tap; of a key the probability
        that two halves of the excerpt name the same.
    evidence : tuple of float
        What the confidence is weighed from.
    """

    label: str
    confidence: float
    evidence: tuple[float, ...] = ()


def analyse(sound: Sound, fields: Collection[str]) -> dict[str, Estimate]:
    """Estimate ``"bpm"``, ``"key"`` or both, from the middle of a file.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    UsageError
        If librosa is not installed.
    """
    check_installed(fields)
    length_s = min(sound.duration_s, KEY_S if "key" in fields else TEMPO_S)
    (y,) = sound.slices([(sound.duration_s - length_s) / 2], length_s, SAMPLE_RATE)
    return {field: _HEARD[field](y) for field in FIELDS if field in fields}


def check_installed(fields: Collection[str]) -> None:
    """Raise `UsageError` if any field is asked for and librosa is not there."""
    if fields and find_spec("librosa") is None:
        raise not_installed("To hear " + " and ".join(fields), "librosa", "analysis")


def threshold(field: str) -> float:
    """Return the confidence above which a field is written."""
    return float(constants()[field]["threshold"])


@cache
def constants() -> Mapping[str, Any]:
    """Return the weights, thresholds and measured figures of both fields."""
    read: Mapping[str, Any] = json.loads(CONSTANTS.read_text(encoding="utf-8"))
    return read


def tempo(y: F32) -> Estimate:
    """Estimate the tempo of a mono waveform at `SAMPLE_RATE`, from its middle `TEMPO_S`."""
    bpm, evidence = pulse(y)
    return Estimate(str(round(bpm)), _confidence("bpm", evidence), evidence) if bpm else Estimate("", 0.0)


def pulse(y: F32) -> tuple[float, tuple[float, ...]]:
    """Return the tempo in BPM, 0 where nothing beats, and what speaks for it.

    Returns
    -------
    bpm : float
    evidence : tuple of float
        How far the tempo leads the next other one, in nats; how far beats lie off the straight line, in
        beats; how many of both halves have the same tempo.
    """
    import librosa

    y = _middle(y, TEMPO_S)
    strength = librosa.onset.onset_strength(
        y=y, sr=SAMPLE_RATE, hop_length=HOP, aggregate=np.median, fmax=MOST_HZ
    )
    if not strength.any():
        return 0.0, ()
    columns = librosa.feature.tempogram(onset_envelope=strength, sr=SAMPLE_RATE, hop_length=HOP)
    half = columns.shape[1] // 2
    (bpm, lead), (first, _), (second, _) = map(_peak, (columns, columns[:, :half], columns[:, half:]))
    _, beats = librosa.beat.beat_track(
        onset_envelope=strength, sr=SAMPLE_RATE, hop_length=HOP, bpm=bpm, trim=False
    )
    if len(beats) < LEAST_BEATS:
        return 0.0, ()
    count = np.arange(len(beats))
    step, start = np.polyfit(count, beats, 1)
    off = float((beats - start - step * count).std() / step)
    agree = sum(abs(math.log2(part / bpm)) < SAME for part in (first, second))
    return float(60 * SAMPLE_RATE / HOP / step), (lead, min(off, 1.0), float(agree))


def _peak(columns: F32, likely: float = LIKELY_BPM, spread: float = SPREAD) -> tuple[float, float]:
    """Return the likeliest tempo of some columns of a tempogram, and its lead over the next other one."""
    import librosa

    bpm = librosa.tempo_frequencies(len(columns), sr=SAMPLE_RATE, hop_length=HOP)[1:]
    score = np.log1p(1e6 * columns.mean(axis=1)[1:]) - 0.5 * (np.log2(bpm / likely) / spread) ** 2
    score[bpm > MOST_BPM] = -np.inf
    best = int(score.argmax())
    others = np.abs(np.log2(bpm / bpm[best])) > SAME
    return float(bpm[best]), float(score[best] - score[others].max())


def key(y: F32) -> Estimate:
    """Estimate the key of a mono waveform at `SAMPLE_RATE`."""
    import librosa

    if not np.abs(y).max(initial=0.0) > 0:
        return Estimate("", 0.0)
    chroma = librosa.feature.chroma_cqt(y=_middle(y, KEY_S), sr=SAMPLE_RATE, hop_length=KEY_HOP)
    order, margin = key_of(chroma.mean(axis=1))
    return Estimate(NAMES[order], _confidence("key", (margin,)), (margin,))


def key_of(pitches: F32) -> tuple[int, float]:
    """Return the index in `NAMES` of the key that a pitch-class profile, shape ``(12,)``, is likest to.

    And by how much its correlation exceeds the next one's.
    """
    profiles = np.array([np.roll(mode, tonic) for mode in (MAJOR, MINOR) for tonic in range(12)])
    alike = _standard(profiles) @ _standard(np.asarray(pitches, np.float64)[None])[0]
    second, first = np.sort(alike)[-2:]
    return int(alike.argmax()), float(first - second)


def _standard(rows: Any) -> Any:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _middle(y: F32, length_s: float) -> F32:
    n = round(length_s * SAMPLE_RATE)
    start = max(0, (len(y) - n) // 2)
    return y[start : start + n]


def _confidence(field: str, evidence: tuple[float, ...]) -> float:
    weighed = constants()[field]
    log_odds = weighed["bias"] + sum(w * e for w, e in zip(weighed["weights"], evidence, strict=True))
    return 1 / (1 + math.exp(-log_odds))


_HEARD: dict[str, Callable[[F32], Estimate]] = {"bpm": tempo, "key": key}
