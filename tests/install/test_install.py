"""`mgtag models install musicnn`, with a wheel made here; the real one where pip can fetch it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tiny_bundle
from checkpoints import random_checkpoint, written
from sounds import Song
from typer.testing import CliRunner

from mgtag import bundle
from mgtag.cli.app import app
from mgtag.errors import BundleError, UsageError
from mgtag.inference import Tagger
from mgtag.install import musicnn, placing
from mgtag.install import wheel as wheels
from mgtag.install.checkpoint import tensors

INFO = "musicnn-0.1.0.dist-info"


@pytest.fixture(scope="session")
def made_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "musicnn-0.1.0-py3-none-any.whl"
    index, data = written(random_checkpoint())
    files = {
        "musicnn/__init__.py": b"raise SystemExit('no part of mgtag runs this')",
        f"{musicnn.CHECKPOINT}.index": index,
        f"{musicnn.CHECKPOINT}.data-00000-of-00001": data,
        f"{INFO}/LICENSE.md": b"Permission to use, copy, modify",
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: musicnn\nVersion: 0.1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{INFO}/RECORD", "".join(f"{name},,\n" for name in files))
    return path


@pytest.fixture
def wheel(made_wheel: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let mgtag know the wheel, and pip find it, there and nowhere else."""
    sha256 = hashlib.sha256(made_wheel.read_bytes()).hexdigest()
    known = replace(musicnn.WHEEL, sha256=sha256, size=made_wheel.stat().st_size)
    monkeypatch.setattr(musicnn, "WHEEL", known)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made_wheel.parent))
    return made_wheel


