"""How well own genres are learned from a few songs, on music outside GTZAN.

``python -m mgtag_train.report.own_genres --outside DIR --musicnn WHEEL --keep DIR`` hears every piece once
with the default network and with musicnn's, learns heads from some songs of each genre as ``mgtag learn``
does, asks them about the test pieces and about sounds that are not music, and writes
``train/records/own-genres.json`` and ``train/RESULTS.md``. What was heard is kept in ``--keep`` by the
model's id, so that only a new model is heard.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.random import default_rng

from mgtag import bundle
from mgtag.arrays import F32, F64
from mgtag.bundle import Bundle
from mgtag.card import Head
from mgtag.features import window
from mgtag.inference import Tagger
from mgtag.install import musicnn
from mgtag.learn import promise
from mgtag.learn.promise import Examples, Learned
from mgtag.learn.regression import PENALTY, fit
from mgtag.learn.songs import share_of_music
from mgtag.prediction import Prediction
from mgtag.vote import Vote, common_vote, softmax, vote
from mgtag_train.data import not_music
from mgtag_train.data.outside import SILENT_GENRES, Piece, accepted, read_pieces
from mgtag_train.data.tracks import save_whole
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.report import results
from mgtag_train.report.own_genres_section import RECORD
from mgtag_train.report.records import report_folder

SIZES = (2, 5, 10, 20, 50)  # songs of each genre, or all that there are
DRAWS = 8
SEED = 14
MADE_UP = 20  # sounds of each kind that are not music
PENALTIES = (10.0, 30.0, 100.0, 300.0, 1000.0)


@dataclass(frozen=True)
class Heard:
    """What a model heard.

    Attributes
    ----------
    pieces : sequence of Piece
    embedding : F32
        Shape ``(n, d)``, the mean of each piece as the index keeps it.
    shares : F32
        Shape ``(n, labels)``; the model's own vote on each piece.
    music : F32
        Shape ``(n,)``; see `mgtag.learn.songs.share_of_music`.
    made_up, made_up_music
        The same of sounds that were made up.
    """

    pieces: Sequence[Piece]
    embedding: F32
    shares: F32
    music: F32
    made_up: F32
    made_up_music: F32

    def rows(self, split: str) -> np.ndarray:
        """Return the numbers of a split's music of any genre."""
        return np.array([n for n, p in enumerate(self.pieces) if p.split == split and p.is_music])


def hear(model: Bundle, pieces: Sequence[Piece], keep: Path) -> Heard:
    """Hear pieces and made-up sounds, or take what was kept."""
    kept = keep / f"{model.id}.heard.npz"
    if not kept.is_file():
        tagger = Tagger(model, "cpu")
        heard = [_told(model, one) for one in _of_pieces(tagger, pieces)]
        made_up = [_told(model, one) for one in _of_made_up(tagger)]
        arrays = {
            "embedding": [row for row, _, _ in heard],
            "shares": [shares for _, shares, _ in heard],
            "music": [music for _, _, music in heard],
            "made_up": [row for row, _, _ in made_up],
            "made_up_music": [music for _, _, music in made_up],
        }
        save_whole(kept, **{name: np.array(rows) for name, rows in arrays.items()})
    with np.load(kept) as arrays_kept:
        return Heard(pieces, **{name: arrays_kept[name] for name in arrays_kept.files})


