"""The heads for musicnn, on features in which every label has a place of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("soxr")

from mgtag_train.data.outside import LABELS, MOODS, NOT_MUSIC, Piece
from mgtag_train.ship import musicnn_heads
from mgtag_train.ship.musicnn_heads import Corpus, Slices, choose, fit_heads

from mgtag.models.musicnn import MUSICNN

TEN = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
TABLE = [name if name != NOT_MUSIC else "spoken" for name in LABELS]


def pieces(part: str, clips: bool, each: int = 4) -> list[Piece]:
    def piece(genre: str, n: int) -> Piece:
        mood = "" if clips or genre == "spoken" else MOODS[n % 4]
        return Piece(Path(f"{genre}.{n}"), part, genre, mood, "", "a source", clips)

    return [piece(genre, n) for genre in (TEN if clips else TABLE) for n in range(each)]


def heard(of: list[Piece], seed: int, each: int = 2) -> Slices:
    """Slices with a one where their label is, and another where their mood is."""
    rng, owner = np.random.default_rng(seed), np.repeat(np.arange(len(of)), each)
    features = rng.normal(0, 0.1, (len(owner), 24)).astype(np.float32)
    for row, number in enumerate(owner):
        features[row, of[number].label] += 1
        if of[number].mood:
            features[row, 20 + of[number].mood_label] += 1
    return Slices(features, owner)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    found = {part + kind: pieces(part, bool(kind)) for part in musicnn_heads.PARTS for kind in ("", "-clips")}
    train = [*found["train"], *found["train-clips"]]
    slices = {name: heard(of, 1) for name, of in found.items() if not name.startswith("train")}
    slices |= {"tiles": heard(train, 2), "changed": heard(train, 3)}
    made_up = np.zeros((5, 24), np.float32)
    made_up[:, LABELS.index(NOT_MUSIC)] = 1
    return Corpus(found, slices, made_up)


def test_heads_find_what_there_is_to_find(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicnn_heads, "PENALTIES", (1.0, 10.0))
    monkeypatch.setattr(musicnn_heads, "ENOUGH", 10)
    both, card, tables = choose(corpus, MUSICNN)
    figures = card.measured["shipped"]["test"]
    assert figures["genre_accuracy"] == figures["mood_accuracy"] == figures["gtzan_track_accuracy"] == 1
    assert figures["not_music_tagged"] == 0
    assert set(card.heads) == {"genre", "mood"} and card.genre.written[NOT_MUSIC] is None
    assert [head.weight.shape for head in both] == [(len(LABELS), 24), (len(MOODS), 24)]
    assert tables["by_genre"]["rock"]["pieces"] == 4


def test_a_clip_of_gtzan_is_no_negative_for_what_its_table_lacks(corpus: Corpus) -> None:
    """All of GTZAN sounds like punk, and says nothing against punk."""
    tiles = corpus.heard["tiles"]
    clips = np.array([corpus.train[n].gtzan for n in tiles.owner])
    features = tiles.features.copy()
    features[clips] = np.eye(24)[LABELS.index("punk")]
    heard_so = {**corpus.heard, "tiles": Slices(features, tiles.owner)}
    genre, _ = fit_heads(Corpus(corpus.pieces, heard_so, corpus.made_up), 1.0)
    logits = genre.logits(np.eye(24, dtype=np.float32))
    assert logits[LABELS.index("punk")].argmax() == LABELS.index("punk")


def test_weights_are_those_that_are_kept(corpus: Corpus) -> None:
    for head in fit_heads(corpus, 1.0):
        np.testing.assert_array_equal(head.weight, head.weight.astype(np.float16).astype(np.float32))


def test_what_was_heard_is_kept(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicnn_heads, "read_pieces", lambda folder: pieces("valid", False))
    monkeypatch.setattr(musicnn_heads, "gtzan_pieces", lambda folder: pieces("valid", True))

    class FeatureExtractor:
        def __init__(self, wheel: Path) -> None:
            self.tiles = lambda of, at_most: (
                heard(of, 1) if of else Slices(np.zeros((0, 24)), np.zeros(0, int))
            )
            self.changed = self.tiles
            self.made_up = lambda seed, each: np.zeros((1, 24), np.float32)

    monkeypatch.setattr(musicnn_heads, "FeatureExtractor", FeatureExtractor)
    fresh = musicnn_heads.load_corpus(tmp_path, tmp_path, tmp_path, tmp_path / "kept.npz")
    monkeypatch.setattr(musicnn_heads, "FeatureExtractor", None)
    again = musicnn_heads.load_corpus(tmp_path, tmp_path, tmp_path, tmp_path / "kept.npz")
    assert fresh.heard.keys() == again.heard.keys()
    for name, slices in fresh.heard.items():
        np.testing.assert_array_equal(slices.features, again.heard[name].features)
