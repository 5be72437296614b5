"""The front door from Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sounds import Song

import mgtag
from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.errors import BundleError, UsageError
from mgtag.library.events import Found, Tagged

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_importing_mgtag_costs_nothing() -> None:
    code = "import sys, mgtag; assert 'numpy' not in sys.modules; print(dir(mgtag))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "load_model" in done.stdout


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod_model'"):
        _ = mgtag.lod_model  # type: ignore[attr-defined]


def test_a_genre_and_how_sure(tiny: Bundle, song: Song, tmp_path: Path) -> None:
    answer = mgtag.load_model(tiny.folder).genre(str(song(tmp_path / "hum.flac", 1.5, sound="hum")))
    assert answer.genres == ("Blues",)
    assert answer.sure and answer.threshold is not None and answer.confidence > answer.threshold
    assert answer.probabilities["Blues"] == pytest.approx(answer.confidence)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_slices(tiny: Bundle, song: Song, tmp_path: Path) -> None:
    prediction = mgtag.load_model(tiny.folder).predict(song(tmp_path / "hum.flac", 3.5, sound="hum"))
    shares = prediction.heads["genre"].probabilities
    assert len(shares) == len(prediction.starts_s) == len(prediction.embedding) == 3
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)


def test_a_scan_tells_first_and_writes_only_if_asked_to(tiny: Bundle, song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "music" / "hum.flac", 1.5, sound="hum")
    settings = {"model": tiny.folder, "index": tmp_path / "index.db", "jobs": 1}
    found, tagged = mgtag.scan([path.parent], dry_run=True, **settings)
    assert isinstance(found, Found) and found.count == 1
    assert isinstance(tagged, Tagged) and tagged.genres == ("Blues",)
    assert tags.read(path).genres == ()
    list(mgtag.scan([str(path)], mgtag.Policy(top=1), **settings))
    assert tags.read(path).genres == ("Blues",)


def test_mistakes_are_sentences(tiny: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model called 'nowhere'"):
        mgtag.load_model("nowhere")
    with pytest.raises(UsageError):
        list(mgtag.scan([tmp_path / "nowhere"], model=tiny.folder, index=tmp_path / "index.db"))


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.name)
def test_the_examples_run(example: Path, song: Song, tmp_path: Path, shipped: Bundle) -> None:
    path = song(tmp_path / "song.flac", 7, sound="hum")
    done = subprocess.run([sys.executable, example, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_guide_to_python_says_what_is_so() -> None:
    page = (EXAMPLES.parent / "docs" / "python.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    compile(code, "python.md", "exec")
    for name in ("load_model", "genre", "predict", "scan"):
        assert f".{name}(" in code
