"""How own genres are measured on the table of music outside GTZAN, and the section that says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("torchmetrics")

from mgtag_train.data.outside import LABELS, NOT_MUSIC, Piece
from mgtag_train.report import own_genres, own_genres_section
from mgtag_train.report.own_genres import Heard, measure, summary

from mgtag.card import Head

GENRES = ("jazz", "latin", "world")
HEAD = Head(LABELS, {name: name if name != NOT_MUSIC else None for name in LABELS}, threshold=0.6)


@pytest.fixture
def heard() -> Heard:
    """Genres that lie apart, sounds that are not music right on top of jazz."""
    pieces, rows, music = [], [], []
    for split in ("train", "valid", "test"):
        for n in range(120):
            genre = (*GENRES, "none")[n % 4]
            pieces.append(Piece(Path(f"{split}{n}.opus"), split, genre, "", f"{split} {n // 8}", ""))
            rows.append(6.0 * np.eye(4, 8)[n % 4 if genre in GENRES else 0])
            music.append(0.98 if genre in GENRES else 0.0)
    noise = default_rng(0).standard_normal((len(rows), 8))
    embedding = (np.array(rows) + noise).astype(np.float32)
    made_up = embedding[:5]
    shares = np.eye(17, dtype=np.float32)[[p.label if p.label >= 0 else 16 for p in pieces], :16]
    shares = 0.6 * shares + 0.4 / 16
    return Heard(pieces, embedding, shares, np.array(music, np.float32), made_up, np.zeros(5, np.float32))


def test_what_arrives_is_measured(heard: Heard) -> None:
    row = measure(heard, "train", 20, 0)
    assert row is not None
    assert (row["songs"], row["genres"]) == (60, 3)
    assert row["accuracy"] > 0.95 and row["coverage"] > 0.8 and row["precision"] > 0.95
    assert (row["not_music_tagged"], row["not_music"]) == (0, 30)
    assert (row["made_up_tagged"], row["made_up"]) == (0, 5)


def test_a_few_songs_bear_no_threshold(heard: Heard) -> None:
    row = measure(heard, "train", 3, 0)
    assert row is not None
    assert (row["threshold"], row["coverage"], row["precision"]) == (None, 0.0, None)


def test_an_artists_pieces_vote_together(heard: Heard) -> None:
    shares = heard.shares.copy()
    rows = [n for n, p in enumerate(heard.pieces) if p.split == "test" and p.genre == "jazz"]
    first = {p: n for n, p in reversed([(n, heard.pieces[n].artist) for n in rows])}
    for n in first.values():  # one piece of every artist sounds a little more like rock
        shares[n] = 0.02
        shares[n, LABELS.index("jazz")], shares[n, LABELS.index("rock")] = 0.3, 0.42
    jazz = [replace(p, genre=p.genre if n in rows else "") for n, p in enumerate(heard.pieces)]
    found = own_genres.per_artist(replace(heard, pieces=jazz, shares=shares), HEAD, "test")
    assert found["alone"]["right"] < 0.7
    assert found["together"]["right"] == 1.0
    assert found["together"]["tags"] == found["together"]["pieces"] > found["alone"]["tags"]


def test_draws_are_summed_up() -> None:
    told = summary([{"a": 1.0, "b": None}, None, {"a": 3.0, "b": 2.0}])
    assert (told["draws"], told["models"]) == (3, 2)
    assert told["a"] == {"n": 2, "mean": 2.0, "sd": pytest.approx(2**0.5)}
    assert told["b"] == {"n": 1, "mean": 2.0, "sd": None}


def test_the_section_says_what_was_measured(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_genres, "DRAWS", 2)
    libraries = {
        library: {str(n): summary([measure(heard, library, n, seed) for seed in range(2)]) for n in (5, 50)}
        for library in ("train", "valid")
    }
    by_artist = {"test": own_genres.per_artist(heard, HEAD, "test")}
    some = {"penalties": own_genres.penalties(heard), "per_artist": by_artist}
    record = {"penalty": 100.0, "models": {"ours": some | libraries}}
    text = "\n".join(own_genres_section.section(json.loads(json.dumps(record))))
    assert "| ours | 50 | 3.0 ± 0.0 |" in text
    assert "2 of 2 | 0.0 | 0.0 |" in text and "0 of 2 | 0.0 | 0.0 |" in text
    assert text.count("\n| ours |") == 6
    assert "| ours | test | together |" in text
    assert "| 1000 |" in text
