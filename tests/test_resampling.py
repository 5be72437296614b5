"""Resampling by a matrix is FFmpeg's own, however the sound is cut into parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mgtag import resampling
from mgtag.arrays import F32

RATES = [
    (44_100, 22_050),
    (48_000, 22_050),
    (32_000, 22_050),
    (11_025, 22_050),
    (8_000, 22_050),
    (192_000, 22_050),
    (44_100, 16_000),
    (37_800, 22_050),
]


def noise(n: int) -> F32:
    return np.random.default_rng(n).standard_normal(n).astype(np.float32)


def whole(parts: Iterator[F32]) -> F32:
    return np.concatenate([np.zeros(0, np.float32), *parts])


@pytest.mark.parametrize(("rate", "to"), RATES)
@pytest.mark.parametrize("n", [1, 30, 400, 1_001, 30_011])
def test_it_is_ffmpegs(rate: int, to: int, n: int) -> None:
    y = noise(n)
    ours, theirs = (whole(how(iter([y]), rate, to)) for how in (resampling.resampled, resampling.by_ffmpeg))
    assert len(ours) in (0 if n < 400 else -1, -(-n * to // rate))  # FFmpeg may leave out the last sample
    shared = min(len(ours), len(theirs))
    assert shared >= len(ours) - 1 or n < 400
    np.testing.assert_allclose(ours[:shared], theirs[:shared], atol=1e-5)


@pytest.mark.parametrize(("rate", "to"), RATES)
@pytest.mark.parametrize("length", [1, 7, 100, 5_000])
def test_parts_of_any_length_make_the_same_whole(rate: int, to: int, length: int) -> None:
    y = noise(2_003)
    parts = (y[at : at + length] for at in range(0, len(y), length))
    np.testing.assert_allclose(
        whole(resampling.resampled(parts, rate, to)),
        whole(resampling.resampled(iter([y]), rate, to)),
        atol=1e-6,
    )


def test_the_same_rate_leaves_every_sample_as_it_is() -> None:
    (y,) = resampling.resampled(iter([noise(9)]), 22_050, 22_050)
    np.testing.assert_array_equal(y, noise(9))


def test_rates_without_a_ratio_are_resampled_too() -> None:
    y = whole(resampling.resampled(iter([noise(44_057)]), 44_057, 22_050))
    assert len(y) == pytest.approx(22_050, abs=2)
