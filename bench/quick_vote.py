"""Whether a vote over few slices is the vote over all: the agreement that stands beside the speed.

Needs the data beside the checkout (``../shared/data``); the network answers every slice once, and the
sequential test is then played on the answers. ``python -m bench.quick_vote`` plays many settings on the
validation collections, and names the one to put into `mgtag.vote` and `mgtag.inference`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import TextIO

import numpy as np

from mgtag import bundle, vote
from mgtag.arrays import F32
from mgtag.card import GENRE, Head
from mgtag.features import standardise
from mgtag.inference import FIRST, MAX_SLICES, NEXT, Tagger
from mgtag.slices import spread

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
SPLITS = ROOT / "train" / "mgtag_train" / "data" / "splits"
JOINED, TIMES = 3, 6  # tracks of one genre that make one long one, and how often; a real song varies less

Track = tuple[str, F32]  # what it is, and the probabilities of its slices in order


@dataclass(frozen=True)
class Setting:
    """Of the sequential test: slices heard before the first look and between looks, and `mgtag.vote`'s errors."""

    first: int = FIRST
    next: int = NEXT
    sure: float = vote.SURE
    sure_of_writing: float = vote.SURE_OF_WRITING


# One or two slices between looks take longer than three in all: the network hears them together.
SETTINGS = [
    Setting(*values) for values in product((4, 6, 8), (3,), (1.5, 2.0, 2.5, 3.0, 3.5), (0.5, 0.75, 1.0, 1.5))
]
SAME_GENRE, SAME_DECISION = 1.0, 0.98  # of the tracks of every validation collection
LOST = 0.002  # of its accuracy, at most
LONG = 20  # slices of a track that is as long as a song


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
    for name, tracks in chain(_validation(tagger), _test(tagger)):
        yield _agreement(tagger.bundle.card.genre, name, tracks, Setting())


def choose(told: TextIO) -> Setting:
    """Return the setting that hears the fewest slices of songs and keeps all answers on validation."""
    tagger = Tagger(bundle.find(bundle.DEFAULT), "cpu")
    collections = [*_validation(tagger)]
    best, least = Setting(), float("inf")
    for setting in SETTINGS:
        rows = [_agreement(tagger.bundle.card.genre, *named, setting) for named in collections]
        print(setting, *(f"{r.slices:.1f} {r.same_genre:.1%} {r.same_decision:.1%}" for r in rows), file=told)
        slices = float(np.mean([row.slices for row in rows if row.of > LONG]))
        kept = all(
            r.same_genre >= SAME_GENRE
            and r.same_decision >= SAME_DECISION
            and not r.accuracy_all - r.accuracy_quick > LOST  # nan where no genre is known
            for r in rows
        )
        if kept and slices < least:
            best, least = setting, slices
    return best


def _validation(tagger: Tagger) -> Iterator[tuple[str, list[Track]]]:
    tracks, pieces = [*_gtzan(tagger, "valid")], [*_outside(tagger)]
    if tracks:
        yield "GTZAN valid, 30 s", tracks
        yield f"GTZAN valid, {JOINED} tracks of a genre as one", _joined(tracks)
    if pieces:
        yield "outside valid, 6 to 10 s", pieces
    songs = sorted(p for p in (SHARED / "songs").glob("*") if p.suffix in (".mp3", ".ogg"))
    if songs:
        yield (
            "six whole songs",
            [("", tagger.predict(p, MAX_SLICES).heads[GENRE].probabilities) for p in songs],
        )


def _test(tagger: Tagger) -> Iterator[tuple[str, list[Track]]]:
    if tracks := [*_gtzan(tagger, "test")]:
        yield "GTZAN test, 30 s", tracks
        yield f"GTZAN test, {JOINED} tracks of a genre as one", _joined(tracks)


def _agreement(head: Head, name: str, tracks: list[Track], setting: Setting) -> Agreement:
    heard, same, decided, right, quickly = [], [], [], [], []
    for truth, probabilities in tracks:
        ordered = probabilities[spread(len(probabilities))]
        k = _heard(head, ordered, setting)
        whole, quick = vote.vote(head, probabilities), vote.vote(head, ordered[:k])
        heard.append(k)
        same.append(int(whole.probabilities.argmax()) == int(quick.probabilities.argmax()))
        decided.append(len({v.decided(head.threshold).passes(head.threshold) for v in (whole, quick)}) == 1)
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


def _heard(head: Head, ordered: F32, setting: Setting) -> int:
    """Return how many slices the test asks for."""
    n = len(ordered)
    with _constants(setting):
        looks = (setting.first, *range(setting.first + setting.next, n + setting.next, setting.next))
        return min(n, next(k for k in looks if vote.settled(head, ordered[:k], n)))


@contextmanager
def _constants(setting: Setting) -> Iterator[None]:
    before = vote.SURE, vote.SURE_OF_WRITING
    vote.SURE, vote.SURE_OF_WRITING = setting.sure, setting.sure_of_writing
    try:
        yield
    finally:
        vote.SURE, vote.SURE_OF_WRITING = before


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
        for _ in range(TIMES):
            order = rng.permutation(len(of_genre))
            for i in range(0, len(order) - JOINED + 1, JOINED):
                joined.append((genre, np.concatenate([of_genre[j] for j in order[i : i + JOINED]])))
    return joined


if __name__ == "__main__":
    print("choose", choose(sys.stdout))
