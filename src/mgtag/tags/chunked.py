"""ID3 in a chunk of its own, in a wav or aiff, and a wav's older INFO lists."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Any, BinaryIO

from mutagen._iff import IffFile
from mutagen.aiff import AIFFFile
from mutagen.wave import _WaveFile

from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags import id3, id3_fields
from mgtag.tags.fields import GENRE, Edits, Fields, Names, Source

_INFO = {
    "title": "INAM",
    "artist": "IART",
    "album": "IPRD",
    "date": "ICRD",
    "genre": "IGNR",
}  # of a LIST chunk
_MOST = 1 << 31  # bytes
_OPEN_ENDED = (
    "its header does not say how long it is, as in a recording through a pipe, so nothing can be put behind "
    "its sound; save it anew to have it tagged."
)


class Chunked:
    """A wav or aiff: ID3v2 in a chunk of its own.

    A wav's older INFO lists are read next. Where one stands already, the first genre is written
    there too: some players, and FFmpeg, look no further.
    """

    def __init__(self, kind: Callable[[BinaryIO], IffFile], chunk: str) -> None:
        self.kind = kind
        self.chunk = chunk

    def check_writable(self, file: BinaryIO) -> None:
        """Raise `TagError` for a file that has no room for tags behind its sound."""
        root, end = self._open(file).root, file.seek(0, os.SEEK_END)
        if root.data_offset + root.data_size > end + 1:  # the padding may be left out
            raise TagError(_OPEN_ENDED)
        if end >= _MOST:
            raise TagError(
                "it is larger than 2 GiB, and programs (FFmpeg among them) find no tags behind that much; "
                "save it as flac to have it tagged."
            )

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and the fields of each tag."""
        iff = self._open(file)
        tag = self._tag(iff)
        lists = [Source(_info(chunk), _room_in_info) for chunk in _info_lists(iff)]
        found = [Source(id3_fields.fields(tag))] if tag else []
        return tag.name if tag else "RIFF INFO" if lists else "", found + lists

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        self._pad(file)
        iff = self._open(file)
        data = id3.render(id3_fields.edited(self._tag(iff) or id3.Tag(), edits, mgtag))
        chunk = iff[self.chunk] if self.chunk in iff else iff.insert_chunk(self.chunk)
        chunk.resize(len(data))
        chunk.write(data)
        edit = edits.get(GENRE)
        if edit is None or edit.kept:
            return
        for n in range(len(_info_lists(iff))):
            info = _info_lists(self._open(file))[n]  # opened again: the last one may have moved it
            data = _with_genre(info, edit.names[0])
            info.resize(len(data))
            info.write(data)

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        ours = {_INFO[GENRE]} & {_INFO.get(field) for field in fields}
        iff = self._open(file)
        tag = self._tag(iff)
        if tag:
            yield from id3_fields.others(tag, fields)
        lists = _info_lists(iff)
        for chunk in iff.root.subchunks():
            if chunk in lists:
                yield from ((sub.id, sub.read()) for sub in chunk.subchunks() if sub.id not in ours)
            elif chunk.id != self.chunk:
                yield chunk.id, chunk.data_size

    def _pad(self, file: BinaryIO) -> None:
        """Add the zero that some leave out behind an odd last chunk: the next has to begin evenly."""
        root = self._open(file).root
        end = file.seek(0, os.SEEK_END)
        if end % 2 and end - root.data_offset in (root.data_size, root.data_size - 1):
            file.write(b"\0")
            root.data_size = end + 1 - root.data_offset
            file.seek(root.offset + 4)
            root.write_size()

    def _open(self, file: BinaryIO) -> Any:
        file.seek(4)
        if not any(file.read(4)):
            raise TagError(_OPEN_ENDED)
        file.seek(0)
        return self.kind(file)

    def _tag(self, iff: Any) -> id3.Tag | None:
        data = iff[self.chunk].read() if self.chunk in iff else b""
        if id3.length(data[:10]):
            return id3.parse(data)
        if data.strip(b"\0"):
            raise TagError("its ID3 chunk holds something else.")
        return None


WAVE = Chunked(_WaveFile, "id3")
AIFF = Chunked(AIFFFile, "ID3")


def _info_lists(iff: Any) -> list[Any]:
    return [chunk for chunk in iff.root.subchunks() if chunk.id == "LIST" and chunk.name == "INFO"]


def _info(info: Any) -> Fields:
    chunks = {chunk.id: chunk.read() for chunk in info.subchunks()}
    values = {name: [_text(chunks[key])] for name, key in _INFO.items() if key in chunks}
    return {**values, "genre": genre.parse(values.get("genre", ()))}


def _room_in_info(names: Names) -> Names:
    return genre.parse(names[:1])


def _with_genre(info: Any, name: str) -> bytes:
    """Return an INFO list's bytes with another genre in them."""
    data: bytes = info.read()
    data += b"\0" * (len(data) % 2)
    text = name.encode() + b"\0"
    new = _INFO["genre"].encode() + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    for chunk in info.subchunks():
        if chunk.id == _INFO["genre"]:
            start = chunk.offset - info.data_offset
            return data[:start] + new + data[start + chunk.size :]
    return data + new


def _text(data: bytes) -> str:
    data = data.rstrip(b"\0")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
