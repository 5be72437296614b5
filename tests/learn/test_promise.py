"""What a head of own genres promises, and which genres are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.random import default_rng

from mgtag.learn.promise import PROMISE, Examples, Learned, learn


def made(sizes: dict[str, int], apart: float = 6.0, seed: int = 0, each: int = 2) -> Examples:
    """Songs of genres that lie `apart` standard deviations from another, `each` of every artist."""
    rng = default_rng(seed)
    label = np.repeat(np.arange(len(sizes)), list(sizes.values()))
    x = apart * np.eye(len(sizes), 8)[label] + rng.standard_normal((len(label), 8))
    groups = [f"{a}-{n // each}" for a, n in zip(label, range(len(label)), strict=True)]
    return Examples(tuple(sizes), label, groups, x.astype(np.float32), np.ones(len(label), np.float32))


def learned(examples: Examples, penalty: float = 1.0) -> Learned:
    found = learn(examples, penalty)
    assert isinstance(found, Learned)
    return found


def test_what_is_told_apart_is_promised() -> None:
    found = learned(made({"Drone": 20, "Ska": 20, "Fado": 20}))
    assert found.genres == ("Drone", "Ska", "Fado")
    assert found.threshold is not None and found.precision is not None
    assert found.accuracy > 0.95 and found.precision >= PROMISE and found.coverage > 0.9
    assert [(row.songs, row.groups, row.refused) for row in found.rows] == [(20, 10, "")] * 3


def test_the_promise_holds_for_songs_that_come_later() -> None:
    right, tagged = 0, 0
    for seed in range(20):
        found = learned(made({"Drone": 60, "Ska": 60, "Fado": 60}, apart=1.5, seed=seed))
        later = made({"Drone": 200, "Ska": 200, "Fado": 200}, apart=1.5, seed=seed + 1000)
        logits = found.head.logits(later.embedding) / found.temperature
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        sure = shares.max(axis=1) > (found.threshold or 1)
        right += int((shares.argmax(axis=1) == later.label)[sure].sum())
        tagged += int(sure.sum())
    assert tagged > 1000
    assert right / tagged >= PROMISE


def test_too_few_songs_bear_no_promise() -> None:
    found = learned(made({"Drone": 4, "Ska": 4}))
    assert found.accuracy > 0.9
    assert found.threshold is None and found.coverage == 0


def test_one_song_and_one_artist_are_refused_by_name() -> None:
    examples = made({"Drone": 20, "Ska": 20, "Once": 1, "Solo": 6})
    groups = [
        "solo" if label == 3 else group for group, label in zip(examples.group, examples.label, strict=True)
    ]
    found = learned(replace(examples, group=groups))
    assert found.genres == ("Drone", "Ska")
    refused = {row.genre: row.refused for row in found.rows if row.refused}
    assert "one song" in refused["Once"] and "one artist" in refused["Solo"]


def test_a_genre_that_chance_does_as_well_is_refused_and_its_songs_count_as_wrong() -> None:
    examples = made({"Drone": 30, "Ska": 30, "Odd": 30})
    x = examples.embedding.copy()
    x[60:] = x[default_rng(1).integers(0, 60, 30)] + default_rng(2).standard_normal((30, 8))  # Drone or Ska
    found = learned(replace(examples, embedding=x.astype(np.float32)))
    assert found.genres == ("Drone", "Ska")
    assert "not told apart" in found.rows[-1].refused
    assert found.accuracy < 0.7  # 60 of 90 at most


@pytest.mark.parametrize("sizes", [{"Drone": 20, "Once": 1}, {"Once": 1, "Twice": 1}])
def test_fewer_than_two_genres_are_no_model(sizes: dict[str, int]) -> None:
    rows = learn(made(sizes), 1.0)
    assert isinstance(rows, tuple)
    assert [row.genre for row in rows if row.refused] == [name for name, n in sizes.items() if n == 1]


def test_what_the_base_calls_not_music_is_not_tagged() -> None:
    examples = made({"Drone": 30, "Ska": 30})
    found = learned(replace(examples, music=(examples.label == 1).astype(np.float32)))
    assert found.coverage <= 0.5
    assert found.rows[0].coverage == 0 and found.rows[1].coverage > 0.9


def test_confidence_is_accuracy() -> None:
    found = learned(made({"Drone": 200, "Ska": 200}, apart=1.0), penalty=0.01)
    assert found.calibration_error < 0.08
