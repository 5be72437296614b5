"""Weights, moments and times: what an explanation says must be where it was heard."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sounds
import tiny_bundle
from doubles import SHARED

from mgtag import audio
from mgtag.bundle import Bundle
from mgtag.card import Card
from mgtag.errors import AudioError, UsageError
from mgtag.explain.attribution import METHODS, frame_weights, occlusion, shares
from mgtag.explain.explain_file import explain_file
from mgtag.explain.explanation import Explanation, explain, vote_with_words
from mgtag.explain.sketch import COLUMNS, Sketch
from mgtag.explain.whole_file import predict_whole
from mgtag.features import MelSpec
from mgtag.inference import Tagger
from mgtag.prediction import Prediction

MEL = tiny_bundle.MEL
RATE = MEL.sample_rate
CARD = Card("tiny-1", {"genre": tiny_bundle.HEAD}, MEL, "none", {})


def prediction(*rows: tuple[float, float, float]) -> Prediction:
    """Slices of these probabilities, with even attention."""
    count = len(rows)
    return tiny_bundle.prediction(
        tiny_bundle.LABELS,
        (np.arange(count) * MEL.slice_s).astype(np.float32),
        np.array(rows, np.float32),
        np.full((count, MEL.n_frames), 1 / MEL.n_frames, np.float32),
        np.zeros((count, 1), np.float32),
    )


def made(given: Prediction, weights: np.ndarray | None = None) -> Explanation:
    return explain(given, given.attention if weights is None else weights, CARD, "attention")


def halves(path: Path, first: str, second: str, seconds: float = 10.0) -> Path:
    """A song whose second half is another sound than its first."""
    parts = [sounds.synthesise(kind, seconds, 1, RATE, 1) for kind in (first, second)]
    sounds.write(path, np.concatenate(parts, axis=1), "wav", "pcm_s16le", RATE)
    return path


@pytest.fixture(scope="module")
def tiny_tagger(tiny: Bundle) -> Tagger:
    return Tagger(tiny, "cpu")


def test_weights_have_mean_one() -> None:
    found = made(prediction((0.8, 0.1, 0.1), (0.5, 0.4, 0.1)))
    assert found.weights.mean() == pytest.approx(1)


def test_a_slice_weighs_as_far_as_it_heard_the_voted_genre_above_chance() -> None:
    found = made(prediction((0.9, 0.05, 0.05), (0.6, 0.3, 0.1), (0.3, 0.6, 0.1)))
    by_slice = found.weights.mean(axis=1)
    assert found.ranking(1)[0][0] == "Blues"
    assert by_slice[0] / by_slice[1] == pytest.approx((0.9 - 1 / 3) / (0.6 - 1 / 3), rel=1e-4)
    assert by_slice[2] == 0


def test_moments_are_the_strongest_first_and_do_not_overlap() -> None:
    spec = MelSpec()
    weights = np.full((6, spec.n_frames), 0.01, np.float32)
    weights[2, 20], weights[4, 3] = 0.9, 0.7
    given = prediction(*[(0.8, 0.1, 0.1)] * 6)
    given = replace(given, starts_s=(np.arange(6) * spec.slice_s).astype(np.float32), attention=weights)
    found = explain(given, weights, replace(CARD, mel=spec), "attention").moments
    frame_s = spec.hop / spec.sample_rate
    assert len(found) == 5
    assert found[0].start_s <= 2 * spec.slice_s + 20 * frame_s < found[0].end_s
    assert found[1].start_s <= 4 * spec.slice_s + 3 * frame_s < found[1].end_s
    assert [m.weight for m in found] == sorted((m.weight for m in found), reverse=True)
    spans = sorted((m.start_s, m.end_s) for m in found)
    assert all(a[1] <= b[0] + 1e-4 for a, b in pairwise(spans))


def test_a_song_in_which_no_slice_stands_out_has_even_weights() -> None:
    third = 1 / 3
    found = made(prediction((third, third, third), (third, third, third)))
    np.testing.assert_array_equal(found.weights, 1)
    assert list(found.heard) == [-1, -1]
    assert found.moments == ()


def test_a_stream_is_what_load_returns(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "song.mp3", 3.0)
    parts = list(audio.stream(path))
    assert len(parts) > 2
    np.testing.assert_array_equal(np.concatenate(parts), audio.load(path))


def test_a_long_file_needs_no_more_memory_than_a_short_one(tmp_path: Path, tiny_tagger: Tagger) -> None:
    peaks = []
    for minutes in (1, 5):
        path = tmp_path / f"{minutes}.wav"
        sounds.write(path, sounds.synthesise("hum", 60.0 * minutes, 0, RATE, 1), "wav", "pcm_s16le", RATE)
        tracemalloc.start()
        predict_whole(path, tiny_tagger)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_hearing_tells_how_far_it_is(tmp_path: Path, tiny_tagger: Tagger) -> None:
    told: list[float] = []
    predict_whole(
        sounds.make(tmp_path / "song.wav", 70.0, channels=1, sample_rate=RATE), tiny_tagger, told.append
    )
    assert len(told) > 1 and told == sorted(told) and told[-1] == pytest.approx(69.5, abs=0.6)


def test_silence_and_shortness_get_a_clear_sentence(tmp_path: Path, tiny_tagger: Tagger) -> None:
    with pytest.raises(AudioError, match=r"too short: 0\.5 s"):
        predict_whole(sounds.make(tmp_path / "short.wav", 0.5), tiny_tagger)
    with pytest.raises(AudioError, match="nothing to hear: the whole file is silent"):
        predict_whole(sounds.make(tmp_path / "still.wav", 4.0, sound="silence"), tiny_tagger)


def test_a_burst_is_found_within_a_frame_of_where_it_is(tmp_path: Path, tiny_tagger: Tagger) -> None:
    """The slice times and the audio agree; the tiny network's attention lies where it is loud."""
    at_s, frame_s = 7.4, MEL.hop / RATE
    y = sounds.synthesise("hum", 12.0, 0, RATE, 1)
    y[:, round(at_s * RATE) :][:, : MEL.hop] = sounds.synthesise("noise", frame_s, 0, RATE, 1)[:, : MEL.hop]
    path = tmp_path / "burst.wav"
    sounds.write(path, y, "wav", "pcm_s16le", RATE)
    heard, sound = predict_whole(path, tiny_tagger)
    row, frame = np.unravel_index(int(heard.attention.argmax()), heard.attention.shape)
    assert heard.starts_s[row] + frame * frame_s == pytest.approx(at_s, abs=frame_s)
    loudness = sound.mel.astype(int).sum(axis=0)
    assert int(loudness.argmax()) * sound.column_s == pytest.approx(at_s, abs=frame_s)


