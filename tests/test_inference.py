"""What the network is asked, and what its answer means."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sounds
import tiny_bundle
from sounds import Song

from mgtag import audio, bundle, inference
from mgtag.arrays import F32
from mgtag.bundle import Bundle
from mgtag.errors import AudioError, UsageError
from mgtag.features import MelSpec, slice_starts, windows
from mgtag.inference import FIRST, MAX_SLICES, Amount, Tagger, listen
from mgtag.prediction import Prediction
from mgtag.slices import cut
from mgtag.vote import vote

MEL = tiny_bundle.MEL
SLICE_S = MEL.n_samples / MEL.sample_rate


def shares(heard: Prediction) -> F32:
    """Probabilities of the genres, a row a slice."""
    return heard.heads["genre"].probabilities


@pytest.fixture(scope="session")
def real(tiny: Bundle) -> Tagger:
    return Tagger(tiny, "cpu")


@pytest.mark.parametrize(("sound", "label"), [("hum", "blues"), ("sine", "jazz")])
@pytest.mark.parametrize("kind", ["flac", "mp3", "opus"])
def test_it_hears_what_there_is(
    real: Tagger, song: Song, tmp_path: Path, sound: str, label: str, kind: str
) -> None:
    heard = real.predict(song(tmp_path / f"a.{kind}", 3.0, sound=sound))
    assert vote(tiny_bundle.HEAD, shares(heard)).best() == (label.capitalize(),)


def test_an_answer_has_a_row_a_slice(real: Tagger, song: Song, tmp_path: Path) -> None:
    heard = real.predict(song(tmp_path / "a.flac", 5.0))
    n = len(heard.starts_s)
    assert n >= 4
    assert heard.heads["genre"].labels == tiny_bundle.LABELS
    assert shares(heard).shape == (n, 3)
    assert heard.attention.shape == (n, MEL.n_frames)
    assert heard.embedding.shape == (n, MEL.n_mels)
    np.testing.assert_allclose(shares(heard).sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(heard.attention.sum(axis=1), 1, atol=1e-5)
    assert heard.starts_s[0] == 0
    assert (np.diff(heard.starts_s) > 0).all()
    assert heard.starts_s[-1] + SLICE_S <= 5.0 + MEL.hop / MEL.sample_rate


@pytest.mark.parametrize("kind", ["flac", "mp3", "wav"])
def test_silence_says_nothing(real: Tagger, song: Song, tmp_path: Path, kind: str) -> None:
    heard = real.predict(song(tmp_path / f"a.{kind}", 3.0, sound="silence"))
    np.testing.assert_allclose(shares(heard), 1 / 3)


def test_a_monkeys_audio_file_is_heard(real: Tagger, song: Song, tmp_path: Path) -> None:
    np.testing.assert_allclose(shares(real.predict(song(tmp_path / "a.ape", 3.0))), 1 / 3)


def test_silence_before_the_music_does_not_speak(real: Tagger, tmp_path: Path) -> None:
    y = np.concatenate([np.zeros(3 * 44_100), sounds.synthesise("sine", 3.0, channels=1)[0]])
    sounds.write(tmp_path / "a.flac", y[None].astype(np.float32), "flac", "flac")
    heard = real.predict(tmp_path / "a.flac")
    silent = heard.starts_s + SLICE_S < 2.9
    assert silent.any()
    np.testing.assert_allclose(shares(heard)[silent], 1 / 3)
    assert vote(tiny_bundle.HEAD, shares(heard)).best() == ("Jazz",)


def test_the_cards_temperature_takes_confidence_away(real: Tagger, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 3.0, sound="sine")
    warm = Tagger(tiny_bundle.make(tmp_path / "warm", temperature=4.0), "cpu").predict(path)
    there = np.log(shares(real.predict(path)))
    np.testing.assert_allclose(np.diff(np.log(shares(warm))), np.diff(there) / 4, atol=1e-3)


@pytest.mark.parametrize("seconds", [0.05, 0.5, SLICE_S - MEL.hop / MEL.sample_rate - 0.02])
def test_too_short_is_told(real: Tagger, song: Song, tmp_path: Path, seconds: float) -> None:
    with pytest.raises(AudioError, match=r"a\.flac: too short"):
        real.predict(song(tmp_path / "a.flac", seconds))


@pytest.mark.parametrize("spare", [0, 1])
def test_a_single_slice_is_enough(real: Tagger, tmp_path: Path, spare: int) -> None:
    n = MEL.n_samples - MEL.hop + spare
    y = sounds.synthesise("sine", 2.0, sample_rate=22_050, channels=1)[:, :n]
    sounds.write(tmp_path / "a.flac", y, "flac", "flac", 22_050)
    assert len(real.predict(tmp_path / "a.flac").starts_s) == 1


def test_a_pass_of_any_size_answers_alike(
    real: Tagger, tiny: Bundle, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(tmp_path / "a.flac", 12.0)
    together = real.predict(path)
    for size in (1, 7):
        monkeypatch.setattr(inference, "BATCH", size)
        apart = Tagger(tiny, "cpu").predict(path)
        np.testing.assert_allclose(shares(apart), shares(together), atol=1e-5)
        np.testing.assert_array_equal(apart.starts_s, together.starts_s)


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a"])
def test_a_long_track_is_heard_at_so_many_places(real: Tagger, song: Song, tmp_path: Path, kind: str) -> None:
    path = song(tmp_path / f"a.{kind}", 32.0, channels=1)
    starts_s = real.predict(path, MAX_SLICES).starts_s
    assert len(starts_s) == MAX_SLICES
    assert starts_s[0] == 0
    assert starts_s[-1] + SLICE_S == pytest.approx(32, abs=0.3)
    np.testing.assert_allclose(np.diff(starts_s), starts_s[1], atol=0.02)


def test_a_long_track_is_not_decoded_as_a_whole(
    real: Tagger, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio.Sound, "stream", lambda *_: pytest.fail("decoded from end to end"))
    real.predict(song(tmp_path / "a.flac", 32.0, channels=1))


def test_all_hears_every_slice(real: Tagger, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 32.0, channels=1)
    heard = real.predict(path, "all")
    assert len(heard.starts_s) == len(windows(audio.load(path), MEL)) == 31
    np.testing.assert_allclose(np.diff(heard.starts_s), MEL.slice_s, atol=1e-3)


def test_a_clear_answer_needs_few_slices_and_an_unclear_one_all(
    real: Tagger, song: Song, tmp_path: Path
) -> None:
    clear = real.predict(song(tmp_path / "a.flac", 32.0, sound="sine", channels=1))
    assert len(clear.starts_s) == FIRST
    assert (np.diff(clear.starts_s) > 2 * MEL.slice_s).all()  # and these lie apart
    silent = real.predict(song(tmp_path / "b.flac", 32.0, sound="silence", channels=1))
    assert len(silent.starts_s) == MAX_SLICES


def test_an_open_file_is_heard_alike(real: Tagger, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 12.0)
    with audio.opened(path) as sound:
        np.testing.assert_array_equal(shares(real.predict(sound)), shares(real.predict(path)))


@pytest.mark.parametrize("slices", ["auto", 5, "all"])
def test_a_truncated_file_is_told_wherever_it_is_heard(
    real: Tagger, song: Song, tmp_path: Path, slices: Amount
) -> None:
    path = song(tmp_path / "a.flac", 32.0, sound="sine", channels=1)
    os.truncate(path, path.stat().st_size * 9 // 10)
    with pytest.raises(AudioError, match="truncated or damaged"):
        listen(real, path, slices)


def test_a_file_is_opened_once(
    real: Tagger, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An mp3 without a Xing header was opened four times."""
    path = song(tmp_path / "a.mp3", 32.0, channels=1)
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\xff\xfb", data.index(b"\xff\xfb") + 100) :])
    calls: list[object] = []
    real_open = audio.open_sound
    monkeypatch.setattr(audio, "open_sound", lambda p: calls.append(p) or real_open(p))
    assert listen(real, path).duration_s == pytest.approx(32, abs=0.1)
    assert len(calls) == 1


