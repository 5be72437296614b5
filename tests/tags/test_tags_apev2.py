"""APEv2 behind the sound, Lyrics3 and ID3v1 behind that: only genres change, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import mutagen
import pytest
import sounds
from tagging import restored, write

from mgtag import tags
from mgtag.errors import TagError
from mgtag.tags import apev2

BLOB = bytes(range(256)) * 3

ITEMS = (
    apev2.Item(b"Title", 0, b"t"),
    apev2.Item(b"genre", 1, b"Other"),  # read-only, and in small letters
    apev2.Item(b"Cover Art (Front)", 2, b"cover.png\0" + BLOB),
    apev2.Item(b"Lyrics", 0, b"latin-1 \xe9"),
    apev2.Item(b"File", 4, b"http://example.org"),
    apev2.Item(b"K\xe9y", 7, b""),
)
ID3V1 = b"TAG" + b"Title".ljust(30, b"\0") + b"Artist".ljust(30) + b"Album".ljust(30, b"\0")
ID3V1 += b"1999" + b"Comment".ljust(28, b"\0") + b"\0\x05" + b"\x11"
LYRICS = b"LYRICSBEGININD0000200LYR00003abc000031LYRICS200"
LYRICS = LYRICS[:-15] + b"%06d" % (len(LYRICS) - 15) + b"LYRICS200"


def append(path: Path, *parts: bytes) -> None:
    path.write_bytes(path.read_bytes() + b"".join(parts))


def append_apev2(path: Path, items: tuple[apev2.Item, ...] = ITEMS) -> None:
    with open(path, "r+b") as file:
        apev2.write(file, apev2.Tag(at=path.stat().st_size, items=items))


def items(path: Path) -> tuple[apev2.Item, ...]:
    with open(path, "rb") as file:
        return apev2.read_tag(file).items


@pytest.mark.parametrize("kind", ["ape", "wv"])
@pytest.mark.parametrize("tail", [b"", ID3V1, LYRICS + ID3V1], ids=["", "v1", "lyrics, v1"])
def test_apev2_items_and_what_follows_stay(tmp_path: Path, kind: str, tail: bytes) -> None:
    path = sounds.make(tmp_path / f"a.{kind}", 1.0)
    with open(path, "r+b") as file:
        tag = apev2.read_tag(file)
        file.truncate(tag.at)
    append_apev2(path)
    append(path, tail)
    original = path.read_bytes()
    assert tags.read(path).genres == (("Rock",) if tail else ("Other",)), "ID3v1 where APEv2 says nothing"
    draft = write(path, "Jazz", "Pop")
    assert items(path)[:-2] == tuple(item for item in ITEMS if item.key != b"genre")
    assert path.read_bytes().endswith(tail[:-1] + b"\x08" if tail else bytes(8))
    assert tags.read(path).genres == ("Jazz", "Pop")
    assert restored(path, draft) == original


@pytest.mark.parametrize("damage", [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x21\0\0\0"])
def test_damaged_apev2_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = sounds.make(tmp_path / "a.ape", 1.0)
    append_apev2(path)
    data = bytearray(path.read_bytes())
    data[-20:-16] = damage
    path.write_bytes(data)
    with pytest.raises(TagError, match="APEv2"):
        write(path, "Rock")
    assert path.read_bytes() == data


def bare_mp3(folder: Path) -> Path:
    path = sounds.make(folder / "a.mp3", 1.0)
    data = path.read_bytes()
    path.write_bytes(data[data.index(b"\xff\xfb") :])
    return path


@pytest.mark.parametrize(("genre", "number"), [("Jazz", 8), ("hip hop", 7), ("Made Up", 255)])
def test_id3v1_changes_in_its_genre_only(tmp_path: Path, genre: str, number: int) -> None:
    path = bare_mp3(tmp_path)
    append(path, ID3V1)
    assert tags.read(path).genres == ("Rock",)
    assert tags.read(path).container == "ID3v1"
    draft = write(path, genre)
    assert path.read_bytes().endswith(ID3V1[:-1] + bytes([number]))
    found = mutagen.File(path).tags
    assert {key: str(frame) for key, frame in found.items() if key != "TXXX:MGTAG"} == {
        "TIT2": "Title",
        "TPE1": "Artist",
        "TALB": "Album",
        "TDRC": "1999",
        "TRCK": "5",
        "COMM:ID3v1 Comment:eng": "Comment",
        "TCON": genre,
    }
    assert restored(path, draft).endswith(ID3V1)


def test_mp3_with_every_kind_of_tag_tells_one_genre_afterwards(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.mp3", 1.0, tags={"title": "from v2"})
    append_apev2(path)
    append(path, LYRICS, ID3V1)
    assert tags.read(path).genres == ("Rock",), "of ID3v1: APEv2 says nothing"
    draft = write(path, "Jazz", "Pop")
    assert tags.read(path).title == "from v2"
    assert items(path)[:-1] == tuple(item for item in ITEMS if item.key != b"genre")
    assert items(path)[-1] == apev2.Item(b"Genre", 0, b"Jazz\0Pop")
    assert path.read_bytes().endswith(LYRICS + ID3V1[:-1] + b"\x08")
    assert b"APETAGEX" in restored(path, draft)


def test_mp3_keeps_an_apev2_without_genre_byte_for_byte(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.mp3", 1.0)
    append_apev2(path, ITEMS[:1])
    tail = path.read_bytes()[-200:]
    write(path, "Jazz")
    assert path.read_bytes().endswith(tail)
