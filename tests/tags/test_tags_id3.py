"""ID3v2 of every version and oddity: only the genre changes, everything else stays byte for byte."""

from __future__ import annotations

import zlib
from pathlib import Path

import av
import pytest
import sounds
from mutagen.id3 import ID3, BitPaddedInt
from tagging import restored, write

from mgtag import tags
from mgtag.errors import TagError
from mgtag.tags import id3

PICTURE = b"\x00image/png\x00\x03cover\x00\x89PNG\xff\xfe\xff\xe0\x00\xff" + bytes(range(256))
# Fields that a listener would miss, as (name, body); the odd ones among them break most taggers.
FRAMES = [
    (b"TIT2", b"\x00Caf\xe9"),
    (b"TPE1", b"\x01\xff\xfeA\x00/\x00B\x00"),
    (b"TCON", b"\x00(12)"),
    (b"TYER", b"\x001999"),
    (b"COMM", b"\x00engmine\x00a comment"),
    (b"COMM", b"\x00deumine\x00ein Kommentar"),
    (b"POPM", b"me@example.org\x00\xc4\x00\x00\x00\x07"),
    (b"UFID", b"http://musicbrainz.org\x0016afdd1c"),
    (b"TXXX", b"\x00replaygain_track_gain\x00-7.5 dB"),
    (b"TXXX", b"\x00MGTAGS\x00not ours"),
    (b"PRIV", b"WM/Provider\x00\xff\xff\x00\xff"),
    (b"CHAP", b"ch0\x00\x00\x00\x00\x00\x00\x00\x03\xe8\xff\xff\xff\xff\xff\xff\xff\xff"),
    (b"XABC", b"\xff\xe0 unknown to everybody"),
    (b"TALB", b"\x07no such encoding"),
    (b"TXXX", b""),
    (b"APIC", PICTURE),
    (b"APIC", PICTURE + b"\xff"),
]
FRAMES_2_2 = [
    (b"TT2", b"\x00Caf\xe9"),
    (b"TCO", b"\x00(12)"),
    (b"TP1", b"\x01\xff\xfeA\x00"),
    (b"COM", b"\x00engmine\x00a comment"),
    (b"TXX", b"\x00key\x00value"),
    (b"PIC", b"\x00PNG\x03\x00\x89PNG\xff\xfe\xff\xe0"),
    (b"XYZ", b"unknown"),
]


def frame(version: int, name: bytes, body: bytes, flags: bytes = b"\0\0", *, plain: bool = False) -> bytes:
    if version == 2:
        return name + len(body).to_bytes(3, "big") + body
    size = (
        BitPaddedInt.to_str(len(body), width=4)
        if version == 4 and not plain
        else len(body).to_bytes(4, "big")
    )
    return name + size + flags + body


def tag(version: int, body: bytes, flags: int = 0, *, footer: bool = False) -> bytes:
    head = bytes([version, 0, flags | 0x10 * footer]) + BitPaddedInt.to_str(len(body), width=4)
    return b"ID3" + head + body + (b"3DI" + head if footer else b"")


def body(version: int, **options: bool) -> bytes:
    frames = FRAMES_2_2 if version == 2 else FRAMES
    return b"".join(frame(version, name, data, **options) for name, data in frames)


def unsynchronised(data: bytes) -> bytes:
    """As the standard has it: a zero after every 0xFF that something could take for a frame's beginning."""
    out = bytearray()
    for this, following in zip(data, [*data[1:], 0], strict=True):
        out.append(this)
        if this == 0xFF and (following >= 0xE0 or following == 0):
            out.append(0)
    return bytes(out)


def crc_header(version: int, frames: bytes) -> bytes:
    """Return an extended header with a checksum, which a change of genre makes wrong."""
    if version == 3:
        return b"\x00\x00\x00\x0a\x80\x00\x00\x00\x00\x64" + zlib.crc32(frames).to_bytes(4, "big")
    return b"\x00\x00\x00\x0c\x01\x20\x05" + b"\x0f\x7f\x7f\x7f\x7f"


V24_GROUPED = frame(4, b"TCOM", b"\x05\x03Bach", b"\x00\x40")
V24_COMPRESSED = frame(4, b"TEXT", b"\0\0\0\x06" + zlib.compress(b"\x03hello"), b"\x00\x09")
V24_UNSYNCHRONISED = frame(4, b"PRIV", unsynchronised(b"x\x00\xff\xe0\xff"), b"\x00\x02")
V23_FLAGGED = frame(3, b"TCOM", b"\x00Bach", b"\xe0\x00") + frame(3, b"TENC", b"\x01secret", b"\x00\x40")

