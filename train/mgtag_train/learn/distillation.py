"""Batches of a student: slices of the teacher cache, GTZAN's clips, and made-up sounds that are not music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor, nn

from mgtag.arrays import F32, I64
from mgtag.models import Network
from mgtag_train.data.outside import GTZAN_LABELS, LABELS, MOODS, NOT_MUSIC, Piece
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn import augment, linear_probe
from mgtag_train.learn.config import Augment, TrainConfig
from mgtag_train.learn.student import Student, Targets, Widths
from mgtag_train.learn.teacher_cache import TeacherCache

CLIPS = 0.28  # windows of GTZAN for each of the cache
# The cache's slices were changed before the teacher's predictions; these are the student's alone, and mild.
MILD = Augment(0.0, 1.5, 2.0, 0.15, 0.15, 0.2, 45.0, 0.0, 16, 6, 0.0)
GENRE_PENALTY, MOOD_PENALTY = 100.0, 100.0  # of the heads on the teacher's embedding
NOT_MUSIC_LABEL = LABELS.index(NOT_MUSIC)


@dataclass(frozen=True)
class Labels:
    """Partial labels of the cache's pieces.

    Attributes
    ----------
    genre, mood : I64
        Shape ``(pieces,)``; -1 where unknown.
    possible : F32
        Shape ``(pieces, labels)``, 1 for the labels that a piece could have had.
    """

    genre: I64
    mood: I64
    possible: F32


def labels_of(pieces: Sequence[Piece]) -> Labels:
    """Look up the labels; a clip of GTZAN could only have been given one of its ten genres."""
    ten = np.isin(LABELS, GTZAN_LABELS).astype(np.float32)
    genre = np.array([piece.label for piece in pieces])
    clips = np.array([piece.gtzan and piece.label != NOT_MUSIC_LABEL for piece in pieces])
    return Labels(
        genre,
        np.array([piece.mood_label for piece in pieces]),
        np.where(clips[:, None], ten, np.float32(1)).astype(np.float32),
    )


def possible_of_clips(genre: I64) -> F32:
    """Which labels GTZAN's clips and made-up sounds could have had, shape ``(clips, labels)``."""
    ten = np.isin(LABELS, GTZAN_LABELS)
    return np.where((genre == NOT_MUSIC_LABEL)[:, None], True, ten).astype(np.float32)


@dataclass(frozen=True)
class TeacherPredictions:
    """Out-of-fold predictions of heads on the teacher's embedding, for every slice of the cache."""

    genre: F32
    mood: F32


def out_of_fold_predictions(
    cache: TeacherCache, pieces: Sequence[Piece], embedding: F32
) -> TeacherPredictions:
    """Fit heads on the pieces' embeddings, and predict the cache's slices out of fold.

    Parameters
    ----------
    embedding : F32
        Shape ``(pieces, d)``, the teacher's, of each piece unchanged.
    """
    labels = labels_of(pieces)
    fold = linear_probe.folds_of([piece.artist or piece.path.stem for piece in pieces])
    possible_moods = np.ones((len(pieces), len(MOODS)), np.float32)
    genre = linear_probe.cross_fit(embedding, labels.genre, labels.possible, GENRE_PENALTY, fold)
    mood = linear_probe.cross_fit(embedding, labels.mood, possible_moods, MOOD_PENALTY, fold)
    of_slice = fold[cache.owner[:, 0]]
    return TeacherPredictions(
        _answers(genre, cache.embedding, of_slice), _answers(mood, cache.embedding, of_slice)
    )


