"""Vorbis comments in FLAC and Ogg (Vorbis, Opus, FLAC, Speex), kept byte for byte but for our keys.

mutagen finds and replaces the comment block; the comments themselves are handled raw, because
mutagen replaces what is no valid UTF-8, as old files have it, by question marks.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

from mutagen import FileType
from mutagen.flac import FLAC
from mutagen.ogg import OggPage
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis

from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags import id3
from mgtag.tags.around import Around
from mgtag.tags.fields import MGTAG, WRITABLE, Edits, Fields, Names, Source
from mgtag.tags.padding import keep_padding

NAME = "Vorbis"
# Where a field's values may stand; the first that has a value is used. Picard writes KEY, others
# (beets, Mp3tag, Rekordbox, Serato, Traktor) INITIALKEY.
_KEYS = {"genre": ("GENRE",), "mood": ("MOOD",), "bpm": ("BPM",), "key": ("INITIALKEY", "KEY")}
_COMMENT, _PADDING_BLOCK = 4, 1  # kinds of FLAC metadata blocks
# First bytes of an Ogg stream -> how mutagen reads it, and what stands before its comments.
_CODECS: dict[bytes, tuple[Callable[[BinaryIO], FileType], int]] = {
    b"\x01vorbis": (OggVorbis, len(b"\x03vorbis")),
    b"OpusHead": (OggOpus, len(b"OpusTags")),
    b"\x7fFLAC": (OggFLAC, 4),
    b"Speex   ": (OggSpeex, 0),
}


@dataclass(frozen=True)
class Comments:
    """A Vorbis comment block: who wrote the sound, and ``KEY=value`` lines as stored."""

    vendor: bytes = b"mgtag"
    lines: tuple[bytes, ...] = ()

    def values(self, key: str) -> list[str]:
        """Return the values of a key, whatever its case."""
        found = (line.partition(b"=") for line in self.lines)
        return [value.decode("utf-8", "replace") for name, _, value in found if _is(name, key)]

    def render(self) -> bytes:
        """Return the block's bytes."""

        def sized(part: bytes) -> bytes:
            return struct.pack("<I", len(part)) + part

        return sized(self.vendor) + struct.pack("<I", len(self.lines)) + b"".join(map(sized, self.lines))


class Flac:
    """A FLAC file; some put other tags around it."""

    around = Around("")

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and the fields of each tag."""
        return NAME, [Source(_fields(_flac_comments(file))), *self.around.read(file)[1]]

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        comments = _edited(_flac_comments(file), edits, mgtag)
        file.seek(0)
        flac = FLAC(file)
        if flac.tags is None:
            flac.add_tags()
        _save(flac, file, comments, edits)
        self.around.write(file, edits, mgtag)

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        yield from self.around.others(file, fields)
        yield from _others(_flac_comments(file), fields)
        yield from (block for block in _flac_blocks(file) if block[0] not in (_COMMENT, _PADDING_BLOCK))


class Ogg:
    """An Ogg file whose first stream is Vorbis, Opus, FLAC or Speex."""

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and its fields."""
        return NAME, [Source(_fields(_ogg_comments(file)))]

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        comments = _edited(_ogg_comments(file), edits, mgtag)
        file.seek(0)
        _save(_ogg_codec(file)[0](file), file, comments, edits)

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        yield from _others(_ogg_comments(file), fields)


def _save(audio: FileType, file: BinaryIO, comments: Comments, fields: Collection[str]) -> None:
    def write(framing: bool = not isinstance(audio, FLAC)) -> bytes:
        return comments.render() + (b"\x01" if framing else b"")

    tags: Any = audio.tags
    tags.write = write
    file.seek(0)
    audio.save(file, padding=keep_padding)
    file.seek(0)
    again: Any = type(audio)(file)  # a second reader, as ours is rather lenient
    keys = [key for field in fields for key in _KEYS[field]]
    if any((again.tags.get(key) or []) != comments.values(key) for key in keys):
        raise TagError("its Vorbis comments do not take these values, so it was left as it is.")


def _parse(data: bytes) -> Comments:
    try:
        return _taken_apart(data)
    except struct.error as error:
        raise TagError("its Vorbis comments are cut short.") from error