TAGS = {
    "2.2": tag(2, body(2)),
    "2.2 unsynchronised": tag(2, unsynchronised(body(2)), 0x80),
    "2.3": tag(3, body(3)),
    "2.3 padded": tag(3, body(3) + bytes(2000)),
    "2.3 unsynchronised": tag(3, unsynchronised(body(3)), 0x80),
    "2.3 marked unsynchronised, but not": tag(3, body(3), 0x80),
    "2.3 marked extended, but not": tag(3, body(3), 0x40),
    "2.3 extended header": tag(3, crc_header(3, body(3)) + body(3) + bytes(100), 0x40),
    "2.3 frame flags, encryption": tag(3, V23_FLAGGED + body(3)),
    "2.3 garbage behind": tag(3, body(3) + b"\0\0\0garbage"),
    "2.4": tag(4, body(4)),
    "2.4 unsynchronised": tag(4, V24_UNSYNCHRONISED + frame(4, b"TCON", b"\0\xd8\xff\x00", b"\0\2"), 0x80),
    "2.4 extended header": tag(4, crc_header(4, body(4)) + body(4), 0x40),
    "2.4 footer": tag(4, body(4), footer=True),
    "2.4 experimental": tag(4, body(4), 0x20),
    "2.4 plain sizes": tag(4, body(4, plain=True)),
    "2.4 grouped, compressed": tag(4, V24_GROUPED + V24_COMPRESSED + V24_UNSYNCHRONISED + body(4)),
    "empty": tag(3, b""),
    "only padding": tag(3, bytes(500)),
}


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return sounds.make(tmp_path / "song.mp3", 0.5)


def sound_of(mp3: Path) -> bytes:
    data = mp3.read_bytes()
    return data[id3.length(data[:10]) :]


def others(path: Path) -> list[bytes]:
    """Return all raw frames but the genre's and mgtag's own."""
    found = id3.parse(path.read_bytes())
    own = (b"TCO", b"TCON")
    return [f.raw for f in found.frames if f.name not in own and b"MGTAG\0" not in f.raw]


@pytest.mark.parametrize("name", TAGS)
def test_every_other_frame_stays_byte_for_byte(mp3: Path, name: str) -> None:
    sound = sound_of(mp3)
    mp3.write_bytes(TAGS[name] + sound)
    original, before = mp3.read_bytes(), others(mp3)
    draft = write(mp3, "Rock", "R&B/Soul", "Ünïcode")
    assert others(mp3) == before
    assert sound_of(mp3) == sound
    found = tags.read(mp3)
    assert found.genres == ("Rock", "R&B/Soul", "Ünïcode")
    assert found.container == f"ID3v2.{TAGS[name][3]}"  # no upgrade behind the listener's back
    assert found.ours("genre")
    assert restored(mp3, draft) == original


@pytest.mark.parametrize("name", [name for name in TAGS if "garbage" not in name])
def test_mutagen_and_ffmpeg_read_the_genres(mp3: Path, name: str) -> None:
    mp3.write_bytes(TAGS[name] + sound_of(mp3))
    write(mp3, "Rock", "Ünïcode")
    assert ID3(mp3)["TCON"].genres == ["Rock", "Ünïcode"]
    with av.open(str(mp3)) as container:
        assert container.metadata["genre"].split(";")[0] == "Rock"
        assert container.metadata["MGTAG"]


@pytest.mark.parametrize("name", [name for name, data in TAGS.items() if b"COM" in data])
def test_mutagen_reads_the_rest_as_before(mp3: Path, name: str) -> None:
    mp3.write_bytes(TAGS[name] + sound_of(mp3))
    before = dict(ID3(mp3, translate=False).items())
    write(mp3, "Rock")
    after = dict(ID3(mp3, translate=False).items())
    changed = {key for key in {*before, *after} if repr(before.get(key)) != repr(after.get(key))}
    assert changed == {"TCON", "TXXX:MGTAG"}


def test_parenthesis_is_escaped_where_it_would_be_a_reference(mp3: Path) -> None:
    mp3.write_bytes(TAGS["2.3"] + sound_of(mp3))
    write(mp3, "(17) Seconds", "(Neo) Soul")
    assert b"\0((17) Seconds\0((Neo) Soul" in mp3.read_bytes()
    assert tags.read(mp3).genres == ("(17) Seconds", "(Neo) Soul")


def test_tag_with_a_footer_gets_no_padding(mp3: Path) -> None:
    mp3.write_bytes(TAGS["2.4 footer"] + sound_of(mp3))
    write(mp3, "Rock")
    data = mp3.read_bytes()
    found = id3.parse(data)
    assert found.length == 20 + sum(len(f.raw) for f in found.frames)
    assert data[found.length - 10 : found.length] == b"3DI" + data[3:10]


