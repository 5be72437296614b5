"""From slices to one answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mgtag import vote as voting
from mgtag.card import Head
from mgtag.vote import Vote

LABELS = ("blues", "jazz", "metal", "pop")


def vote(labels: tuple[str, ...], rows: np.ndarray, temperature: float) -> Vote:
    """Vote by a head that writes every label as it is."""
    return voting.vote(Head(labels, {name: name for name in labels}, vote_temperature=temperature), rows)


def shares(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_slices_that_agree_are_believed() -> None:
    found = vote(LABELS, shares((0.1, 0.7, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)), 1.0)
    assert found.best() == ("jazz",)
    assert found.confidence == pytest.approx(0.7)


def test_one_slice_may_doubt_but_not_veto() -> None:
    sure = [(0.01, 0.97, 0.01, 0.01)] * 9
    assert vote(LABELS, shares(*sure, (1.0, 0.0, 0.0, 0.0)), 1.0).best() == ("jazz",)


def test_slices_without_sound_change_no_answer() -> None:
    heard = shares((0.2, 0.5, 0.2, 0.1))
    silent = np.full((3, 4), 0.25, np.float32)
    assert vote(LABELS, np.concatenate([heard, silent]), 1.0).best() == vote(LABELS, heard, 1.0).best()


def test_silence_alone_is_a_tie_at_chance() -> None:
    found = vote(LABELS, np.full((5, 4), 0.25, np.float32), 0.05)
    assert found.confidence == pytest.approx(0.25)
    assert found.best(4) == ("blues",)


def test_a_higher_temperature_takes_confidence_away() -> None:
    rows = shares((0.1, 0.7, 0.1, 0.1))
    cold, warm = vote(LABELS, rows, 0.5), vote(LABELS, rows, 2.0)
    assert cold.confidence > 0.7 > warm.confidence
    assert cold.best() == warm.best()


def test_a_tie_keeps_the_order_of_the_labels() -> None:
    """Complaint PICARD-3246: genres that change places at every reload."""
    found = vote(LABELS, shares((0.1, 0.4, 0.1, 0.4)), 1.0)
    assert found.best(2) == ("jazz", "pop")
    many = tuple(f"{n:02}" for n in range(60))
    tied = vote(many, np.array([[1, 2] * 30], np.float32) / 90, 1.0)
    assert tied.best(30) == many[1::2]


def test_further_genres_must_beat_chance() -> None:
    found = vote(LABELS, shares((0.05, 0.5, 0.3, 0.15)), 1.0)
    assert found.best(4) == ("jazz", "metal")


def test_certainty_is_no_division_by_nought() -> None:
    found = vote(LABELS, shares((0.0, 1.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)), 0.01)
    assert np.isfinite(found.probabilities).all()
    assert found.confidence == pytest.approx(1.0)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(0, 1, width=32)),
    st.floats(0.02, 20),
)
@settings(max_examples=100, deadline=None)
def test_an_answer_is_always_a_distribution(rows: np.ndarray, temperature: float) -> None:
    found = vote(LABELS, rows, temperature)
    assert found.probabilities.dtype == np.float32
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert 0.25 - 1e-6 <= found.confidence <= 1
    assert 1 <= len(found.best(4)) <= 4


@given(arrays(np.float32, (6, 4), elements=st.floats(0, 1, width=32)), st.permutations(range(6)))
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_slices_does_not_matter(rows: np.ndarray, order: list[int]) -> None:
    a, b = vote(LABELS, rows, 1.0), vote(LABELS, rows[order], 1.0)
    np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-5)


# What is never written

HEAD = Head((*LABELS, "not music"), {**{name: name for name in LABELS}, "not music": None}, threshold=0.5)


def test_the_confidence_is_of_the_best_label_that_may_be_written() -> None:
    found = voting.vote(HEAD, shares((0.1, 0.2, 0.05, 0.05, 0.6)))
    assert found.confidence == pytest.approx(0.2)
    assert found.not_music and found.best(4) == ()
    assert not found.passes(0.0)


def test_what_is_never_written_is_no_further_genre() -> None:
    found = voting.vote(HEAD, shares((0.1, 0.4, 0.22, 0.02, 0.26)))
    assert found.best(4) == ("jazz", "metal")
    assert found.confidence == pytest.approx(0.4)
    assert found.passes(0.3) and not found.passes(0.5)


def test_a_threshold_must_be_passed_not_reached() -> None:
    certain = vote(LABELS, shares((0.0, 1.0, 0.0, 0.0)), 0.01)
    assert certain.confidence == 1.0
    assert certain.passes(0.99)
    assert not certain.passes(1.0) and not certain.passes(None)


def test_a_wider_label_is_sure_where_none_is() -> None:
    labels = ("metal", "pop", "punk", "rock")
    head = Head(labels, {name: name for name in labels}, parents={"metal": "rock", "punk": "rock"})
    unsure = voting.vote(head, shares((0.2, 0.1, 0.4, 0.3)))
    assert unsure.best() == ("punk",)
    decided = unsure.decided(0.6)
    assert decided.best() == ("rock",) and decided.confidence == pytest.approx(0.9) and decided.passes(0.6)
    assert unsure.decided(0.95) is unsure and unsure.decided(None) is unsure
    sure = voting.vote(head, shares((0.05, 0.05, 0.8, 0.1)))
    assert sure.decided(0.6).best() == ("punk",)


def test_what_is_not_music_becomes_no_wider_label() -> None:
    labels = ("metal", "punk", "rock", "not music")
    names = {"metal": "metal", "punk": "punk", "rock": "rock", "not music": None}
    head = Head(labels, names, parents={"metal": "rock", "punk": "rock"})
    found = voting.vote(head, shares((0.2, 0.2, 0.2, 0.4)))
    assert found.not_music
    assert found.decided(0.5) is found and not found.decided(0.5).passes(0.5)