class DistillationExamples:
    """A teacher cache and GTZAN as `Examples`.

    Parameters
    ----------
    cache : TeacherCache
    pieces : sequence of Piece
        Those that the cache was made of.
    teacher : TeacherPredictions
    clips : SliceDataset
        GTZAN's clips and made-up sounds, labelled with `LABELS`.
    """

    def __init__(
        self, cache: TeacherCache, pieces: Sequence[Piece], teacher: TeacherPredictions, clips: SliceDataset
    ) -> None:
        self.labels = torch.zeros(len(cache), dtype=torch.int64)  # every slice is trained on
        known, alone = labels_of(pieces), cache.owner[:, 1] < 0
        owner = cache.owner[:, 0]
        silent = known.genre[cache.owner] == NOT_MUSIC_LABEL
        genre = np.where(alone, known.genre[owner], np.where(silent.all(axis=1), NOT_MUSIC_LABEL, -1))
        self._mel, self._scale = torch.from_numpy(cache.mel), torch.from_numpy(cache.scale)
        self._genre = torch.from_numpy(genre)
        self._possible = torch.from_numpy(np.where(alone[:, None], known.possible[owner], np.float32(1)))
        self._mood = torch.from_numpy(np.where(alone, known.mood[owner], -1))
        self._teacher = torch.from_numpy(teacher.genre), torch.from_numpy(teacher.mood)
        self._tags = torch.sigmoid(torch.from_numpy(cache.tags))
        embedding = torch.from_numpy(cache.embedding)
        self._embedding = (embedding - embedding.mean(0)) / (embedding.std(0) + 1e-3)
        self._clips = clips
        music = clips.labels != NOT_MUSIC_LABEL
        self._music, self._others = (torch.nonzero(which).squeeze(1) for which in (music, ~music))
        self._widths = Widths(len(LABELS), len(MOODS), self._tags.shape[1], embedding.shape[1])

    def initialise(self, model: Network) -> Network:
        """Give the network the heads that only training needs."""
        return Student(model, self._tags.mean(0), self._widths)

    def batch(self, items: Tensor, config: TrainConfig, g: Generator) -> tuple[Tensor, Tensor]:
        """Return windows of these slices, of some clips and of some made-up sounds, with their targets."""
        mel = self._mel[items].float() * self._scale[items, None, None]
        slices = _changed(mel, MILD, config.top_db, g)
        tracks = torch.cat(
            [
                _drawn(self._music, CLIPS * len(items), g),
                _drawn(self._others, config.negatives * len(items), g),
            ]
        )
        frames, n_frames = self._clips.frames[tracks], self._clips.spec.n_frames
        columns = augment.columns(len(tracks), frames, n_frames, config.augment, g)
        clips = _changed(self._clips.cut(tracks, columns), config.augment, config.top_db, g)
        targets = [self._targets(items, config.smoothing), self._clip_targets(tracks, config.smoothing)]
        return torch.cat([slices, clips]), torch.cat(targets)

    def tiles(self) -> tuple[Tensor, Tensor]:
        """Not for evaluation: the cache holds changed slices."""
        raise NotImplementedError

    def clips(self, owner: Tensor) -> tuple[I64, I64]:
        """As `tiles`."""
        raise NotImplementedError

    def _targets(self, items: Tensor, smoothing: float) -> Tensor:
        possible = self._possible[items]
        return Targets(
            _smoothed(self._genre[items], possible, smoothing),
            possible,
            self._teacher[0][items],
            _smoothed(self._mood[items], torch.ones(len(items), len(MOODS)), smoothing),
            self._teacher[1][items],
            self._tags[items],
            self._embedding[items],
            torch.ones(len(items), 1),
        ).joined()

    def _clip_targets(self, tracks: Tensor, smoothing: float) -> Tensor:
        genre, w = self._clips.labels[tracks], self._widths
        possible = torch.from_numpy(possible_of_clips(genre.numpy()))
        blank = [torch.zeros(len(tracks), n) for n in (w.labels, w.moods, w.moods, w.tags, w.embedding, 1)]
        return Targets(_smoothed(genre, possible, smoothing), possible, *blank).joined()


def _answers(heads: Sequence[linear_probe.LinearProbe], embedding: F32, fold: I64) -> F32:
    logits = np.stack([head.logits(embedding) for head in heads])[fold, np.arange(len(embedding))]
    return torch.softmax(torch.from_numpy(logits), dim=1).numpy()


def _changed(mel: Tensor, change: Augment, top_db: float, g: Generator) -> Tensor:
    return augment.mask(augment.standardise(augment.change(mel, change, top_db, g), top_db), change, g)


def _drawn(items: Tensor, n: float, g: Generator) -> Tensor:
    return items[torch.randint(len(items), (round(n),), generator=g)]


def _smoothed(labels: Tensor, possible: Tensor, smoothing: float) -> Tensor:
    """Return label distributions over what was possible; zeros where the label is unknown."""
    hot = nn.functional.one_hot(labels.clamp(min=0), possible.shape[1])
    wanted = (1 - smoothing) * hot + smoothing * possible / possible.sum(1, keepdim=True)
    return wanted * (labels >= 0)[:, None]