def models() -> Path:
    return bundle.roots()[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def mgtag(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_pip_fetches_the_wheel_and_the_model_is_there(wheel: Path) -> None:
    said = mgtag("models", "install", "musicnn")
    assert "--model musicnn" in said
    assert "musicnn" in mgtag("models")
    assert "16000" in mgtag("models", "musicnn") == mgtag("models", "show", "musicnn")
    assert sorted(snapshot(models())) == [
        f"musicnn/{name}" for name in ("LICENSE", "card.json", "model.onnx")
    ]


def test_a_wheel_at_hand_needs_no_pip(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_pip", None)
    mgtag("models", "install", "musicnn", "--wheel", wheel)
    assert bundle.find("musicnn").card.mel.sample_rate == 16_000


def test_progress_is_told(wheel: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As pip 24.1 prints it, whichever pip runs here."""
    code = "print('Progress 0 of 9'); print('Progress 9 of 9'); print('Saved it')"
    told: list[int] = []
    assert wheels._run([sys.executable, "-c", code], told.append) == "Saved it\n"
    assert told == [0, 9]


def test_another_wheel_is_refused(wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / wheel.name
    other.write_bytes(wheel.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=r"is not the musicnn-0.1.0.* nothing was installed"):
        musicnn.install(other)
    assert not snapshot(models())


def test_what_a_killed_install_left_is_cleared_away() -> None:
    (models() / ".install-killed" / "tiny-1" / "half").mkdir(parents=True)
    placing.put(models() / "tiny-1", tiny_bundle.make)
    assert [path.name for path in models().iterdir() if path.is_dir()] == ["tiny-1"]


def test_a_model_survives_a_kill_between_the_two_renames() -> None:
    mine = tiny_bundle.make(models() / "mine")
    (models() / ".install-killed" / "mine").mkdir(parents=True)
    mine.folder.rename(models() / ".install-killed" / "before")
    placing.put(models() / "other", tiny_bundle.make)
    assert bundle.find("mine").id == mine.id
    assert sorted(path.name for path in models().iterdir() if path.is_dir()) == ["mine", "other"]


def test_a_wheel_that_is_not_there_is_said_so(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        musicnn.install(tmp_path / "nowhere.whl")


def test_without_a_network_the_way_out_is_named(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(BundleError, match=r"No matching distribution found .*--wheel FILE"):
        musicnn.install()
    assert not snapshot(models())


def test_without_pip_the_way_out_is_named(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    monkeypatch.setattr(wheels.shutil, "which", lambda name: None)
    with pytest.raises(BundleError, match=r"no pip here .*--wheel FILE"):
        musicnn.install()


def test_a_damaged_model_is_installed_again(wheel: Path) -> None:
    folder = musicnn.install(wheel).folder
    whole = snapshot(folder)
    (folder / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match="install the bundle again"):
        bundle.find("musicnn")
    musicnn.install(wheel)
    assert snapshot(folder) == whole


@pytest.mark.parametrize(("module", "at"), [(musicnn, "build"), (placing, "_replace")])
def test_an_interrupted_installation_changes_nothing(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, at: str
) -> None:
    musicnn.install(wheel)
    whole = snapshot(models())

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, at, interrupted)
    with pytest.raises(KeyboardInterrupt):
        musicnn.install(wheel)
    assert snapshot(models()) == whole


def test_what_was_there_stays_where_the_new_cannot_come(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    musicnn.install(wheel)
    whole, rename = snapshot(models()), Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.parent.name.startswith(placing.PREFIX) and self.name == musicnn.NAME:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(BundleError, match="No space left on device"):
        musicnn.install(wheel)
    assert snapshot(models()) == whole


def test_a_model_of_ones_own_is_left_alone(wheel: Path) -> None:
    mine = models() / "musicnn" / "card.json"
    mine.parent.mkdir(parents=True)
    mine.write_text('{"architecture": "queens-parallel"}')
    for change in (lambda: musicnn.install(wheel), musicnn.remove):
        with pytest.raises(BundleError, match="move it elsewhere"):
            change()
    assert snapshot(models()) == {"musicnn/card.json": mine.read_bytes()}


def test_a_model_can_be_removed(wheel: Path) -> None:
    musicnn.install(wheel)
    assert "Removed" in mgtag("models", "remove", "musicnn")
    assert not list(models().iterdir())
    with pytest.raises(BundleError, match="not installed"):
        musicnn.remove()


def test_a_leftover_of_a_killed_installation_is_no_model(wheel: Path) -> None:
    musicnn.install(wheel).folder.rename(models() / f"{placing.PREFIX}killed")
    (models() / "x").mkdir()
    (models() / f"{placing.PREFIX}killed").rename(models() / "x" / "musicnn")
    assert "musicnn" not in [folder.name for folder in bundle.folders()]


def test_installing_needs_neither_tensorflow_nor_torch_nor_onnx(wheel: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mgtag.install import musicnn\n"
        f"musicnn.build(Path({str(wheel)!r}), Path({str(tmp_path / 'made')!r}))\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "tensorflow", "onnxruntime"} & set(done.stdout.split())


def test_the_model_hears_explains_and_tags(wheel: Path, song: Song, tmp_path: Path) -> None:
    musicnn.install(wheel)
    path = song(tmp_path / "music" / "a.flac", 7.0)
    heard = Tagger(bundle.find("musicnn"), "cpu").predict(path)
    assert heard.attention is None and heard.embedding.shape == (2, 200)
    for head in heard.heads.values():
        np.testing.assert_allclose(head.probabilities.sum(axis=1), 1, atol=1e-5)
    said = mgtag(
        "scan", "--model", "musicnn", "--index", tmp_path / "i.db", "--threshold", "0", tmp_path / "music"
    )
    assert "1" in said
    assert "occlusion" in mgtag("explain", "--model", "musicnn", "--json", path)


def test_the_real_wheel_answers_as_its_paper_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from musicnn_reference import answer

    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "5")
    try:
        path = wheels.fetch(musicnn.WHEEL, tmp_path)
    except BundleError as error:
        pytest.skip(str(error))
    wheels.verify(musicnn.WHEEL, path)
    made = musicnn.build(path, tmp_path / "musicnn")
    with zipfile.ZipFile(path) as archive:
        names = (f"{musicnn.CHECKPOINT}{name}" for name in (".index", ".data-00000-of-00001"))
        checkpoint = tensors(*map(archive.read, names))
    windows = np.random.default_rng(0).uniform(0, 4, (3, 96, 187)).astype(np.float32)
    with torch.inference_mode():
        _, embedding = answer(checkpoint, windows)
    np.testing.assert_allclose(Tagger(made, "cpu").ask(windows).embedding, embedding, atol=1e-4)
    assert (made.folder / "LICENSE").read_text().startswith("Copyright (c) Music Technology Group")
