"""Several tags in one file: a genre that somebody made is found in any of them, and stays to the byte."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
import sounds
from mutagen.asf import ASF
from mutagen.id3 import ID3, TCON, TIT2
from mutagen.mp4 import MP4
from tagging import restored, write
from test_tags_apev2 import ID3V1, append, append_apev2, items
from test_tags_chunks import chunk, wav

from mgtag import identity, tags
from mgtag.tags import apev2

ROCK = ID3V1  # its genre is 17


def id3v2(path: Path, *genres: str, version: int = 4) -> None:
    found = ID3()
    found.add(TIT2(encoding=3, text=["t"]))
    if genres:
        found.add(TCON(encoding=0, text=list(genres)))
    found.save(path, v1=0, v2_version=version)


def ape(*genres: str) -> tuple[apev2.Item, ...]:
    return (apev2.Item(b"Title", 0, b"t"), apev2.Item(b"Genre", 0, "\0".join(genres).encode()))


def info(genre: bytes) -> bytes:
    return chunk(b"LIST", b"INFO" + chunk(b"IGNR", genre + b"\0"))


def mp3(path: Path) -> Path:
    return sounds.make(path.with_suffix(".mp3"), 0.5)


def mp3_v2_ape(path: Path) -> Path:
    id3v2(mp3(path), "Other")
    append_apev2(path.with_suffix(".mp3"), ape("Krautrock"))
    return path.with_suffix(".mp3")


def mp3_v2_ape_v1(path: Path) -> Path:
    id3v2(mp3(path), "genre")
    append_apev2(path.with_suffix(".mp3"), ape("Unknown"))
    append(path.with_suffix(".mp3"), ROCK)
    return path.with_suffix(".mp3")


def mp3_two_v2(path: Path) -> Path:
    song = mp3(path)
    id3v2(song, "Krautrock")
    second = song.read_bytes()
    id3v2(song, "Other")
    song.write_bytes(song.read_bytes()[: ID3(song).size] + second)
    return song


def wav_info(path: Path) -> Path:
    song = wav(path.with_suffix(".wav"), b"", info(b"Krautrock"))
    found = mutagen.File(song)
    found.add_tags()
    found.tags.add(TCON(encoding=3, text=["Other"]))
    found.save()
    return song


def wav_two_infos(path: Path) -> Path:
    return wav(path.with_suffix(".wav"), info(b"Unknown"), info(b"Krautrock"))


def wv_v1_only(path: Path) -> Path:
    song = sounds.make(path.with_suffix(".wv"), 0.5)
    with open(song, "r+b") as file:
        file.truncate(apev2.read_tag(file).at)
    append(song, ROCK)
    return song


def ape_v1(path: Path) -> Path:
    song = sounds.make(path.with_suffix(".ape"), 0.5)
    append_apev2(song, ape("Other"))
    append(song, ROCK)
    return song


def flac_v2(path: Path) -> Path:
    song = sounds.make(path.with_suffix(".flac"), 0.5, tags={"genre": "Other"})
    front = path.with_suffix(".id3")
    front.write_bytes(b"")
    id3v2(front, "Krautrock")
    song.write_bytes(front.read_bytes() + song.read_bytes())
    front.unlink()
    return song


def flac_v1(path: Path) -> Path:
    song = sounds.make(path.with_suffix(".flac"), 0.5)
    append(song, ROCK)
    return song


def m4a_number(path: Path) -> Path:
    song = sounds.make(path.with_suffix(".m4a"), 0.5, tags={"genre": "Other"})
    found = MP4(song)
    found.tags.clear()
    data = struct.pack(">I4sII", 21, b"data", 1, 0) + b"Other"
    found.tags._failed_atoms["©gen"] = [data]
    found.tags._failed_atoms["gnre"] = [struct.pack(">I4sIIH", 18, b"data", 0, 0, 18)]
    found.save()
    return song


MAKERS: dict[Callable[[Path], Path], tuple[str, ...]] = {
    mp3_v2_ape: ("Krautrock",),
    mp3_v2_ape_v1: ("Rock",),
    mp3_two_v2: ("Krautrock",),
    wav_info: ("Krautrock",),
    wav_two_infos: ("Krautrock",),
    wv_v1_only: ("Rock",),
    ape_v1: ("Rock",),
    flac_v2: ("Krautrock",),
    flac_v1: ("Rock",),
    m4a_number: ("Rock",),
}
made = pytest.mark.parametrize(("make", "genres"), MAKERS.items(), ids=[make.__name__ for make in MAKERS])


@made
def test_placeholder_does_not_hide_a_genre(
    tmp_path: Path, make: Callable[[Path], Path], genres: tuple[str, ...]
) -> None:
    assert tags.read(make(tmp_path / "a")).genres == genres


@made
def test_all_tags_agree_once_written(
    tmp_path: Path, make: Callable[[Path], Path], genres: tuple[str, ...]
) -> None:
    path = make(tmp_path / "a")
    original, was = path.read_bytes(), tags.read(path)
    draft = write(path, "Jazz", "Funk")
    found = tags.read(path)
    assert (found.genres, found.own("genre")) == (("Jazz", "Funk"), ("Jazz", "Funk"))
    assert (found.title, found.artist, found.album) == (was.title, was.artist, was.album)
    assert b"Krautrock" not in path.read_bytes()
    assert restored(path, draft) == original


@made
def test_append_leaves_what_is_there_in_every_tag(
    tmp_path: Path, make: Callable[[Path], Path], genres: tuple[str, ...]
) -> None:
    path = make(tmp_path / "a")
    original = path.read_bytes()
    draft = append_genres(path, genres, "Jazz")
    assert tags.read(path).genres == (*genres, "Jazz")
    assert tags.read(path).own("genre") == ("Jazz",)
    assert path.read_bytes()[-128:] == original[-128:] or not original[-128:].startswith(b"TAG")
    again = append_genres(path, genres, "Funk")
    assert tags.read(path).genres == (*genres, "Funk"), "what mgtag added, it may replace"
    assert path.read_bytes().count(b"Jazz") == 0
    restored(path, again)
    assert restored(path, draft) == original


def test_a_change_in_one_tag_is_the_listeners_though_another_says_what_mgtag_wrote(tmp_path: Path) -> None:
    path = mp3_v2_ape(tmp_path / "a")
    append(path, ROCK)
    write(path, "Jazz")
    assert tags.read(path).own("genre") == ("Jazz",)
    data = path.read_bytes()
    assert data[-1] == 8
    path.write_bytes(data[:-1] + b"\x03")
    assert (tags.read(path).genres, tags.read(path).own("genre")) == (("Dance",), ())
    path.write_bytes(data.replace(b"Genre\0Jazz", b"Genre\0Funk"))
    assert (tags.read(path).genres, tags.read(path).own("genre")) == (("Funk",), ())


def test_a_new_tag_hides_nothing_that_id3v1_said(tmp_path: Path) -> None:
    path = wv_v1_only(tmp_path / "a")
    write(path, "Jazz")
    assert {item.key: item.value for item in items(path)[:-2]} == {
        b"Title": b"Title",
        b"Artist": b"Artist",
        b"Album": b"Album",
        b"Year": b"1999",
        b"Track": b"5",
        b"Comment": b"Comment",
    }


def append_genres(path: Path, kept: tuple[str, ...], *added: str) -> tags.Draft:
    draft = tags.draft(path, {"genre": tags.Provenance(kept, added, "b", 0.5)}, identity.signature)
    draft.commit()
    return draft


STORED = [
    (("80",), ("Folk",)),
    (("(17)Rock",), ("Rock",)),
    (("(4)Eurodisco", "Rock"), ("Disco", "Eurodisco", "Rock")),
    (("Rock/Pop",), None),  # two genres in ID3v2.3, one elsewhere
    (("Früh",), ("Früh",)),
    (("R&B/Soul",), ("R&B/Soul",)),
]


@pytest.mark.parametrize(("stored", "genres"), STORED, ids=str)
@pytest.mark.parametrize("version", [3, 4])
def test_append_leaves_the_id3_text_as_it_is(
    tmp_path: Path, stored: tuple[str, ...], genres: tuple[str, ...] | None, version: int
) -> None:
    path = mp3(tmp_path / "a")
    id3v2(path, *stored, version=version)
    if version == 3:  # mutagen joins several values by slashes there
        stored = tuple(str(text) for text in ID3(path, translate=False)["TCON"].text)
    before = b"\0" + "\0".join(stored).encode("latin-1")
    assert before in path.read_bytes()
    genres = tags.read(path).genres
    for word in ("Jazz", "Funk"):
        append_genres(path, genres, word)
        assert tags.read(path).genres == (*genres, word)
        assert before + b"\0" + word.encode() in path.read_bytes()


def test_append_to_genres_joined_by_slashes(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a")
    sound = path.read_bytes()[ID3(path).size :]
    path.write_bytes(b"ID3\3\0\0\0\0\0\x13TCON\0\0\0\x09\0\0\0Rock/Pop" + sound)
    assert tags.read(path).genres == ("Rock", "Pop")
    for word in ("Jazz", "Funk"):
        append_genres(path, ("Rock", "Pop"), word)
        assert tags.read(path).genres == ("Rock", "Pop", word)
        assert b"\0Rock/Pop/" + word.encode() in path.read_bytes()


@pytest.mark.parametrize(("stored", "genres"), STORED, ids=str)
@pytest.mark.parametrize("kind", ["flac", "ogg", "opus", "wma", "wv", "m4a"])
def test_append_leaves_the_values_as_they_are(
    tmp_path: Path, stored: tuple[str, ...], genres: tuple[str, ...] | None, kind: str
) -> None:
    path = sounds.make(tmp_path / f"a.{kind}", 0.5)
    found = mutagen.File(path)
    if found.tags is None:
        found.add_tags()
    key = {"wma": "WM/Genre", "m4a": "©gen"}.get(kind, "Genre")
    found[key] = list(stored)
    found.save()
    genres = genres or stored
    assert tags.read(path).genres == genres
    for word in ("Jazz", "Funk"):
        append_genres(path, genres, word)
        assert [str(value) for value in mutagen.File(path)[key]] == [*stored, word]
        assert tags.read(path).genres == (*genres, word)


def test_append_keeps_the_kind_of_a_value(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.wma", 0.5)
    asf = ASF(path)
    asf["WM/Genre"] = [mutagen.asf.ASFDWordAttribute(17)]
    asf.save()
    append_genres(path, ("Rock",), "Jazz")
    assert [value.TYPE for value in ASF(path)["WM/Genre"]] == [3, 0]
