"""Settings reach the commands, and `mgtag config` shows and mends them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from running import Run

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.cli.options import share


def test_a_setting_is_the_default_and_an_option_wins(run: Run, settings: Path) -> None:
    settings.write_text('[scan]\nmodel = "nowhere"\n')
    assert "no model called 'nowhere'" in run("scan", settings.parent).err
    assert "no model called 'elsewhere'" in run("scan", settings.parent, "--model", "elsewhere").err


def test_a_variable_wins_over_the_file(run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.write_text('model = "nowhere"\n')
    monkeypatch.setenv("MGTAG_SCAN_MODEL", "variable")
    assert "no model called 'variable'" in run("scan", settings.parent).err


def test_a_mistake_in_the_file_is_a_usage_error_but_can_be_mended(
    run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text("[scan]\ntreshold = 1\n")
    done = run("models")
    assert (done.code, "did you mean 'threshold'" in done.err) == (2, True)
    assert run("config", "path").out.strip() == str(settings)
    monkeypatch.setenv("EDITOR", "sed -i s/treshold/threshold/")
    assert run("config", "edit").code == 0
    assert run("models").code == 0


def test_show_tells_what_is_in_force(run: Run, settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not there yet" in run("config", "show").out
    settings.write_text("[scan]\njobs = 2\n")
    monkeypatch.setenv("MGTAG_JOBS", "3")
    assert 'jobs = "3"' in run("config", "show").out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("85", "did you mean 85%?"),
        ("nan", "is not between 0 and 1"),
        ("much", "is no number"),
        ("-1", "between"),
    ],
)
def test_a_share_is_told_what_it_may_be(run: Run, tmp_path: Path, given: str, words: str) -> None:
    done = run("scan", tmp_path, "--threshold", given)
    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize("given", ["0.85", "85%", "85 %"])
def test_a_share_is_a_number_or_a_percentage(given: str) -> None:
    assert share(given) == 0.85


def test_the_genre_map_decides_what_is_written(
    run: Run, settings: Path, tiny: Bundle, song: Callable[..., Path], tmp_path: Path
) -> None:
    path = song(tmp_path / "music" / "hum.flac", 1.5, sound="hum")

    def scan(*options: object) -> str:
        return run("scan", path, "--model", tiny.folder, "-v", *options).err

    settings.write_text("[genres]\nnever = ['blues']\n")
    assert "Blues is never to be written" in scan()
    assert tags.read(path).genres == ()
    settings.write_text("[genres]\nnever = ['blues', 'jazz', 'metal']\n")
    scan()
    assert scan().count("fresh") == 1  # a run is known by its settings
    settings.write_text("[genres.write]\nblues = ['Roots', 'Delta Blues']\n")
    scan()
    assert tags.read(path).genres == ("Roots", "Delta Blues")
    settings.write_text("")
    scan()  # its own words mgtag may replace
    assert tags.read(path).genres == ("Blues",)
    settings.write_text("[genres]\nnevr = []\n")
    assert run("scan", path).code == 2


def test_a_placeholder_is_not_erased_by_a_genre_that_is_never_written(
    run: Run, settings: Path, tiny: Bundle, song: Callable[..., Path], tmp_path: Path
) -> None:
    path = song(tmp_path / "hum.flac", 1.5, sound="hum")
    file = FLAC(path)
    file["genre"] = "Unknown"
    file.save()
    settings.write_text("[genres]\nonly = ['jazz']\n")
    (row,) = run("scan", path, "--model", tiny.folder, "--overwrite", "--json").rows
    assert (row["event"], row["reason"]) == ("unsure", "Blues is not among the genres to be written")
    assert tags.read(path).genres == ("Unknown",)


@pytest.mark.parametrize(
    "asked", ["Hip-Hop", "hip hop", "Hiphop", "HIP_HOP", "Rap", "genre:rap", "genre:hiphop"]
)
def test_list_finds_every_spelling_of_a_genre(
    run: Run, settings: Path, tiny: Bundle, song: Callable[..., Path], tmp_path: Path, asked: str
) -> None:
    spellings = ("Hip-Hop", "hip hop", "HipHop", "Rap", "Jazz")
    for genre in spellings:
        file = FLAC(song(tmp_path / f"{genre}.flac", 1.5, sound="hum"))
        file["genre"] = genre
        file.save()
    settings.write_text("[genres.aliases]\n'Hip-Hop' = ['Rap']\n")
    assert run("scan", tmp_path, "--model", tiny.folder).code == 0
    words = (asked,) if ":" in asked else ("-g", asked)
    found = run("list", *words, "-f", "$genres")
    assert set(found.out.splitlines()) == set(spellings) - {"Jazz"}
