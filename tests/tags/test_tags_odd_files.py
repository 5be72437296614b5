"""Files that are not what they seem, that nobody finished, or that hold places in themselves."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import pytest
import sounds
from mutagen.asf import ASF, ASFByteArrayAttribute
from mutagen.mp4._atom import Atoms
from tagging import provenance, restored, write
from test_tags_apev2 import append_apev2, items

from mgtag import audio, identity, tags
from mgtag.errors import AudioError, TagError
from mgtag.tags import apev2

# --- taken for an mp3 --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "codec", "sound"), [("w64", "pcm_s16le", "noise"), ("au", "pcm_s16be", "music")]
)
def test_other_sound_is_not_taken_for_an_mp3(tmp_path: Path, container: str, codec: str, sound: str) -> None:
    for seed in range(6):  # in some of them mutagen finds what looks like a frame
        path = tmp_path / f"{seed}.{container}"
        sounds.write(path, sounds.synthesise(sound, 3.0, seed), container, codec)
        data = path.read_bytes()
        for work in (tags.read, write):
            with pytest.raises(TagError, match="no kind of audio file that mgtag can tag"):
                work(path, *(["Rock"] if work is write else []))
        assert path.read_bytes() == data


def test_frames_in_something_unknown_are_no_mp3(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    frame = sounds.make(tmp_path / "b.mp3", 0.5).read_bytes()[-800:]
    path.write_bytes(os.urandom(5) + bytes(2000) + frame[:420] + bytes(3000))
    with pytest.raises(TagError, match="no kind"):
        tags.read(path)


# --- an APEv2 tag that looks like ID3v1 --------------------------------------------------------


@pytest.mark.parametrize("kind", ["ape", "mp3"])
def test_apev2_of_131_bytes_is_not_taken_for_id3v1(tmp_path: Path, kind: str) -> None:
    path = sounds.make(tmp_path / f"a.{kind}", 1.0)
    sound = identity.signature(path)
    if kind == "ape":
        with open(path, "r+b") as file:
            file.truncate(apev2.read_tag(file).at)
    size = path.stat().st_size
    append_apev2(path, (apev2.Item(b"Genre", 0, b"Krautrock"), apev2.Item(b"X", 0, b"x" * 34)))
    assert path.stat().st_size - size == 131
    assert path.read_bytes()[-128:-125] == b"TAG"
    original = path.read_bytes()
    assert identity.signature(path) == sound
    assert tags.read(path).genres == ("Krautrock",)
    draft = write(path, "Jazz")
    assert tags.read(path).genres == ("Jazz",)
    assert items(path)[0] == apev2.Item(b"X", 0, b"x" * 34)
    assert restored(path, draft) == original


# --- ASF ---------------------------------------------------------------------------------------


def size_in_header(path: Path) -> int:
    data = path.read_bytes()
    at = data.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    return int(struct.unpack_from("<Q", data, at + 40)[0])


@pytest.fixture
def wma_with_cover(tmp_path: Path) -> Path:
    path = sounds.make(tmp_path / "a.wma", 30.0, sound="hum", tags={"title": "t"})
    asf = ASF(path)
    asf["WM/Picture"] = [ASFByteArrayAttribute(bytes(100_000))]
    asf.save()
    assert size_in_header(path) < path.stat().st_size
    return path


def test_wma_with_a_cover_is_not_truncated(wma_with_cover: Path) -> None:
    assert audio.probe(wma_with_cover).duration_s == pytest.approx(30, abs=0.1)
    assert identity.payload(wma_with_cover).duration_s == pytest.approx(30, abs=0.1)
    original = wma_with_cover.read_bytes()
    draft = write(wma_with_cover, "Rock")
    assert size_in_header(wma_with_cover) == wma_with_cover.stat().st_size
    with av.open(str(wma_with_cover)) as container:
        assert container.duration / av.time_base == pytest.approx(30, abs=0.1)
    assert restored(wma_with_cover, draft) == original


def test_wma_with_a_cover_that_is_truncated_is_found_out(wma_with_cover: Path) -> None:
    data = wma_with_cover.read_bytes()
    wma_with_cover.write_bytes(data[: len(data) - 200_000])
    with pytest.raises(AudioError, match="truncated"):
        identity.payload(wma_with_cover)


# --- WAV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_wav_that_came_through_a_pipe_is_refused_in_a_sentence(tmp_path: Path, size: int) -> None:
    path = sounds.make(tmp_path / "a.wav", 1.0)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    for where in (4, at + 4):
        data[where : where + 4] = struct.pack("<I", size)
    path.write_bytes(data)
    assert identity.payload(path).duration_s == pytest.approx(1.0, abs=0.1)
    with pytest.raises(TagError, match=r"a\.wav: its header does not say how long it is.*\.$"):
        write(path, "Rock")
    assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["wav", "aiff"])
def test_wav_of_more_than_2_gib_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    path = sounds.make(tmp_path / f"a.{kind}", 0.1)
    chunk, order = (b"data", "<I") if kind == "wav" else (b"SSND", ">I")
    data = path.read_bytes()
    at, size = data.index(chunk), (1 << 31) + 1000
    with open(path, "r+b") as file:
        file.truncate(at + 8 + size)  # sparse: takes no room on the disk
        for where, number in ((4, at + size), (at + 4, size)):
            file.seek(where)
            file.write(struct.pack(order, number))
    assert tags.read(path).genres == ()
    status = path.stat()
    with pytest.raises(TagError, match="larger than 2 GiB"):
        tags.draft(path, provenance("Rock"), lambda _: "")
    assert path.stat() == status
    assert audio.load_slices(path, [0.0, 6000.0, 12_100.0], 1.0).shape == (3, audio.SAMPLE_RATE)


# --- fragmented MP4 ----------------------------------------------------------------------------


def fragmented(path: Path) -> Path:
    options = {"movflags": "+frag_keyframe+delay_moov", "frag_duration": "500000"}
    sounds.write(path, sounds.synthesise("music", 4.0), "ipod", "aac", tags={"title": "t"}, options=options)
    return path


def fragments(path: Path) -> list[int]:
    with open(path, "rb") as file:
        return [atom.offset for atom in Atoms(file).atoms if atom.name == b"moof"]


def places(path: Path) -> list[int]:
    """Return what the file's last table says, in version 1: time, place, and three bytes an entry."""
    data = path.read_bytes()
    at = data.index(b"tfra") + 4
    (count,) = struct.unpack_from(">I", data, at + 12)
    return [struct.unpack_from(">QQ", data, at + 16 + n * 19)[1] for n in range(count)]


