"""What the tests of every room share."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sounds
import tiny_bundle
from doubles import SHARED, FakeTagger, Inline
from running import Done, Run
from scanning import Scene

from mgtag import bundle, cli, workers
from mgtag.bundle import Bundle
from mgtag.library.index import Index

SUFFIX = {"alac": "m4a"}


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own index and models."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Make a bundle that tells low sounds from middle and high ones."""
    return tiny_bundle.make(tmp_path_factory.mktemp("models") / "tiny-1")


@pytest.fixture(scope="session")
def two_heads(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Make a bundle that hears genres, not music, and moods."""
    return tiny_bundle.make_two_heads(tmp_path_factory.mktemp("models") / "two-heads-1")


@pytest.fixture(scope="session")
def with_weights() -> Bundle:
    """Load the bundle that comes with weights for torch too."""
    return bundle.load(bundle.SHIPPED / "gtzan-parallel-1")


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    """Load the bundle that comes with mgtag."""
    if not (bundle.SHIPPED / bundle.DEFAULT / bundle.CARD).exists():
        pytest.skip(f"the shipped bundle {bundle.DEFAULT} is not in this checkout")
    return bundle.load(bundle.SHIPPED / bundle.DEFAULT)


@pytest.fixture
def index() -> Iterator[Index]:
    """Open an index in memory."""
    with Index() as store:
        yield store


@pytest.fixture(scope="session")
def _sounds(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder, made = tmp_path_factory.mktemp("sounds"), {}

    def get(kind: str, seconds: float, options: tuple[tuple[str, Any], ...]) -> Path:
        key = (kind, seconds, options)
        if key not in made:
            path = folder / f"{len(made)}.{SUFFIX.get(kind, kind)}"
            made[key] = sounds.make(path, seconds, kind, **dict(options))
        return made[key]

    return get


@pytest.fixture(scope="session")
def song(_sounds: Callable[..., Path]) -> Callable[..., Path]:
    """``song(path, seconds, kind, **options)``: a copy of a sound file that is made once a session."""

    def put(path: Path, seconds: float = 0.5, kind: str | None = None, **options: Any) -> Path:
        found = _sounds(kind or path.suffix[1:], seconds, tuple(sorted(options.items())))
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, path)
        return path

    return put


@pytest.fixture(scope="session")
def scene(tiny: Bundle, song: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A music folder for real scans to be killed in; whoever uses it puts every byte back."""
    return Scene(tmp_path_factory.mktemp("scene"), tiny.folder, song, copies=2)


@pytest.fixture
def tagger(tiny: Bundle) -> FakeTagger:
    return FakeTagger(tiny)


@pytest.fixture(scope="session")
def shared_songs() -> Path:
    """Real music, which not every checkout has beside it."""
    folder = SHARED / "data" / "songs"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """``run("scan", folder)``: the command line within this process, without worker processes."""
    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(workers, "executor", lambda jobs, device: Inline())
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["mgtag", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        shown = capfd.readouterr()
        code = end.value.code
        return Done(0 if code is None else int(code), shown.out, shown.err)

    yield call
    signal.signal(signal.SIGINT, handler)
