"""What a network's answers are worth on music of any genre, moods, and sounds that are not music.

Conventions: votes are probabilities of pieces, ``(pieces, labels)``, over `LABELS`. A piece is tagged when
its best label may be written and that label's probability is over the threshold. *Accepted* is a tag
that is the piece's genre or an acceptable one (see `mgtag_train.data.outside.PARENTS`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mgtag import audio
from mgtag.arrays import F32, I64
from mgtag.features import MelSpec, log_mel
from mgtag.models import Network
from mgtag.vote import Vote
from mgtag_train.data.outside import LABELS, NOT_MUSIC, PARENTS, Piece, accepted
from mgtag_train.data.tracks import MelTrack, SliceDataset, quantise
from mgtag_train.learn import metrics
from mgtag_train.learn.trainer import predict

WRITABLE = tuple(label != NOT_MUSIC for label in LABELS)
NARROWER = {genre: PARENTS[genre][0] for genre in LABELS if genre in PARENTS}
WIDER = tuple(LABELS.index(NARROWER.get(label, label)) for label in LABELS)


@dataclass(frozen=True)
class Heard:
    """Pieces, and a network's logits for their slices.

    Attributes
    ----------
    pieces : tuple of Piece
    owner : I64
        Shape ``(slices,)``, index of the piece.
    genre, mood : F32
        Logits, ``(slices, labels)`` and ``(slices, moods)``.
    """

    pieces: tuple[Piece, ...]
    owner: I64
    genre: F32
    mood: F32


def mel_tracks(pieces: Sequence[Piece], progress: Callable[[str, int, int], None]) -> list[MelTrack]:
    """Turn pieces into tracks of windows; one shorter than a window is repeated."""
    spec, tracks = MelSpec(), []
    for done, piece in enumerate(pieces, 1):
        y = audio.load(piece.path, spec.sample_rate)
        if len(y) < spec.n_samples:
            y = np.tile(y, -(-spec.n_samples // len(y)))[: spec.n_samples]
        tracks.append(quantise(piece.path.stem, piece.label, log_mel(y, spec)))
        progress("decoding", done, len(pieces))
    return tracks


def listen(model: Network, pieces: Sequence[Piece], tracks: Sequence[MelTrack], spec: MelSpec) -> Heard:
    """Ask a network about every slice of some pieces."""
    inputs, owner = SliceDataset(tracks, spec).tiles()
    genre = predict(model, inputs)
    mood = predict(model, inputs, output=lambda answer: answer.heads["mood"])
    return Heard(tuple(pieces), owner.numpy(), genre, mood)


def figures(
    votes: F32, pieces: Sequence[Piece], threshold: float, wider: tuple[int, ...] = WIDER
) -> dict[str, float]:
    """Measure probabilities of pieces, shape ``(pieces, labels)``, on music and on what is not."""
    label = np.array([piece.label for piece in pieces])
    music = np.array([piece.is_music for piece in pieces])
    others = np.array([piece.genre != "" for piece in pieces]) & ~music
    known = music & (label >= 0)
    genres, (tag, tags) = votes[:, WRITABLE], decided(votes, threshold, wider)
    same = votes.argmax(axis=1) == label
    right = np.array([accepted(piece.genre, LABELS[n]) for piece, n in zip(pieces, tags, strict=True)])
    return {
        "pieces": int(music.sum()),
        "genre_accuracy": float((genres.argmax(axis=1) == label)[known].mean()),
        "coverage": float(tag[music].mean()),
        "precision": _share((tags == label)[tag & (music | others)]),
        "accepted": _share((right & music)[tag & (music | others)]),
        "not_music": int(others.sum()),
        "not_music_tagged": int(tag[others].sum()),
        "calibration_error": metrics.calibration_error(votes[known], label[known]),
        "calibration_error_any_genre": _error(votes.max(axis=1)[music], same[music]),
    }


def decided(votes: F32, threshold: float, wider: tuple[int, ...] = WIDER) -> tuple[np.ndarray, I64]:
    """Find the pieces that get a tag, and which label that is; of the others, the best label."""
    made = [Vote(LABELS, row, WRITABLE, wider).decided(threshold) for row in votes]
    tag = np.array([vote.passes(threshold) for vote in made])
    return tag, np.array([int(vote.probabilities.argmax()) for vote in made])


def mood_accuracy(votes: F32, pieces: Sequence[Piece]) -> float:
    """Share of the pieces with a mood whose best answer is right."""
    truth = np.array([piece.mood_label for piece in pieces])
    return float((votes.argmax(axis=1) == truth)[truth >= 0].mean())


def by(
    what: Callable[[Piece], str], votes: F32, pieces: Sequence[Piece], threshold: float
) -> dict[str, dict[str, float]]:
    """Break the music down by genre or source: pieces, best answer right, tagged, accepted."""
    (tag, tags), best = decided(votes, threshold), votes[:, WRITABLE].argmax(axis=1)
    rows: dict[str, list[int]] = {}
    for n, piece in enumerate(pieces):
        if piece.is_music:
            rows.setdefault(what(piece), []).append(n)
    return {
        name: {
            "pieces": len(row),
            "right": sum(int(best[n] == pieces[n].label) for n in row),
            "tagged": int(tag[row].sum()),
            "accepted": sum(int(tag[n] and accepted(pieces[n].genre, LABELS[tags[n]])) for n in row),
        }
        for name, row in sorted(rows.items())
    }


def reliability(votes: F32, pieces: Sequence[Piece]) -> dict[str, list[float]]:
    """Confidence against accuracy over the music of the known genres, in ten bins."""
    known = [n for n, piece in enumerate(pieces) if piece.is_music and piece.label >= 0]
    confidence = votes[known].max(axis=1)
    right = votes[known].argmax(axis=1) == np.array([pieces[n].label for n in known])
    return bins(confidence, right)


def bins(confidence: F32, right: np.ndarray, n: int = 10) -> dict[str, list[float]]:
    """Mean confidence, accuracy and size of equal bins that are not empty."""
    of_bin = np.minimum((confidence * n).astype(int), n - 1)
    full = [k for k in range(n) if (of_bin == k).any()]
    return {
        "confidence": [float(confidence[of_bin == k].mean()) for k in full],
        "accuracy": [float(right[of_bin == k].mean()) for k in full],
        "size": [int((of_bin == k).sum()) for k in full],
    }


def confusion(votes: F32, pieces: Sequence[Piece]) -> dict[str, dict[str, int]]:
    """Count best answers by the table's genre, soundtrack, world, none and spoken included."""
    table: dict[str, dict[str, int]] = {}
    for piece, best in zip(pieces, votes.argmax(axis=1), strict=True):
        if piece.genre:
            row = table.setdefault(piece.genre, {})
            row[LABELS[best]] = row.get(LABELS[best], 0) + 1
    return {genre: table[genre] for genre in sorted(table)}


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 1.0


def _error(confidence: F32, right: np.ndarray) -> float:
    found = bins(confidence, right, metrics.BINS)
    gaps = np.abs(np.subtract(found["confidence"], found["accuracy"])) * found["size"]
    return float(gaps.sum() / len(confidence))