def base_offsets(path: Path) -> list[int]:
    with open(path, "rb") as file:
        found = [t for a in Atoms(file).atoms if a.name == b"moof" for t in a.findall(b"tfhd", True)]
    data = path.read_bytes()
    return [struct.unpack_from(">Q", data, t.offset + 16)[0] for t in found if data[t.offset + 11] & 1]


def test_fragments_are_found_where_the_tables_say(tmp_path: Path) -> None:
    path = fragmented(tmp_path / "a.m4a")
    original = path.read_bytes()
    assert len(fragments(path)) > 3
    assert set(places(path)) <= set(fragments(path))
    assert base_offsets(path) == fragments(path)
    draft = write(path, *(f"Genre number {n}" for n in range(200)))
    assert len(path.read_bytes()) > len(original)
    assert set(places(path)) <= set(fragments(path))
    assert base_offsets(path) == fragments(path)
    write(path, "Rock")
    assert set(places(path)) <= set(fragments(path))
    assert draft.patch


def test_damaged_table_of_fragments_is_refused(tmp_path: Path) -> None:
    path = fragmented(tmp_path / "a.m4a")
    data = bytearray(path.read_bytes())
    at = data.index(b"tfra") + 16
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(TagError, match="table of fragments"):
        write(path, "Rock")
    assert path.read_bytes() == data