@pytest.mark.parametrize("seconds", [3.0, 32.0])
def test_a_bundle_for_another_sample_rate_hears_the_same(song: Song, tmp_path: Path, seconds: float) -> None:
    """Complaint essentia#1395: 44.1 kHz fed to a 16 kHz model, and every genre wrong, without a word."""
    spec = MelSpec(sample_rate=16_000, n_fft=1024, hop=1024, n_mels=32, n_frames=16, fmax=8000.0)
    path = song(tmp_path / "a.flac", seconds, sound="sine", channels=1)
    with audio.opened(path) as sound:
        x = cut(sound, spec, slice_starts(sound.duration_s, spec, MAX_SLICES)).windows
    y = audio.load(path, 16_000)
    there = windows(y[: spec.n_samples], spec)[0]
    assert x[0].mean(axis=1).argmax() == there.mean(axis=1).argmax()
    assert x[-1].mean(axis=1).argmax() == there.mean(axis=1).argmax()


@pytest.mark.parametrize(
    "n", [13 * 1708 * k + extra for k in (1, 2, 7) for extra in (0, 1, 339, 340, 341, 1707)]
)
def test_as_many_starts_as_windows(n: int, tmp_path: Path) -> None:
    """No rounding of seconds may lose the last slice, or invent one."""
    starts = slice_starts(n / MEL.sample_rate, MEL)
    assert len(starts) == len(windows(np.zeros(n, np.float32), MEL))