def measure(heard: Heard, library: str, size: int | None, seed: int) -> dict[str, Any] | None:
    """Learn from `size` songs of each genre of a split, and ask about test; None if nothing is left."""
    rng = default_rng([SEED, seed])
    rows, genre = heard.rows(library), np.array([piece.genre for piece in heard.pieces])
    chosen = np.concatenate([rng.permutation(rows[genre[rows] == g])[:size] for g in np.unique(genre[rows])])
    learned = promise.learn(_examples(heard, chosen), PENALTY)
    if not isinstance(learned, Learned):
        return None
    test = heard.rows("test")
    answer, sure = _ask(learned, heard.embedding[test], heard.music[test])
    right = answer == genre[test]
    allowed = np.array([accepted(piece, tag) for piece, tag in zip(genre[test], answer, strict=True)])
    silent = np.array(
        [n for n, p in enumerate(heard.pieces) if p.split == "test" and p.genre in SILENT_GENRES]
    )
    noise = _ask(learned, heard.embedding[silent], heard.music[silent])[1]
    made_up = _ask(learned, heard.made_up, heard.made_up_music)[1]
    return {
        "songs": len(chosen),
        "genres": len(learned.genres),
        "accuracy_out_of_fold": learned.accuracy,
        "accuracy": right.mean(),
        "threshold": learned.threshold,
        "coverage_out_of_fold": learned.coverage,
        "coverage": sure.mean(),
        "precision": right[sure].mean() if sure.any() else None,
        "accepted": allowed[sure].mean() if sure.any() else None,
        "not_music_tagged": int(noise.sum()),
        "not_music": len(noise),
        "made_up_tagged": int(made_up.sum()),
        "made_up": len(made_up),
    }


def penalties(heard: Heard) -> list[dict[str, float]]:
    """Return, for each penalty, the log loss on validation pieces of heads learned from training pieces."""
    genre = np.array([piece.genre for piece in heard.pieces])
    names, valid, train = np.unique(genre[heard.rows("train")]), heard.rows("valid"), heard.rows("train")
    truth = np.searchsorted(names, genre[valid])
    found = []
    for penalty in PENALTIES:
        row = {"penalty": penalty}
        for size in (10, None):
            losses = []
            for seed in range(DRAWS if size else 1):
                rng = default_rng([SEED, seed])
                chosen = np.concatenate([rng.permutation(train[genre[train] == g])[:size] for g in names])
                head = fit(
                    heard.embedding[chosen], np.searchsorted(names, genre[chosen]), len(names), penalty
                )
                losses.append(_log_loss(head.logits(heard.embedding[valid]), truth))
            row[f"log_loss_{size or 'all'}"] = float(np.mean(losses))
        found.append(row)
    return found


def per_artist(heard: Heard, head: Head, split: str) -> dict[str, dict[str, float]]:
    """Compare each piece's own answer with the vote of all pieces of its artist, where there are several."""
    of: defaultdict[str, list[int]] = defaultdict(list)
    for n in heard.rows(split).tolist():
        of[heard.pieces[n].artist].append(n)
    groups = [rows for artist, rows in of.items() if artist and len(rows) > 1]
    own = {n: Vote(head.names, heard.shares[n], head.writable, head.wider) for rows in groups for n in rows}
    common = dict[int, Vote | None]()
    for rows in groups:
        music = [own[n] for n in rows if not own[n].not_music]
        said, mixed = common_vote(music or [own[n] for n in rows], head.threshold)
        common |= {n: None if mixed or own[n].not_music else said for n in rows}
    return {
        "alone": _judged(heard, {n: v.decided(head.threshold) for n, v in own.items()}, head),
        "together": _judged(heard, common, head) | {"artists": len(groups)},
    }


def _judged(heard: Heard, votes: Mapping[int, Vote | None], head: Head) -> dict[str, float]:
    names = dict(zip(head.names, head.labels, strict=True))
    told = {n: names[vote.best()[0]] if vote and vote.best() else "" for n, vote in votes.items()}
    sure = [n for n, vote in votes.items() if vote and vote.passes(head.threshold)]
    return {
        "pieces": len(votes),
        "right": float(np.mean([told[n] == heard.pieces[n].genre for n in votes])),
        "coverage": len(sure) / len(votes),
        "tags": len(sure),
        "accepted": float(np.mean([accepted(heard.pieces[n].genre, told[n]) for n in sure])) if sure else 0.0,
    }