def test_second_tag_and_what_follows_stay(mp3: Path) -> None:
    second = tag(4, frame(4, b"TIT2", b"\3second") + bytes(50))
    mp3.write_bytes(TAGS["2.3"] + second + sound_of(mp3))
    write(mp3, "Rock")
    assert sound_of(mp3).startswith(second)


def test_padding_is_used_before_the_file_grows(mp3: Path) -> None:
    mp3.write_bytes(TAGS["2.3 padded"] + sound_of(mp3))
    size = mp3.stat().st_size
    write(mp3, "Rock", "Pop")
    assert mp3.stat().st_size == size


def test_mp3_without_tag_gets_version_2_4(mp3: Path) -> None:
    mp3.write_bytes(sound_of(mp3))
    assert tags.read(mp3).container == ""
    write(mp3, "Rock", "Pop")
    assert tags.read(mp3).container == "ID3v2.4"
    assert ID3(mp3)["TCON"].text == ["Rock", "Pop"]


@pytest.mark.parametrize(
    ("version", "field", "genres"),
    [
        (3, b"\0Rock/Pop", ("Rock", "Pop")),
        (3, b"\0Rock/Pop\0", ("Rock/Pop",)),
        (3, b"\0R&B/Soul", ("R&B/Soul",)),
        (3, b"\0Hip-Hop/Rap", ("Hip-Hop/Rap",)),
        (4, b"\3Rock/Pop", ("Rock/Pop",)),
        (4, b"\3Rock\0Pop", ("Rock", "Pop")),
        (4, b"\3Rock\0Pop\0", ("Rock", "Pop")),
        (3, b"\1\xff\xfeR\0\0\0\xff\xfeP\0/\0Q\0", ("R", "P/Q")),
        (3, b"\0(17)", ("Rock",)),
        (3, b"\0(17)(4)", ("Rock", "Disco")),
        (3, b"\0(17)Rock", ("Rock",)),
        (3, b"\0(17)Prog", ("Rock", "Prog")),
        (3, b"\0(RX)", ("Remix",)),
        (3, b"\0CR", ("Cover",)),
        (3, b"\0((Neo) Soul", ("(Neo) Soul",)),
        (4, b"\00017\0004", ("Rock", "Disco")),
        (3, b"\0Rock; Pop", ("Rock; Pop",)),
        (3, b"\0 Rock \0\0\0", ("Rock",)),
        (3, b"\0", ()),
        (3, b"\0(255)", ("Unknown",)),
    ],
)
def test_reading_copes_with_every_form(
    mp3: Path, version: int, field: bytes, genres: tuple[str, ...]
) -> None:
    mp3.write_bytes(tag(version, frame(version, b"TCON", field)) + sound_of(mp3))
    assert tags.read(mp3).genres == genres


def test_two_genre_frames_are_read_together_and_become_one(mp3: Path) -> None:
    two = frame(4, b"TCON", b"\3Rock") + frame(4, b"TCON", b"\3Pop")
    mp3.write_bytes(tag(4, two) + sound_of(mp3))
    assert tags.read(mp3).genres == ("Rock", "Pop")
    write(mp3, "Jazz")
    assert [f.name for f in id3.parse(mp3.read_bytes()).frames] == [b"TCON", b"TXXX"]


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("genre", ["R&B/Soul", "Rock/Pop", "(Neo) Soul", "Ÿé/日本", "17th century"])
def test_a_genre_stays_one_value(mp3: Path, version: int, genre: str) -> None:
    mp3.write_bytes(tag(version, b"") + sound_of(mp3))
    write(mp3, genre)
    assert tags.read(mp3).genres == (genre,)
    assert ID3(mp3)["TCON"].genres == [genre]


@pytest.mark.parametrize(
    "damaged",
    [
        b"ID3\x03\x00\x00\x00\x00\x7f\x7f",  # longer than the file
        b"ID3\x03\x00\x00\xff\xff\xff\xff",  # no size at all
        tag(5, b""),
        tag(2, b"", 0x40),  # compressed, in a way that was never defined
        tag(3, b"\0\0\1\0" + body(3), 0x40),  # an extended header that would swallow frames
    ],
)
def test_damaged_tag_is_refused_and_the_file_left_alone(mp3: Path, damaged: bytes) -> None:
    mp3.write_bytes(damaged + sound_of(mp3))
    before = mp3.read_bytes()
    with pytest.raises(TagError, match="song"):
        tags.read(mp3)
    with pytest.raises(TagError, match="song"):
        write(mp3, "Rock")
    assert mp3.read_bytes() == before
