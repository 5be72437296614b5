"""The words of a song, from the tags of every container and from files beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import SYLT, USLT
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from test_tags import song

from mgtag.tags.lyrics import MOST_BYTES, clean, read_lyrics

SUNG = "Söng of the first line\nand of the second"


def id3(kind: type) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        file = kind(path)
        if file.tags is None:
            file.add_tags()
        file.tags.add(USLT(encoding=3, lang="eng", desc="", text=SUNG))
        file.save()

    return put


def named(kind: type, key: str) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        file = kind(path)
        file[key] = [SUNG]
        file.save()

    return put


def ape(path: Path) -> None:
    tag = APEv2()
    tag["Lyrics"] = SUNG
    tag.save(path)


@pytest.mark.parametrize(
    ("kind", "put"),
    [
        ("mp3", id3(MP3)),
        ("wav", id3(WAVE)),
        ("aiff", id3(AIFF)),
        ("flac", named(FLAC, "LYRICS")),
        ("ogg", named(OggVorbis, "UNSYNCEDLYRICS")),
        ("opus", named(OggOpus, "lyrics")),
        ("m4a", named(MP4, "\xa9lyr")),
        ("wma", named(ASF, "WM/Lyrics")),
        ("wv", ape),
        ("ape", ape),
    ],
)
def test_tags_say_them(tmp_path: Path, kind: str, put: Callable[[Path], None]) -> None:
    path = song(tmp_path, kind)
    assert read_lyrics(path) == ""
    put(path)
    before = path.read_bytes()
    assert read_lyrics(path) == SUNG
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        [("Söng of the first line", 100), ("and of the second", 900)],
        [("Söng of", 100), (" the first line", 300), ("\nand of", 500), (" the second", 900)],
    ],
    ids=["lines", "syllables"],
)
def test_synchronised_lyrics_are_joined(tmp_path: Path, text: list[tuple[str, int]]) -> None:
    path = song(tmp_path, "mp3")
    file = MP3(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(SYLT(encoding=3, lang="eng", format=2, type=1, desc="", text=text))
    file.save()
    assert read_lyrics(path) == SUNG


LRC = "[ar:A]\n[00:12.00]Söng of <00:12.50>the first line\n[00:15.20][01:15]and of the second\n\n[Chorus]"


@pytest.mark.parametrize("suffix", [".lrc", ".txt", ".LRC"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_beside_says_them(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = song(tmp_path, "flac")
    path.with_suffix(suffix).write_bytes(LRC.encode(encoding))
    assert read_lyrics(path) == SUNG


def test_the_tags_come_first(tmp_path: Path) -> None:
    path = song(tmp_path, "flac")
    path.with_suffix(".txt").write_text("something else")
    named(FLAC, "LYRICS")(path)
    assert read_lyrics(path) == SUNG


def test_what_cannot_be_words_is_left_alone(tmp_path: Path) -> None:
    path = song(tmp_path, "flac")
    path.with_suffix(".txt").write_text("a" * (MOST_BYTES + 1))
    path.with_suffix(".lrc").mkdir()
    assert read_lyrics(path) == ""
    shutil.rmtree(path.with_suffix(".lrc"))
    path.with_suffix(".lrc").write_bytes(b"\xff\xfe\0")
    read_lyrics(path)
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"fLaC\0\0\0")
    assert read_lyrics(broken) == read_lyrics(tmp_path / "missing.flac") == ""


def test_a_heading_in_brackets_is_not_sung() -> None:
    assert clean("[Verse 1: Somebody]\nla la\n\n  [x2]\n[unclosed la") == "la la\n[unclosed la"
