"""The mood on the command line: written if asked for, told everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sounds import Song
from tagging import said
from typer.testing import CliRunner, Result

from mgtag.bundle import Bundle
from mgtag.cli.app import app


@pytest.fixture
def music(tmp_path: Path, song: Song) -> Path:
    for sound in ("hum", "noise"):
        song(tmp_path / "music" / f"{sound}.flac", 3.0, sound=sound)
    return tmp_path / "music"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def call(*arguments: object) -> Result:
        options = [] if arguments[0] == "models" else ["--index", str(tmp_path / "index.db")]
        return CliRunner().invoke(app, [*map(str, arguments), *options])

    return call


def rows(done: Result) -> dict[str, dict]:
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(row["path"]).stem: row for row in found}


def test_a_mood_is_written_shown_listed_and_undone(
    run: Callable[..., Result], music: Path, two_heads: Bundle
) -> None:
    before = (music / "hum.flac").read_bytes()
    done = run("scan", music, "--model", two_heads.folder, "--mood", "--json")
    assert done.exit_code == 0
    hum, noise = rows(done)["hum"], rows(done)["noise"]
    assert (hum["event"], hum["genres"], hum["written"]) == ("tagged", ["Blues"], ["genre", "mood"])
    assert hum["mood"]["values"] == ["Sad"]
    assert hum["mood"]["confidence"] == hum["mood"]["probabilities"]["Sad"] > 0.6
    assert (noise["event"], noise["genres"], noise["reason"]) == ("unsure", [], "not music")
    assert said(music / "hum.flac") == {"genre": ("Blues",), "mood": ("Sad",)}

    text = run("show", music / "hum.flac").stdout
    assert "mood Sad" in text and "mood, mean over" in text
    shown = json.loads(run("show", music / "hum.flac", "--json").stdout)
    assert (shown["mood"], shown["mgtag"]["mood"]["added"]) == (["Sad"], ["Sad"])
    assert shown["slices"].keys() == {"genre", "mood"}
    listed = rows(run("list", "--json", "--mood", "sad"))
    assert listed["hum"]["mood"] == "Sad" and "noise" not in {
        name for name, row in listed.items() if row["moods"]
    }

    again = rows(run("scan", music, "--model", two_heads.folder, "--mood", "--json"))
    assert {row["event"] for row in again.values()} == {"fresh"}
    assert again["noise"]["genres"] == []
    assert run("undo").exit_code == 0
    assert (music / "hum.flac").read_bytes() == before


def test_the_table_is_by_genre_and_by_mood(
    run: Callable[..., Result], music: Path, two_heads: Bundle
) -> None:
    done = run("scan", music, "--model", two_heads.folder, "--mood", "-v")
    assert "Genre" in done.stdout and "Mood" in done.stdout and "Sad" in done.stdout


def test_a_model_that_hears_no_mood_is_told(run: Callable[..., Result], music: Path, tiny: Bundle) -> None:
    before = (music / "hum.flac").read_bytes()
    done = run("scan", music, "--model", tiny.folder, "--mood")
    assert "this model hears no mood" in str(done.exception)
    assert (music / "hum.flac").read_bytes() == before


def test_a_mood_is_explained(
    run: Callable[..., Result], music: Path, two_heads: Bundle, tiny: Bundle
) -> None:
    path = music / "hum.flac"
    row = json.loads(run("explain", path, "--model", two_heads.folder, "--mood", "--json").stdout)
    assert (row["head"], row["vote"]["genre"]) == ("mood", "Sad")
    assert row["slices"][0]["probabilities"].keys() == {"sad", "happy"}
    genre = json.loads(run("explain", path, "--model", two_heads.folder, "--json").stdout)
    assert (genre["head"], genre["vote"]["genre"], genre["vote"]["sure"]) == ("genre", "Blues", True)
    assert genre["heads"]["mood"]["answer"] == ["Sad"]
    text = run("explain", path, "--model", two_heads.folder).stdout
    assert "Blues" in text and "mood: Sad" in text
    text = run("explain", path, "--model", two_heads.folder, "--mood").stdout
    assert "how far the mood's probability falls" in text and "genre: Blues" in text
    noise = run("explain", music / "noise.flac", "--model", two_heads.folder).stdout
    assert "not music" in noise and "This is never written" in noise
    done = run("explain", path, "--model", two_heads.folder, "--method", "attention")
    assert "no attention to show" in str(done.exception)
    assert "this model knows no mood" in str(run("explain", path, "--model", tiny.folder, "--mood").exception)


def test_models_lists_what_it_answers(run: Callable[..., Result], home: Path) -> None:
    import tiny_bundle

    tiny_bundle.make_two_heads(home / "data" / "mgtag" / "models" / "two-heads-1")
    assert "3 genres, 2 moods" in run("models").stdout
