"""An explanation tells the lines that counted, in every form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mutagen.flac import FLAC
from sounds import Song
from typer.testing import CliRunner, Result

from mgtag import api, bundle, words
from mgtag.bundle import Bundle
from mgtag.cli.app import app
from mgtag.explain import explain_file, explanation
from mgtag.words import WordsModel

METAL = "death and blood\nin the night and you\n" * 12


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"labels": ("blues", "metal"), "temperature": 1.0, "common": ("the", "and"), "least_common": 0.1}
    weights = np.array([[20, 0], [0, 20]], np.float32)
    made = WordsModel(card, ("baby", "death"), np.ones(2, np.float32), weights, np.zeros(2, np.float32))
    monkeypatch.setattr(words, "load", lambda: made)
    for module in (words, explanation):
        monkeypatch.setattr(module, "weight_beside", lambda name: 3.0)


@pytest.fixture
def sung(song: Song, tmp_path: Path) -> Path:
    path = song(tmp_path / "sung.flac", 3.0, sound="hum")
    file = FLAC(path)
    file["LYRICS"] = METAL
    file.save()
    return path


def run(path: Path, model: Bundle, *options: object) -> Result:
    return CliRunner().invoke(app, ["explain", str(path), "--model", str(model.folder), *map(str, options)])


def test_json_has_the_words_and_the_genre_that_they_voted_for(sung: Path, two_heads: Bundle) -> None:
    row = json.loads(run(sung, two_heads, "--json").stdout)
    assert row["vote"]["genre"] == "Metal"  # the sound alone is blues
    assert row["words"]["probabilities"]["metal"] > 0.99
    (line,) = row["words"]["lines"]
    assert line["text"] == "death and blood" and line["weight"] == pytest.approx(20, abs=0.01)
    alone = json.loads(run(sung, two_heads, "--json", "--no-lyrics").stdout)
    assert (alone["vote"]["genre"], alone["words"]) == ("Blues", None)
    assert json.loads(run(sung, two_heads, "--json", "--mood").stdout)["words"] is None


def test_the_terminal_tells_the_lines(sung: Path, two_heads: Bundle) -> None:
    text = run(sung, two_heads).stdout
    assert "Lines that counted for Metal" in text and "death and blood" in text
    assert "The words voted, too: Metal" in text
    assert "The words" not in run(sung, two_heads, "--no-lyrics").stdout


def test_the_page_holds_them(sung: Path, two_heads: Bundle, tmp_path: Path) -> None:
    assert run(sung, two_heads, "--html", tmp_path / "a.html").exit_code == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "death and blood" in page and "Words that counted" in page


def test_a_scan_and_an_explanation_agree(sung: Path, two_heads: Bundle) -> None:
    heard, _ = explain_file.explain_file(sung, explain_file.Tagger(two_heads, "cpu"))
    assert heard.genre == "metal" and heard.words is not None
    assert [line.text for line in heard.lines] == ["death and blood"]


def test_python_gets_the_same_answer(sung: Path, two_heads: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "weight_beside", lambda name: 3.0)
    tagger = api.load_model(two_heads.folder)
    assert tagger.genre(sung).genres == ("Metal",)
    assert tagger.genre(sung, lyrics=False).genres == ("Blues",)
    assert tagger.genre(sung, head="mood").genres == ("Sad",)


def test_the_card_of_a_model_tells_of_its_words(two_heads: Bundle) -> None:
    def card(name: object) -> dict:
        done = CliRunner().invoke(app, ["models", "show", str(name), "--json"])
        return json.loads(done.stdout.splitlines()[0])

    assert card(bundle.DEFAULT)["words"]["weight"] > 0
    assert "English" in card(bundle.DEFAULT)["words"]["limits"]
