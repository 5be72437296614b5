"""What else a file holds comes through a change of genre as it was, in Vorbis comments, MP4 and ASF."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import mutagen
import pytest
import sounds
from mutagen.asf import ASF, ASFByteArrayAttribute, ASFDWordAttribute, ASFUnicodeAttribute
from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex, Picture
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.mp4._atom import Atoms
from tagging import restored, write

from mgtag import tags
from mgtag.tags.vorbis import _flac_comments, _ogg_comments

BLOB = bytes(range(256)) * 3


# --- Vorbis comments ---------------------------------------------------------------------------


def comments(lines: list[bytes]) -> bytes:
    parts = [b"vend\xf6r", *lines]
    packed = [struct.pack("<I", len(part)) + part for part in parts]
    return packed[0] + struct.pack("<I", len(lines)) + b"".join(packed[1:])


ODD_LINES = [
    b"TITLE=a",
    b"title=b=c",
    b"Caf\xe9=latin-1 key",
    b"COMMENT=latin-1 value \xe9\xff",
    b"no equals sign",
    b"=no key",
    b"EMPTY=",
    b"ARTIST=x",
    b"ARTIST=y",
    b"genre=Other",
    b"GENRES=not ours",
    b"ALBUM=caf\xe9",
    b"METADATA_BLOCK_PICTURE=" + b"A" * 70_000,
]


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus"])
def test_odd_vorbis_comments_stay_byte_for_byte(tmp_path: Path, kind: str) -> None:
    path = sounds.make(tmp_path / f"a.{kind}", 1.0)
    audio_file = mutagen.File(path)
    frame = b"\1" if kind == "ogg" else b""
    audio_file.tags.write = lambda *_, **__: comments(ODD_LINES) + frame
    audio_file.save()
    original = path.read_bytes()
    assert tags.read(path).genres == ("Other",)
    assert tags.read(path).album == "caf�"
    draft = write(path, "Rock", "Pop")
    with open(path, "rb") as file:
        found = (_flac_comments if kind == "flac" else _ogg_comments)(file)
    assert found.vendor == b"vend\xf6r"
    assert list(found.lines[:-3]) == [line for line in ODD_LINES if line != b"genre=Other"]
    assert restored(path, draft) == original
    assert len(draft.patch) < 20_000


def test_flac_blocks_stay(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.flac", 1.0)
    flac = FLAC(path)
    for kind in (3, 4):
        picture = Picture()
        picture.type, picture.mime, picture.data = kind, "image/png", BLOB
        flac.add_picture(picture)
    flac.cuesheet = CueSheet(b"1234567890123" + bytes(128 - 13 + 8 + 1 + 258 + 1))
    flac.cuesheet.tracks = [CueSheetTrack(1, 0), CueSheetTrack(170, 44_100)]
    flac.cuesheet.tracks[0].indexes = [CueSheetTrackIndex(1, 0)]
    application = mutagen.flac.MetadataBlock(b"riff" + BLOB)
    application.code = 2
    flac.metadata_blocks.append(application)
    flac.save()
    before = [(block.code, block.write()) for block in FLAC(path).metadata_blocks if block.code not in (1, 4)]
    assert {code for code, _ in before} >= {0, 2, 5, 6}
    draft = write(path, "Rock")
    after = [(block.code, block.write()) for block in FLAC(path).metadata_blocks if block.code not in (1, 4)]
    assert after == before
    assert draft.patch


def test_flac_behind_id3_is_tagged_in_its_comments_and_keeps_the_id3(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.flac", 1.0)
    id3 = b"ID3\x03\x00\x00\x00\x00\x00\x0fTIT2\x00\x00\x00\x05\x00\x00\x00Rock"
    path.write_bytes(id3 + path.read_bytes())
    write(path, "Jazz")
    assert path.read_bytes().startswith(id3)
    assert tags.read(path).genres == ("Jazz",)


@pytest.mark.parametrize("codec", ["flac", "libspeex"])
def test_other_ogg_codecs(tmp_path: Path, codec: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = tmp_path / "a.ogg"
    sounds.write(path, sounds.synthesise("music", 1.0), "ogg", codec)
    draft = write(path, "Rock", "Pop")
    assert mutagen.File(path)["GENRE"] == ["Rock", "Pop"]
    assert draft.patch


def test_vorbis_keys_are_read_in_any_case(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.ogg", 1.0)
    ogg = mutagen.File(path)
    ogg.tags.extend([("Genre", "Rock"), ("GENRE", "Pop"), ("genre", "(8)"), ("Mood", "calm"), ("tItLe", "x")])
    ogg.save()
    found = tags.read(path)
    assert (found.genres, found.mood, found.title) == (("Rock", "Pop", "Jazz"), ("calm",), "x")


# --- MP4 ---------------------------------------------------------------------------------------


def atoms(path: Path) -> list[tuple[bytes, bytes]]:
    with open(path, "rb") as file:
        return [(atom.name, atom.read(file)[1]) for atom in Atoms(file)[b"moov.udta.meta.ilst"].children]


@pytest.mark.parametrize("faststart", [False, True])
def test_mp4_atoms_stay_byte_for_byte(tmp_path: Path, faststart: bool) -> None:
    path = tmp_path / "a.m4a"
    options = {"movflags": "+faststart"} if faststart else {}
    sounds.write(path, sounds.synthesise("music", 1.0), "ipod", "aac", tags={"title": "t"}, options=options)
    mp4 = MP4(path)
    mp4["trkn"], mp4["cpil"], mp4["tmpo"], mp4["covr"] = (
        [(3, 9)],
        True,
        [120],
        [MP4Cover(BLOB), MP4Cover(b"2")],
    )
    mp4["----:com.apple.iTunes:replaygain_track_gain"] = [MP4FreeForm(b"-3 dB"), MP4FreeForm(BLOB, 0)]
    mp4["----:org.example:MGTAGS"] = [b"not ours"]
    # A language, a type of its own, and an atom that nobody knows.
    data = struct.pack(">I4sII", 19, b"data", 1, 0x0409) + b"abc"
    mp4.tags._failed_atoms.update({"©cmt": [data, data], "zzzz": [b"\0\0\0\x11data\0\0\0\x63\0\0\0\0!"]})
    mp4.tags._failed_atoms["gnre"] = [struct.pack(">I4sIIH", 18, b"data", 0, 0, 18)]
    mp4.save()
    original, before = path.read_bytes(), atoms(path)
    assert tags.read(path).genres == ("Rock",)
    draft = write(path, "Jazz", "Pop")
    after = atoms(path)
    assert sorted(atom for atom in after if atom in before) == sorted(a for a in before if a[0] != b"gnre")
    assert [name for name, _ in after if (name, _) not in before] == [b"\xa9gen", b"----"]
    assert restored(path, draft) == original
    assert MP4(path)["trkn"] == [(3, 9)]


# --- ASF ---------------------------------------------------------------------------------------


def test_asf_attributes_stay(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.wma", 1.0, tags={"title": "t", "artist": "a", "copyright": "c"})
    asf = ASF(path)
    asf["WM/Picture"] = [ASFByteArrayAttribute(BLOB), ASFByteArrayAttribute(BLOB * 300)]
    asf["WM/Composer"] = [ASFUnicodeAttribute("x", language=1), ASFUnicodeAttribute("y", stream=1)]
    asf["WM/SharedUserRating"] = [ASFDWordAttribute(75)]
    asf["Title"] = ["one", "two"]
    asf["WM/Genre"] = ["Other"]
    asf["wm/genre"] = ["Misc"]
    asf["WM/Mood"] = ["calm"]
    asf.save()
    before = {key: value for key, value in ASF(path).tags.as_dict().items() if key.lower() != "wm/genre"}
    original = path.read_bytes()
    assert tags.read(path).genres == ("Other", "Misc")
    draft = write(path, "Rock", "Pop")
    after = ASF(path).tags.as_dict()
    assert [str(value) for value in after.pop("WM/Genre")] == ["Rock", "Pop"]
    assert after.pop("MGTAG")
    assert after == before
    assert tags.read(path).mood == ("calm",)
    assert restored(path, draft) == original
