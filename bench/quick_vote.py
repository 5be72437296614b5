"""Whether a vote over few slices is the vote over all: the agreement that stands beside the speed.

Needs the data beside the checkout (``../shared/data``); the network answers every slice once, and the
sequential test is then played on the answers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mgtag import bundle
from mgtag.arrays import F32
from mgtag.card import GENRE
from mgtag.features import standardise
from mgtag.inference import FIRST, MAX_SLICES, NEXT, Tagger
from mgtag.slices import spread
from mgtag.vote import settled, vote

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
SPLITS = ROOT / "train" / "mgtag_train" / "data" / "splits"
JOINED = 3  # tracks of one genre that make one long one; a real song varies less

Track = tuple[str, F32]  # what it is, and the probabilities of its slices in order


@dataclass(frozen=True)
class Agreement:
    """The quick vote beside the one over all slices, of one collection."""

    name: str
    tracks: int
    slices: float
    of: float
    same_genre: float
    same_decision: float
    accuracy_all: float
    accuracy_quick: float


def agreements() -> Iterator[Agreement]:
    """Measure every collection that is at hand."""
    tagger = Tagger(bundle.find(bundle.DEFAULT), "cpu")
    for split in ("valid", "test"):
        tracks = [*_gtzan(tagger, split)]
        if tracks:
            yield _agreement(tagger, f"GTZAN {split}, 30 s", tracks)
            yield _agreement(tagger, f"GTZAN {split}, {JOINED} tracks of a genre as one", _joined(tracks))
    pieces = [*_outside(tagger)]
    if pieces:
        yield _agreement(tagger, "outside valid, 6 to 10 s", pieces)
    songs = sorted(p for p in (SHARED / "songs").glob("*") if p.suffix in (".mp3", ".ogg"))
    if songs:
        heard = [("", tagger.predict(p, MAX_SLICES).heads[GENRE].probabilities) for p in songs]
        yield _agreement(tagger, "six whole songs", heard)


def _agreement(tagger: Tagger, name: str, tracks: list[Track]) -> Agreement:
    head = tagger.bundle.card.genre
    heard, same, decided, right, quickly = [], [], [], [], []
    for truth, probabilities in tracks:
        ordered, n = probabilities[spread(len(probabilities))], len(probabilities)
        k = min(
            n, next(k for k in (FIRST, *range(FIRST + NEXT, n + NEXT, NEXT)) if settled(head, ordered[:k], n))
        )
        whole, quick = vote(head, probabilities), vote(head, ordered[:k])
        heard.append(k)
        same.append(int(whole.probabilities.argmax()) == int(quick.probabilities.argmax()))
        decided.append(whole.passes(head.threshold) == quick.passes(head.threshold))
        right.append(_label(head.labels, whole.probabilities) == truth)
        quickly.append(_label(head.labels, quick.probabilities) == truth)
    known = [i for i, (truth, _) in enumerate(tracks) if truth in head.labels]

    def mean(values: list[bool]) -> float:
        return float(np.mean([values[i] for i in known] or [np.nan]))

    slices = float(np.mean([len(p) for _, p in tracks]))
    return Agreement(
        name, len(tracks), float(np.mean(heard)), slices, float(np.mean(same)), float(np.mean(decided)),
        mean(right), mean(quickly),
    )  # fmt: skip


def _label(labels: tuple[str, ...], probabilities: F32) -> str:
    return labels[int(probabilities.argmax())]


def _gtzan(tagger: Tagger, split: str) -> Iterator[Track]:
    spec, cache = tagger.bundle.card.mel, SHARED / "gtzan" / "mel.npz"
    if not cache.exists():
        return
    names = [Path(line).stem for line in (SPLITS / f"{split}_filtered.txt").read_text().split()]
    if (spec.sample_rate, spec.n_fft, spec.hop, spec.n_mels, spec.compression) != (
        22_050,
        2048,
        1708,
        128,
        None,
    ):
        for name in names:  # a network whose windows the set's own spectrograms do not give
            path = SHARED / "gtzan" / "audio" / name.split(".")[0] / f"{name}.opus"
            if path.exists():
                yield name.split(".")[0], tagger.predict(path, "all").heads[GENRE].probabilities
        return
    archive = np.load(cache)
    rows, mels = {str(name): row for row, name in enumerate(archive["name"])}, archive["mel"]
    for name in names:
        mel, n = mels[rows[name]].astype(np.float32) / 255 * 80, spec.n_frames
        tiles = np.stack([mel[:, i : i + n] for i in range(0, mel.shape[1] - n + 1, n)])
        answer = tagger.ask(standardise(tiles, spec.top_db)).heads[GENRE]
        yield name.split(".")[0], answer.probabilities


def _outside(tagger: Tagger) -> Iterator[Track]:
    table = SHARED / "outside" / "tracks.csv"
    if not table.exists():
        return
    with open(table, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = table.parent / row["file"]
            if row["split"] == "valid" and path.exists():
                yield row["genre"], tagger.predict(path, "all").heads[GENRE].probabilities


def _joined(tracks: list[Track]) -> list[Track]:
    rng, joined = np.random.default_rng(0), []
    for genre in sorted({genre for genre, _ in tracks}):
        of_genre = [p for truth, p in tracks if truth == genre]
        for _ in range(JOINED):
            order = rng.permutation(len(of_genre))
            for i in range(0, len(order) - JOINED + 1, JOINED):
                joined.append((genre, np.concatenate([of_genre[j] for j in order[i : i + JOINED]])))
    return joined