# Workers and devices


def test_a_tagger_travels_light_and_answers_alike(real: Tagger, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 3.0)
    first = real.predict(path)
    raw = pickle.dumps(real)
    assert len(raw) < 500
    there = pickle.loads(raw)
    assert there.bundle == real.bundle
    np.testing.assert_array_equal(shares(there.predict(path)), shares(first))


def test_a_worker_loads_a_bundle_once(real: Tagger) -> None:
    raw = pickle.dumps(real)
    assert pickle.loads(raw) is pickle.loads(raw)


def test_cuda_that_is_not_there_is_a_usage_error(tiny: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference.shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match="--device cpu"):
        Tagger(tiny, "cuda")
    assert Tagger(tiny, "auto").device == "cpu"


def test_an_answer_on_the_cpu_needs_no_torch(tiny: Bundle, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.flac", 2.0)
    code = (
        "import sys; from pathlib import Path; from mgtag import bundle; from mgtag.inference import Tagger\n"
        f"Tagger(bundle.load(Path({str(tiny.folder)!r})), 'cpu').predict(Path({str(path)!r}))\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "onnxruntime" in done.stdout.split()
    assert "torch" not in done.stdout.split()
    assert "librosa" not in done.stdout.split()


def test_cuda_answers_as_the_cpu(with_weights: Bundle, song: Song, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    path = song(tmp_path / "a.flac", 12.0)
    cpu, cuda = (Tagger(with_weights, device).predict(path) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(shares(cuda), shares(cpu), atol=1e-3)
    np.testing.assert_allclose(cuda.attention, cpu.attention, atol=1e-3)


def test_the_shipped_bundle_answers(shipped: Bundle, song: Song, tmp_path: Path) -> None:
    heard = Tagger(shipped, "cpu").predict(song(tmp_path / "a.flac", 7.0))
    assert shares(heard).shape[1] == 16
    np.testing.assert_allclose(heard.attention.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_the_torch_weights_answer_as_the_graph(
    suffix: str, with_weights: Bundle, song: Song, tmp_path: Path
) -> None:
    """New bundles hold safetensors; the state dicts of older ones are read too, and no other pickle."""
    torch = pytest.importorskip("torch")
    load_file = pytest.importorskip("safetensors.torch").load_file
    folder = tmp_path / "copy"
    shutil.copytree(with_weights.folder, folder)
    if suffix == "pt":
        torch.save(load_file(folder / "weights.safetensors"), folder / "weights.pt")
        (folder / "weights.safetensors").unlink()
    copy = bundle.write(folder, with_weights.card)
    assert copy.weights == folder / f"weights.{suffix}"
    path = song(tmp_path / "a.flac", 4.0)
    there = shares(Tagger(with_weights, "cpu").predict(path))
    here = Tagger(copy, "cpu")
    here._network = inference._torch(copy, "cpu")
    np.testing.assert_allclose(shares(here.predict(path)), there, atol=1e-4)


def test_a_bundle_without_weights_is_for_the_cpu(two_heads: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert two_heads.weights is None
    with pytest.raises(UsageError, match="no weights for torch; use --device cpu"):
        inference.torch_model(two_heads)
    monkeypatch.setattr(inference.shutil, "which", lambda _: "/bin/nvidia-smi")
    monkeypatch.setattr(inference, "_torch_sees_gpu", lambda: True)
    assert Tagger(two_heads, "auto").device == "cpu"
