"""Log-mel windows, on signals whose answer is known and against librosa."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgtag import features
from mgtag.features import MelSpec, log_mel, mel_filters, standardise, window, windows

SPEC = MelSpec()
SPECS = [
    SPEC,
    MelSpec(n_fft=1024, hop=512, n_mels=64, n_frames=128),
    MelSpec(sample_rate=16_000, n_fft=512, hop=160, n_mels=40, n_frames=100, fmin=50.0, fmax=7600.0),
]

MUSICNN = MelSpec(
    sample_rate=16_000, n_fft=512, hop=256, n_mels=96, n_frames=187, fmax=8000.0,
    compression=10_000.0, level_db=-20.0,
)  # fmt: skip


def tone(hz: float, n: int, rate: int = 22_050, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n) / rate)).astype(np.float32)


def noise(n: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(n)).astype(np.float32)


SIGNALS = {
    "noise": noise(70_000),
    "tone": tone(440, 70_000),
    "click": np.eye(1, 70_000, 30_000, dtype=np.float32)[0],
    "quiet": 1e-5 * noise(70_000),
    "loud": 30 * noise(70_000),
    "chord": sum(tone(hz, 70_000) for hz in (110, 1234.5, 9000)),
}


@pytest.mark.parametrize("spec", SPECS, ids=["gtzan", "fine", "speech"])
@pytest.mark.parametrize("signal", SIGNALS)
def test_log_mel_equals_librosa(spec: MelSpec, signal: str) -> None:
    librosa = pytest.importorskip("librosa")
    y = SIGNALS[signal]
    power = librosa.feature.melspectrogram(
        y=y.astype(np.float64), sr=spec.sample_rate, n_fft=spec.n_fft, hop_length=spec.hop, center=False,
        n_mels=spec.n_mels, fmin=spec.fmin, fmax=spec.fmax,
    )  # fmt: skip
    ours = log_mel(y, spec)
    assert ours.dtype == np.float32
    theirs = librosa.power_to_db(power, top_db=None)
    # Farther than 75 dB below a frame's loudest cell, float32's rounding is heard.
    near = theirs > theirs.max(axis=0) - 75
    np.testing.assert_allclose(ours[near], theirs[near], atol=1e-4)
    np.testing.assert_allclose(ours[theirs > -60], theirs[theirs > -60], atol=2e-3)


@pytest.mark.parametrize("spec", SPECS, ids=["gtzan", "fine", "speech"])
def test_the_filters_equal_librosas(spec: MelSpec) -> None:
    librosa = pytest.importorskip("librosa")
    theirs = librosa.filters.mel(
        sr=spec.sample_rate, n_fft=spec.n_fft, n_mels=spec.n_mels, fmin=spec.fmin, fmax=spec.fmax
    )
    np.testing.assert_allclose(mel_filters(spec), theirs, atol=1e-7)


@pytest.mark.parametrize("hz", [100, 440, 1000, 4000, 10_000])
def test_a_tone_peaks_in_its_own_band(hz: float) -> None:
    edges = features._mel_to_hz(
        np.linspace(features._hz_to_mel(SPEC.fmin), features._hz_to_mel(SPEC.fmax), SPEC.n_mels + 2)
    )
    loudest = log_mel(tone(hz, 30_000), SPEC).mean(axis=1).argmax()
    width = SPEC.sample_rate / SPEC.n_fft  # of a bin of the transform: low bands are narrower
    assert edges[loudest] - width <= hz <= edges[loudest + 2] + width


def test_twice_the_amplitude_is_six_decibels_more() -> None:
    y = noise(30_000)
    difference = log_mel(2 * y, SPEC) - log_mel(y, SPEC)
    np.testing.assert_allclose(difference, 20 * np.log10(2), atol=1e-3)


def test_white_noise_is_level_over_the_bands() -> None:
    fine = replace(SPEC, hop=512)
    levels = 10 * np.log10((10 ** (log_mel(noise(400_000), fine) / 10)).mean(axis=1))
    assert np.ptp(levels[5:]) < 3


def test_a_batch_is_one_by_one() -> None:
    y = np.stack([noise(9000, seed) for seed in range(6)]).reshape(2, 3, -1)
    together = log_mel(y, SPEC)
    assert together.shape == (2, 3, 128, 1 + (9000 - 2048) // 1708)
    np.testing.assert_array_equal(together[1, 2], log_mel(y[1, 2], SPEC))


def test_windows_tile_the_track() -> None:
    y = noise(22_050 * 10)
    x = windows(y, SPEC)
    assert x.shape == (3, SPEC.n_mels, SPEC.n_frames)
    step = SPEC.n_frames * SPEC.hop
    for n in range(3):
        cut = y[n * step :][: SPEC.n_samples]
        np.testing.assert_allclose(x[n], standardise(log_mel(cut, SPEC)), atol=1e-5)


def test_the_default_window_is_three_seconds() -> None:
    assert SPEC.slice_s == pytest.approx(3.02, abs=0.01)


@given(st.integers(0, 400_000))
@settings(max_examples=60, deadline=None)
def test_as_many_windows_as_fit_with_a_hop_to_spare(n: int) -> None:
    tiny = MelSpec(n_mels=4, n_frames=13)
    count = len(windows(np.zeros(n, np.float32), tiny))
    step = tiny.n_frames * tiny.hop
    if count:
        assert (count - 1) * step + tiny.n_samples <= n + tiny.hop
    assert count * step + tiny.n_samples > n + tiny.hop


@pytest.mark.parametrize("n", [0, 1, 2047, 2048, SPEC.n_samples - SPEC.hop - 1])
def test_a_sound_shorter_than_a_slice_gives_no_window(n: int) -> None:
    assert windows(noise(n), SPEC).shape == (0, SPEC.n_mels, SPEC.n_frames)


def test_a_step_lets_windows_overlap() -> None:
    y = noise(22_050 * 10)
    x = windows(y, SPEC, step_s=1.0)
    assert len(x) == 1 + (len(y) + SPEC.hop - SPEC.n_samples) // 22_050
    np.testing.assert_allclose(x[3], windows(y[3 * 22_050 :], SPEC)[0], atol=1e-5)


@pytest.mark.parametrize("gain", [1e-2, 0.5, 3.0, 100.0])
def test_loudness_does_not_matter(gain: float) -> None:
    y = noise(SPEC.n_samples) + tone(440, SPEC.n_samples)
    np.testing.assert_allclose(windows((gain * y).astype(np.float32), SPEC), windows(y, SPEC), atol=2e-3)


def test_every_window_is_standardised_by_itself() -> None:
    quiet_then_loud = np.concatenate([0.01 * noise(70_000), noise(70_000)])
    x = windows(quiet_then_loud, SPEC)
    np.testing.assert_allclose(x.mean(axis=(1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(axis=(1, 2)), 1, atol=1e-3)


@pytest.mark.parametrize("y", [np.zeros(70_000), np.full(70_000, 1e-9)], ids=["silence", "a whiff of DC"])
def test_silence_gives_noughts(y: np.ndarray) -> None:
    assert not windows(y.astype(np.float32), SPEC).any()


@given(st.integers(0, 2**31), st.floats(1e-6, 10), st.booleans())
@settings(max_examples=25, deadline=None)
def test_no_sound_gives_anything_but_numbers(seed: int, gain: float, half: bool) -> None:
    tiny = MelSpec(n_mels=16, n_frames=13)
    y = gain * noise(tiny.n_samples, seed)
    y[len(y) // 2 :] *= not half
    x = windows(y.astype(np.float32), tiny)
    assert np.isfinite(x).all()
    assert np.abs(x).max() < 20


def test_what_is_eighty_decibels_down_is_one_with_silence() -> None:
    y = tone(440, SPEC.n_samples)
    with_dither = y + 1e-7 * noise(SPEC.n_samples)
    np.testing.assert_allclose(windows(with_dither, SPEC), windows(y, SPEC), atol=1e-3)


@pytest.mark.parametrize("signal", sorted(set(SIGNALS) - {"quiet"}))  # that one is silence, see below
def test_compressed_windows_equal_librosas_of_levelled_sound(signal: str) -> None:
    librosa = pytest.importorskip("librosa")
    y = SIGNALS[signal][: MUSICNN.n_samples]
    levelled = y.astype(np.float64) * 0.1 / np.sqrt(np.mean(y.astype(np.float64) ** 2))
    power = librosa.feature.melspectrogram(y=levelled, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
    theirs = np.log10(1 + 10_000 * power)[:, 1:-1]  # all but the frames that hang over the ends
    ours = window(y, MUSICNN)
    assert ours.dtype == np.float32 and ours.shape == (96, 187)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("gain", [1e-2, 0.5, 4.0, 100.0])
def test_each_compressed_window_has_its_own_level(gain: float) -> None:
    y = np.stack([noise(MUSICNN.n_samples), tone(440, MUSICNN.n_samples, 16_000)])
    louder = y * np.array([[gain], [1]], np.float32)
    np.testing.assert_allclose(window(louder, MUSICNN), window(y, MUSICNN), atol=1e-4)


def test_without_a_level_loudness_matters() -> None:
    y, as_it_is = noise(MUSICNN.n_samples), replace(MUSICNN, level_db=None)
    assert (window(2 * y, as_it_is) > window(y, as_it_is)).all()


def test_what_is_nearly_silent_stays_soft() -> None:
    soft = 1e-5 * noise(MUSICNN.n_samples)[None]
    np.testing.assert_allclose(
        window(soft, MUSICNN), window(1e3 * soft, replace(MUSICNN, level_db=None)), atol=1e-5
    )
    assert not window(0 * soft, MUSICNN).any()