def test_a_song_of_two_halves_changes_within_a_slice_of_where_it_is(
    tmp_path: Path, tiny_tagger: Tagger
) -> None:
    path = halves(tmp_path / "song.wav", "hum", "sine")
    found, _ = explain_file(path, tiny_tagger)
    genres = [found.genres[i] for i in found.heard]
    change = next(n for n, genre in enumerate(genres) if genre == "Jazz")
    assert found.prediction.starts_s[change] == pytest.approx(10.0, abs=MEL.slice_s)
    assert set(genres[:change]) == {"Blues"} and set(genres[change + 1 :]) == {"Jazz"}


def test_a_song_of_two_clips_changes_where_they_were_joined(tmp_path: Path, shipped: Bundle) -> None:
    clips = [
        SHARED / "data" / "gtzan" / "audio" / name / f"{name}.00010.opus" for name in ("classical", "metal")
    ]
    if not all(clip.exists() for clip in clips):
        pytest.skip("GTZAN is not beside the checkout")
    y = np.concatenate([audio.load(clip)[: 24 * RATE] for clip in clips])
    path = tmp_path / "two.wav"
    sounds.write(path, y[None], "wav", "pcm_s16le", RATE)
    heard, _ = predict_whole(path, Tagger(shipped, "cpu"))
    genre = heard.heads["genre"]
    of = [genre.probabilities[:, genre.labels.index(name)] for name in ("classical", "metal")]
    change = int(
        np.argmax([(of[0][:n] - of[1][:n]).sum() + (of[1][n:] - of[0][n:]).sum() for n in range(len(of[0]))])
    )
    assert heard.starts_s[change] == pytest.approx(24.0, abs=shipped.card.mel.slice_s)