def summary(draws: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return mean and deviation of each figure over the draws that have it."""
    told = [draw for draw in draws if draw is not None]
    row: dict[str, Any] = {"draws": len(draws), "models": len(told)}
    for key in told[0] if told else ():
        values = [float(draw[key]) for draw in told if draw[key] is not None]
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
        row[key] = {"n": len(values), "mean": float(np.mean(values)) if values else None, "sd": deviation}
    return row


def _examples(heard: Heard, chosen: np.ndarray) -> Examples:
    pieces = [heard.pieces[n] for n in chosen]
    genres = sorted({piece.genre for piece in pieces})
    label = np.array([genres.index(piece.genre) for piece in pieces])
    groups = [piece.artist or str(piece.path) for piece in pieces]
    return Examples(tuple(genres), label, groups, heard.embedding[chosen], heard.music[chosen])


def _ask(learned: Learned, embedding: F32, music: F32) -> tuple[np.ndarray, np.ndarray]:
    """Return the best genre of each row, and whether it would be written."""
    shares = softmax(learned.head.logits(embedding) / learned.temperature)
    threshold = 1.0 if learned.threshold is None else learned.threshold
    return np.array(learned.genres)[shares.argmax(axis=1)], shares.max(axis=1) * music > threshold


def _log_loss(logits: F64, truth: np.ndarray) -> float:
    """Log loss at the temperature that fits best, since `mgtag learn` fits one."""
    rows = np.arange(len(truth))
    losses = [-np.log(softmax(logits / t)[rows, truth]).mean() for t in promise.TEMPERATURES]
    return float(min(losses))


def _of_pieces(tagger: Tagger, pieces: Sequence[Piece]) -> Iterator[Prediction]:
    return (tagger.predict(piece.path) for piece in pieces)


def _of_made_up(tagger: Tagger) -> Iterator[Prediction]:
    mel = tagger.bundle.card.mel
    for number, make in enumerate(kind for kind in not_music.KINDS.values() for _ in range(MADE_UP)):
        rng = default_rng([SEED, number])
        y = not_music.with_floor(make(rng, mel.n_samples, mel.sample_rate), rng)
        yield tagger.ask(window(y[None], mel))


def _told(model: Bundle, heard: Prediction) -> tuple[F32, F32, float]:
    """Return an embedding in half precision, as the index keeps it, the vote, and how likely it is music."""
    row = heard.embedding.mean(axis=0).astype(np.float16).astype(np.float32)
    said = vote(model.card.genre, heard.heads["genre"].probabilities)
    return row, said.probabilities, share_of_music(model.card.genre, heard.heads["genre"].probabilities)


def _long_enough(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces that a model can hear: none of GTZAN's clips, which are shorter than a slice."""
    return [piece for piece in pieces if not piece.gtzan]


def main() -> None:
    """Measure, and write the record and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outside", type=Path, required=True, help="folder of tracks.csv")
    parser.add_argument("--musicnn", type=Path, required=True, help="wheel of musicnn 0.1.0")
    parser.add_argument("--keep", type=Path, required=True, help="folder in which to keep what was heard")
    asked = parser.parse_args()
    asked.keep.mkdir(parents=True, exist_ok=True)
    pieces, record = _long_enough(read_pieces(asked.outside)), dict[str, Any]()
    with TemporaryDirectory() as folder:
        for model in (bundle.find(bundle.DEFAULT), musicnn.build(asked.musicnn, Path(folder) / musicnn.NAME)):
            heard = hear(model, pieces, asked.keep)
            by_artist = {part: per_artist(heard, model.card.genre, part) for part in ("valid", "test")}
            some = {"id": model.id, "penalties": penalties(heard), "per_artist": by_artist}
            record[model.card.name] = some | {
                library: {
                    str(size or "all"): summary(
                        [measure(heard, library, size, seed) for seed in range(DRAWS if size else 1)]
                    )
                    for size in (*SIZES, None)
                }
                for library in ("train", "valid")
            }
            print(model.id, json.dumps(record[model.card.name]), flush=True)  # noqa: T201
    folder_of = report_folder()
    told = {"penalty": PENALTY, "commit": commit(), "versions": versions(), "models": record}
    (folder_of.records / RECORD).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    folder_of.page.write_text(results.page(folder_of), encoding="utf-8")


if __name__ == "__main__":
    main()
