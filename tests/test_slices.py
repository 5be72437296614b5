"""A track as windows: any of its slices, or all of them in bounded memory; and when enough were heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_bundle
from sounds import Song

from mgtag import audio
from mgtag.features import windows
from mgtag.slices import cut, spread, tiles
from mgtag.vote import pool, settled

MEL, HEAD = tiny_bundle.MEL, tiny_bundle.HEAD


@pytest.mark.parametrize("at_once", [1, 3, 32])
@pytest.mark.parametrize("kind", ["flac", "mp3"])
def test_tiles_are_the_windows_of_the_whole_track(
    song: Song, tmp_path: Path, at_once: int, kind: str
) -> None:
    path = song(tmp_path / f"a.{kind}", 11.3)
    heard: list[np.ndarray] = []
    with audio.opened(path) as sound:
        found = list(tiles(sound, MEL, at_once, heard.append))
    y = audio.load(path)
    np.testing.assert_allclose(np.concatenate([s.windows for s in found]), windows(y, MEL), atol=1e-4)
    np.testing.assert_array_equal(np.concatenate(heard), y)
    starts_s = np.concatenate([s.starts_s for s in found])
    np.testing.assert_allclose(starts_s, np.arange(len(starts_s)) * MEL.slice_s, atol=1e-5)
    assert all(s.audible.all() for s in found)


def test_a_cut_is_the_window_that_a_whole_decode_has_there(song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 11.3)
    y = audio.load(path)
    with audio.opened(path) as sound:
        found = cut(sound, MEL, [7.5, 0.0, 3.3])
    for x, start in zip(found.windows, (7.5, 0.0, 3.3), strict=True):
        there = windows(y[round(start * MEL.sample_rate) :][: MEL.n_samples], MEL)[0]
        assert np.corrcoef(x.ravel(), there.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("n", [1, 2, 3, 9, 10, 30])
def test_any_beginning_of_the_order_is_spread_over_the_track(n: int) -> None:
    order = spread(n)
    assert sorted(order) == list(range(n))
    for k in range(1, n + 1):
        gaps = np.diff([-1, *sorted(order[:k]), n])
        assert gaps.max() <= 2.7 * n / k + 1, f"the first {k} of {n}"


def track(lead: float, varies: float, n: int = 30, seed: int = 0) -> np.ndarray:
    """Probabilities of three labels in n slices: the first leads by so many nats, give or take."""
    logits = np.random.default_rng(seed).normal(0, varies / np.sqrt(2), (n, 3))
    logits[:, 0] += lead
    shares = np.exp(logits)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def test_a_wide_lead_settles_early_and_a_narrow_one_late() -> None:
    assert settled(HEAD, track(4, 0.5)[:4], 30)
    assert not settled(HEAD, track(0.2, 0.5)[:4], 30)
    assert not settled(HEAD, np.full((4, 3), 1 / 3, np.float32), 30)


def test_a_track_that_varies_is_heard_longer() -> None:
    heard = [
        next(k for k in range(4, 31, 2) if settled(HEAD, track(2, varies, seed=seed)[:k], 30))
        for varies in (0.3, 4.0)
        for seed in range(20)
    ]
    assert np.mean(heard[:20]) < np.mean(heard[20:])


def test_near_the_threshold_more_is_heard() -> None:
    """Whether a genre is written shall not hang on a few slices."""
    p = track(2, 1.0)[:8]
    sure = pool(p, HEAD.vote_temperature).max()
    near, far = (replace(HEAD, threshold=float(sure) - less) for less in (0.005, 0.5))
    assert not settled(near, p, 30)
    assert settled(far, p, 30)
    assert settled(replace(HEAD, threshold=None), p, 30)


def test_what_was_heard_whole_is_settled() -> None:
    assert settled(HEAD, np.full((3, 3), 1 / 3, np.float32), 3)


def test_one_slice_alone_settles_nothing_that_is_close() -> None:
    assert not settled(HEAD, np.array([[0.5, 0.3, 0.2]], np.float32), 30)


def test_settled_answers_are_those_of_all_slices() -> None:
    """Of tracks with any lead and any variation, hardly one changes its answer."""
    rng, changed, early = np.random.default_rng(1), 0, 0
    for seed in range(400):
        p = track(rng.uniform(0, 3), rng.uniform(0.3, 2.5), seed=seed)
        heard = next(k for k in range(4, 31, 2) if settled(HEAD, p[:k], 30))
        early += heard < 30
        changed += np.log(p[:heard]).mean(axis=0).argmax() != np.log(p).mean(axis=0).argmax()
    assert early > 200
    assert changed <= 4
