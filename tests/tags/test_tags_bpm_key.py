"""BPM and key in and out of every container, where Picard, beets and Mp3tag look for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from mediafile import MediaFile
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TBPM, TIT2
from mutagen.mp4 import MP4
from tagging import provenance, restored, said, write, write_all
from test_tags import CONTAINERS, METADATA, encoded, metadata, song
from test_tags_apev2 import append_apev2

from mgtag import identity, tags
from mgtag.tags import apev2
from mgtag.tags.fields import Provenance

BOTH = {"bpm": ("128",), "key": ("C#m",)}
NAMED = {  # container -> what the fields are called in it
    "ID3v2.4": ("TBPM", "TKEY"),
    "MP4": ("tmpo", "----:com.apple.iTunes:initialkey"),
    "ASF": ("WM/BeatsPerMinute", "WM/InitialKey"),
}


def both(path: Path) -> tags.Draft:
    return write_all(path, {field: Provenance((), names, "bundle-1", 0.9) for field, names in BOTH.items()})


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("before", [{}, {**METADATA, "genre": "Krautrock"}], ids=["bare", "tagged"])
def test_write_then_undo(tmp_path: Path, kind: str, before: dict[str, str]) -> None:
    path = song(tmp_path, kind, tags=before)
    original, sound, was, rest = path.read_bytes(), encoded(path), said(path), metadata(path)
    draft = both(path)
    assert said(path) == was | BOTH
    assert tags.read(path).ours("bpm") and tags.read(path).ours("key")
    assert encoded(path) == sound
    assert rest.items() <= metadata(path).items()
    values = mutagen.File(path).tags
    names = NAMED.get(CONTAINERS[kind], ("BPM", "INITIALKEY"))
    for name, (wanted,) in zip(names, BOTH.values(), strict=True):
        (found,) = getattr(values[name], "text", values[name])
        assert (found.decode() if isinstance(found, bytes) else str(found)) == wanted
    assert restored(path, draft) == original


@pytest.mark.parametrize("kind", CONTAINERS)
def test_beets_reads_them(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind, tags={} if kind == "ape" else METADATA)
    both(path)
    found = MediaFile(path)
    assert found.bpm == 128
    if kind != "wma":  # where beets has a name of its own, and Picard and Mp3tag the one of Windows
        assert found.initial_key == "C#m"


def flac(folder: Path) -> Path:
    path = song(folder, "flac")
    file = FLAC(path)
    file["KEY"] = "Am"
    file.save()
    return path


def wma(folder: Path) -> Path:
    path = song(folder, "wma")
    file = ASF(path)
    file["INITIALKEY"] = ["Am"]
    file.save()
    return path


def ape(folder: Path) -> Path:
    path = song(folder, "wv")
    append_apev2(path, (apev2.Item(b"Key", 0, b"Am"),))
    return path


def m4a(folder: Path) -> Path:
    path = song(folder, "m4a")
    file = MP4(path)
    file["----:com.apple.iTunes:KEY"] = [b"Am"]
    file.save()
    return path


@pytest.mark.parametrize("make", [flac, wma, ape, m4a])
def test_the_other_name_of_a_key_is_read_and_contradicted_by_nothing(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    original = path.read_bytes()
    assert said(path) == {"key": ("Am",)}
    draft = write(path, "C#m", field="key")
    assert said(path) == {"key": ("C#m",)}
    assert b"Am" not in [str(value).encode() for value in mutagen.File(path).tags.values()]
    assert restored(path, draft) == original


@pytest.mark.parametrize("make", [flac, wma, ape])
def test_names_that_stay_stay_where_they_are(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    original = path.read_bytes()
    draft = tags.draft(path, {"key": Provenance(("Am",), ("C",), "b", 0.5)}, identity.signature)
    draft.commit()
    assert said(path) == {"key": ("Am", "C")}
    assert restored(path, draft) == original


def test_id3_2_2_too(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    frames = b"".join(
        name + (4).to_bytes(3, "big") + b"\0" + text for name, text in ((b"TBP", b"100"), (b"TT2", b"abc"))
    )
    sound = path.read_bytes()
    n = 10 + int.from_bytes(bytes(sound[6:10]), "big") if sound[:3] == b"ID3" else 0
    path.write_bytes(b"ID3\2\0\0" + bytes([0, 0, 0, len(frames)]) + frames + sound[n:])
    assert said(path) == {"bpm": ("100",)}
    both(path)
    assert said(path) == BOTH and tags.read(path).title == "abc"
    assert path.read_bytes().count(b"TBP") == 1


@pytest.mark.parametrize(("value", "tells"), [("0", False), ("0.00", False), ("", False), ("99.5", True)])
def test_a_tempo_of_nought_tells_nothing(value: str, tells: bool) -> None:
    assert tags.is_placeholder((value,), "bpm") != tells


def test_a_tempo_in_mp4_is_a_number(tmp_path: Path) -> None:
    path = song(tmp_path, "m4a")
    write(path, "300", field="bpm")
    assert MP4(path).tags["tmpo"] == [300]
    assert b"tmpo" + (18).to_bytes(4, "big") + b"data" + (21).to_bytes(4, "big") in path.read_bytes()


def test_a_tempo_of_several_digits_stays_as_it_is_stored(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    found = ID3()
    found.add(TBPM(encoding=0, text=["127.98"]))
    found.add(TIT2(encoding=0, text=["t"]))
    found.save(path, v1=0)
    write(path, "Jazz")
    assert said(path) == {"genre": ("Jazz",), "bpm": ("127.98",)}
    assert provenance("Jazz") == tags.read(path).provenance
