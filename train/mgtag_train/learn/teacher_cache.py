"""Augmented slices with the teachers' predictions, computed once and cached: what a student is trained on.

Each slice is cut from a random place of a piece, or of two pieces at once, changed at random, and turned
into the student's window and the teacher's. Kept are the student's window in bytes and the teacher's
tags and embedding. A part depends on nothing but its number, so that parts can be made side by side,
and an interrupted cache goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from mgtag import audio
from mgtag.arrays import F32, F64, I64, U8
from mgtag.features import MelSpec, log_mel, window, windows
from mgtag_train.data import musicnn_wheel
from mgtag_train.data.outside import LABELS, NOT_MUSIC, Piece
from mgtag_train.data.tracks import LEVELS, quantise, save_whole
from mgtag_train.learn import sound_changes
from mgtag_train.learn.jobs import Count
from mgtag_train.learn.sound_changes import RATE

PART = 2000  # slices
SEED = 7
OTHERS = 0.14  # share of slices that begin with a sound that is not music
RARITY = 0.4  # a piece is drawn by the size of its genre to the power of minus this
SPARE_S = 0.035  # cut beyond the window, for the resampler's end
BATCH = 50
I16 = NDArray[np.int16]
FULL_SCALE = 2**15
SOUNDS = "sounds.npz"


@dataclass(frozen=True)
class TeacherCache:
    """Slices and the teachers' predictions.

    Attributes
    ----------
    mel : U8
        Shape ``(n, n_mels, n_frames)``, the student's windows in bytes.
    scale : F32
        Shape ``(n,)``, decibels a step of a byte.
    owner : I64
        Shape ``(n, 2)``, indices of the pieces; -1 in the second column where there is only one.
    tags : F32
        Shape ``(n, 50)``, logits.
    embedding : F32
        Shape ``(n, 912)``.
    """

    mel: U8
    scale: F32
    owner: I64
    tags: F32
    embedding: F32

    def __len__(self) -> int:
        return len(self.mel)


def make_teacher_cache(
    pieces: Sequence[Piece], wheel: Path, folder: Path, parts: int, jobs: int, progress: Count
) -> TeacherCache:
    """Make the parts that are not in the folder yet, and read them all.

    Parameters
    ----------
    pieces : sequence of Piece
        The training pieces, always in the same order.
    wheel : Path
        Of musicnn.
    parts : int
        Of `PART` slices each.
    jobs : int
        Processes that make parts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sounds = folder / SOUNDS
    if not sounds.is_file():
        _keep_sounds(sounds, pieces, progress)
    files = [folder / f"part-{number:03d}.npz" for number in range(parts)]
    missing = [number for number, file in enumerate(files) if not file.is_file()]
    make = partial(_make_part, tuple(pieces), wheel, folder)
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(make, missing), 1):
            progress("teacher cache", parts - len(missing) + done, parts)
    read = [dict(np.load(file)) for file in files]
    return TeacherCache(**{name: np.concatenate([part[name] for part in read]) for name in read[0]})


def piece_embeddings(pieces: Sequence[Piece], wheel: Path, progress: Count) -> F32:
    """Return the teachers' mean embedding of each unchanged piece, shape ``(pieces, 912)``."""
    teachers, spec, means = musicnn_wheel.read_teachers(wheel), musicnn_wheel.MEL, []
    for done, piece in enumerate(pieces, 1):
        y = audio.load(piece.path, spec.sample_rate)
        if len(y) < spec.n_samples:
            y = np.tile(y, -(-spec.n_samples // len(y)))[: spec.n_samples]
        with torch.inference_mode():
            _, embedding = teachers(torch.from_numpy(windows(y, spec)))
        means.append(embedding.mean(0).numpy())
        progress("teacher", done, len(pieces))
    return np.stack(means)


def _keep_sounds(path: Path, pieces: Sequence[Piece], progress: Count) -> None:
    """Decode every piece once, to 16 bits."""
    sounds = []
    for done, piece in enumerate(pieces, 1):
        y = audio.load(piece.path, RATE)
        sounds.append(np.clip(np.round(y * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16))
        progress("decoding", done, len(pieces))
    save_whole(path, sound=np.concatenate(sounds), end=np.cumsum([len(y) for y in sounds]))


def _make_part(pieces: Sequence[Piece], wheel: Path, folder: Path, number: int) -> None:
    torch.set_num_threads(1)
    with np.load(folder / SOUNDS) as kept:
        sounds = np.split(kept["sound"], kept["end"][:-1])
    rng = default_rng([SEED, number])
    silent = np.array([piece.label == LABELS.index(NOT_MUSIC) for piece in pieces])
    size = Counter(piece.genre for piece in pieces)
    weight = np.array([size[piece.genre] ** -RARITY for piece in pieces])
    firsts = [_draw(weight * (silent if rng.random() < OTHERS else ~silent), rng) for _ in range(PART)]
    slices = [_slice(first, sounds, rng) for first in firsts]
    mels = [quantise("", 0, log_mel(student, MelSpec())) for student, _, _ in slices]
    teachers = musicnn_wheel.read_teachers(wheel)
    tags, embeddings = [], []
    with torch.inference_mode():
        for at in range(0, PART, BATCH):
            inputs = np.stack([window(y, musicnn_wheel.MEL) for _, y, _ in slices[at : at + BATCH]])
            logits, embedding = teachers(torch.from_numpy(inputs))
            tags.append(logits.numpy())
            embeddings.append(embedding.numpy())
    save_whole(
        folder / f"part-{number:03d}.npz",
        mel=np.stack([track.mel for track in mels]),
        scale=np.array([track.range_db / LEVELS for track in mels], np.float32),
        owner=np.array([owner for _, _, owner in slices]),
        tags=np.concatenate(tags),
        embedding=np.concatenate(embeddings),
    )


def _draw(weight: F64, rng: Generator) -> int:
    return int(rng.choice(len(weight), p=weight / weight.sum()))


def _slice(first: int, sounds: Sequence[I16], rng: Generator) -> tuple[F32, F32, tuple[int, int]]:
    """Make one slice: the student's input, the teacher's input, and the indices of its pieces."""
    second, speed = -1, sound_changes.draw_speed(rng)
    n = int(np.ceil((MelSpec().n_samples / MelSpec().sample_rate + SPARE_S) * RATE * speed))
    y = _stretch(sounds[first], n, rng)
    if rng.random() < sound_changes.MIXED:
        second = int(rng.integers(len(sounds)))
        y = sound_changes.mix(y, _stretch(sounds[second], n, rng), rng)
    y = sound_changes.change(y, rng)
    student, teacher = (_resampled(y, speed, spec) for spec in (MelSpec(), musicnn_wheel.MEL))
    return student, teacher, (first, second)


def _stretch(sound: I16, n: int, rng: Generator) -> F32:
    """Cut `n` samples at a random place; a shorter sound is repeated."""
    if len(sound) < n:
        sound = np.tile(sound, -(-n // len(sound)))
    at = int(rng.integers(len(sound) - n + 1))
    return sound[at : at + n].astype(np.float32) / np.float32(FULL_SCALE)


def _resampled(y: F32, speed: float, spec: MelSpec) -> F32:
    resampled = soxr.resample(y, RATE * speed, spec.sample_rate)[: spec.n_samples]
    padded: F32 = np.pad(resampled, (0, spec.n_samples - len(resampled)))
    return padded