def _taken_apart(data: bytes) -> Comments:
    (n,) = struct.unpack_from("<I", data)
    vendor, at = data[4 : 4 + n], 4 + n
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    lines = []
    for _ in range(count):
        (n,) = struct.unpack_from("<I", data, at)
        lines.append(data[at + 4 : at + 4 + n])
        at += 4 + n
    if at > len(data):
        raise TagError("its Vorbis comments are cut short.")
    return Comments(vendor, tuple(lines))


def _edited(comments: Comments, edits: Edits, mgtag: str) -> Comments:
    lines = [line for line in comments.lines if not _is_edited(line, edits)]
    for field, edit in edits.items():
        key = _key_of(comments, field)
        said = [line for line in comments.lines if _is_of(line, field)]
        stored = [line for line in said if _is(line.partition(b"=")[0], key)]
        n = genre.n_kept(stored, edit.kept, partial(_names, field))
        beside = [line for line in said if n and line not in stored]
        lines += beside + stored[:n] + [f"{key}={name}".encode() for name in edit.behind(n)]
    return replace(comments, lines=(*lines, f"{MGTAG}={mgtag}".encode()))


def _fields(comments: Comments) -> Fields:
    keys = {
        "title": "TITLE",
        "artist": "ARTIST",
        "album": "ALBUM",
        "date": "DATE",
        "albumartist": "ALBUMARTIST",
        MGTAG: MGTAG,
    }
    names = {field: _names(field, comments.lines) for field in WRITABLE}
    return {**{name: comments.values(key) for name, key in keys.items()}, **names}


def _names(field: str, lines: Sequence[bytes]) -> Names:
    comments = Comments(lines=tuple(lines))
    return genre.names(field, comments.values(_key_of(comments, field)))


def _key_of(comments: Comments, field: str) -> str:
    """Return where a field's values stand in this block, or would."""
    return next((key for key in _KEYS[field] if any(comments.values(key))), _KEYS[field][0])


def _others(comments: Comments, fields: Collection[str]) -> Iterator[Hashable]:
    yield comments.vendor
    yield from (line for line in comments.lines if not _is_edited(line, fields))


def _is_edited(line: bytes, fields: Collection[str]) -> bool:
    return _is(line.partition(b"=")[0], MGTAG) or any(_is_of(line, field) for field in fields)


def _is_of(line: bytes, field: str) -> bool:
    name = line.partition(b"=")[0]
    return any(_is(name, key) for key in _KEYS[field])


def _is(name: bytes, key: str) -> bool:
    return name.upper() == key.encode()


def _flac_comments(file: BinaryIO) -> Comments:
    return next((_parse(data) for kind, data in _flac_blocks(file) if kind == _COMMENT), Comments())


def _flac_blocks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(id3.end_of_front(file))
    if file.read(4) != b"fLaC":
        raise TagError("its FLAC header is damaged.")
    last = False
    while not last:
        head = file.read(4)
        size = int.from_bytes(head[1:], "big")
        data = file.read(size)
        if len(head) < 4 or len(data) < size:
            raise TagError("its FLAC header is cut short.")
        last = bool(head[0] & 0x80)
        yield head[0] & 0x7F, data


def _ogg_codec(file: BinaryIO) -> tuple[Callable[[BinaryIO], FileType], int]:
    file.seek(0)
    packet = OggPage(file).packets[0]
    file.seek(0)
    for magic, codec in _CODECS.items():
        if packet.startswith(magic):
            return codec
    raise TagError("mgtag cannot tag this kind of Ogg file.")


def _ogg_comments(file: BinaryIO) -> Comments:
    """Read the second packet of the first stream: its comments, in every codec."""
    skip = _ogg_codec(file)[1]
    pages = [OggPage(file)]
    packets: list[bytes] = []
    while len(packets) < 2 or not (pages[-1].complete or len(packets) > 2):
        page = OggPage(file)
        if page.serial == pages[0].serial:
            pages.append(page)
            packets = OggPage.to_packets(pages)
    return _parse(packets[1][skip:])
