"""What was heard, in a few hundred bytes: what is lost, and what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgtag.library.packing import BINS, pack, unpack
from mgtag.prediction import HeadOutput, Prediction
from mgtag.vote import pool

LABELS = {"genre": tuple("abcdefghij"), "mood": tuple("klmn")}


def prediction(slices: int = 30, frames: int = 39, seed: int = 0, sharp: float = 0.2) -> Prediction:
    rng = np.random.default_rng(seed)
    heads = {
        name: HeadOutput(labels, rng.dirichlet(np.full(len(labels), sharp), slices).astype(np.float32))
        for name, labels in LABELS.items()
    }
    return Prediction(
        np.arange(slices, dtype=np.float32) * 7.53,
        heads,
        rng.dirichlet(np.ones(frames), slices).astype(np.float32),
        rng.standard_normal((slices, 80)).astype(np.float32),
    )


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 1000), st.floats(0.05, 5))
def test_the_answer_stays(slices: int, frames: int, seed: int, sharp: float) -> None:
    there = prediction(slices, frames, seed, sharp)
    back = unpack(LABELS, *pack(there))
    for name, labels in LABELS.items():
        assert back.heads[name].labels == labels
        one, other = (pool(p.heads[name].probabilities, 1.0) for p in (there, back))
        np.testing.assert_allclose(other, one, atol=0.03)
        np.testing.assert_allclose(back.heads[name].probabilities.sum(axis=1), 1, atol=1e-5)
    assert back.attention is not None
    np.testing.assert_allclose(back.attention.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(back.starts_s, there.starts_s, atol=1e-3)
    np.testing.assert_allclose(back.embedding[0], there.embedding.mean(axis=0), rtol=1e-3, atol=1e-3)


def test_a_network_may_have_no_attention() -> None:
    assert unpack(LABELS, *pack(replace(prediction(), attention=None))).attention is None


def test_a_silent_slice_still_says_nothing() -> None:
    there = prediction(2)
    there.heads["genre"].probabilities[1] = 1 / 10
    assert np.ptp(unpack(LABELS, *pack(there)).heads["genre"].probabilities[1]) == 0


def test_attention_is_shared_out_without_loss() -> None:
    """39 frames into 8 bins of 4.875: a frame on an edge counts for both sides, as far as it lies there."""
    there = prediction(3)
    even = replace(there, attention=np.full((3, 39), 1 / 39, np.float32))
    late = replace(there, attention=np.eye(39, dtype=np.float32)[[38, 38, 38]])
    attention, at_end = (unpack(LABELS, *pack(p)).attention for p in (even, late))
    assert attention is not None
    assert at_end is not None
    np.testing.assert_allclose(attention, 1 / BINS, atol=1e-6)
    assert (at_end.argmax(axis=1) == BINS - 1).all()


def test_a_song_takes_a_few_hundred_bytes() -> None:
    assert sum(map(len, pack(prediction()))) < 800


@given(st.binary(max_size=300))
def test_damaged_bytes_are_told(raw: bytes) -> None:
    slices, embedding = pack(prediction())
    for damaged in (raw, raw + slices, slices[: len(raw)]):
        if damaged != slices:
            with pytest.raises(ValueError):
                unpack(LABELS, damaged, embedding)