def test_occlusion_says_how_far_the_probability_falls(tiny_tagger: Tagger) -> None:
    x = np.random.default_rng(0).standard_normal((2, MEL.n_mels, MEL.n_frames)).astype(np.float32)
    before = tiny_tagger.ask(x).heads["genre"].probabilities[:, 1]
    falls = occlusion(tiny_tagger, ("genre", 1), x, before)
    by_hand = x.copy()
    by_hand[:, :, 5] = x.min(axis=(1, 2))[:, None]
    after = tiny_tagger.ask(by_hand).heads["genre"].probabilities[:, 1]
    np.testing.assert_allclose(falls[:, 5], before - after, atol=1e-6)


def test_short_frames_fall_silent_together_and_share_the_fall(tmp_path: Path) -> None:
    fine = replace(MEL, hop=MEL.hop // 5)
    tagger = Tagger(tiny_bundle.make(tmp_path / "fine", mel=fine), "cpu")
    x = np.random.default_rng(0).standard_normal((2, MEL.n_mels, MEL.n_frames)).astype(np.float32)
    before = tagger.ask(x).heads["genre"].probabilities[:, 1]
    falls = occlusion(tagger, ("genre", 1), x, before)
    for frames in (slice(5, 10), slice(10, 13)):  # the last are fewer
        by_hand = x.copy()
        by_hand[:, :, frames] = x.min(axis=(1, 2))[:, None, None]
        after = tagger.ask(by_hand).heads["genre"].probabilities[:, 1]
        np.testing.assert_allclose(falls[:, frames].sum(axis=1), before - after, atol=1e-6)
        assert not np.ptp(falls[:, frames], axis=1).any()


def test_shares_leave_out_what_counts_against() -> None:
    np.testing.assert_allclose(shares(np.array([[1.0, -2.0, 3.0]])), [[0.25, 0, 0.75]])
    np.testing.assert_array_equal(shares(np.array([[-1.0, 0.0]])), 0)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_rows_that_sum_to_one_or_nothing(
    method: str, with_weights: Bundle, song: Callable[..., Path], tmp_path: Path
) -> None:
    if method == "gradient":
        pytest.importorskip("captum")
    path, tagger = song(tmp_path / "song.wav", 7.0), Tagger(with_weights, "cpu")
    heard, _ = predict_whole(path, tagger)
    voted = vote_with_words(with_weights.card, "genre", heard.heads["genre"].probabilities)
    target = "genre", int(voted.probabilities.argmax())
    weights = frame_weights(path, tagger, heard, target, method)  # type: ignore[arg-type]
    assert weights.shape == heard.attention.shape and (weights >= 0).all()
    assert all(total == pytest.approx(1, abs=1e-3) or total == 0 for total in weights.sum(axis=1))


@pytest.mark.parametrize("format_1", [True, False])
def test_attention_is_refused_where_a_network_has_none(tmp_path: Path, format_1: bool) -> None:
    tagger = Tagger(tiny_bundle.make(tmp_path / "tiny"), "cpu")
    n_frames = tiny_bundle.MEL.n_frames
    even = np.full((2, n_frames), 1 / n_frames, np.float32) if format_1 else None
    heard = tiny_bundle.prediction(
        tiny_bundle.LABELS,
        np.arange(2, dtype=np.float32),
        np.full((2, 3), 1 / 3, np.float32),
        even,
        np.zeros((2, 32), np.float32),
    )
    with pytest.raises(UsageError, match=r"tiny-1.*no attention.*--method occlusion"):
        frame_weights(tmp_path / "song.wav", tagger, heard, ("genre", 0), "attention")


def test_a_picture_has_as_many_columns_for_three_hours_as_a_screen_can_show() -> None:
    sketch = Sketch(MEL, 10_800.0)
    for _ in range(20):
        sketch.add(np.full(RATE, 0.5, np.float32))
    sound = sketch.finish()
    assert 10_800 / sound.column_s <= COLUMNS
    assert sound.duration_s == 20 and sound.mel.shape[1] == len(sound.low) == -(-20 // sound.column_s)
