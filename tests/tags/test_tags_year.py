"""The year, as each container's tags have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.id3 import TDRC, TYER
from sounds import Song

from mgtag import tags

CASES = {
    "mp3": lambda file: file.tags.add(TDRC(encoding=3, text="1965-11-02")),
    "flac": lambda file: file.__setitem__("DATE", "1965-11"),
    "ogg": lambda file: file.__setitem__("date", "November 1965"),
    "opus": lambda file: file.__setitem__("DATE", "1965"),
    "m4a": lambda file: file.__setitem__("©day", "1965-11-02T00:00:00Z"),
    "wma": lambda file: file.__setitem__("WM/Year", "1965"),
    "wav": lambda file: file.tags.add(TDRC(encoding=3, text="1965")),
    "aiff": lambda file: file.tags.add(TDRC(encoding=3, text="1965")),
    "ape": lambda file: file.__setitem__("Year", "1965"),
    "wv": lambda file: file.__setitem__("Year", "1965"),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_year_is_read(song: Song, tmp_path: Path, kind: str) -> None:
    path = song(tmp_path / f"a.{kind}")
    assert tags.read(path).year == 0
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    CASES[kind](file)
    file.save()
    assert tags.read(path).year == 1965


def test_the_year_of_an_older_mp3_is_read(song: Song, tmp_path: Path) -> None:
    path = song(tmp_path / "a.mp3")
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TYER(encoding=0, text="1965"))
    file.save(v2_version=3)
    assert tags.read(path).year == 1965


@pytest.mark.parametrize("text", ["", "65", "196", "12345", "unknown", "11/02"])
def test_what_is_no_year_is_none(song: Song, tmp_path: Path, text: str) -> None:
    path = song(tmp_path / "a.flac")
    file: Any = mutagen.File(path)
    file["DATE"] = text
    file.save()
    assert tags.read(path).year == 0
