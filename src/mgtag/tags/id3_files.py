"""Where ID3 and APEv2 tags stand: before the sound of an mp3, in a chunk of a wav or aiff, after an ape."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, BinaryIO

from mutagen._iff import IffFile
from mutagen._util import resize_bytes
from mutagen.aiff import AIFFFile
from mutagen.wave import _WaveFile

from mgtag.errors import TagError
from mgtag.tags import apev2, id3, id3v1
from mgtag.tags import genres as genre
from mgtag.tags.fields import Fields

_INFO = {"title": "INAM", "artist": "IART", "album": "IPRD", "genre": "IGNR"}  # of a wav's LIST chunk


class Mp3:
    """An mp3: ID3v2 in front, perhaps APEv2 and ID3v1 behind.

    ID3v2 is believed first, APEv2 next, ID3v1 last, field by field. The genre is written to
    ID3v2, and where APEv2 or ID3v1 stand already, there too, lest they contradict it.
    """

    def read(self, file: BinaryIO) -> tuple[str, Fields]:
        """Return the kind of tag and its fields."""
        tag, ape, v1 = _front(file), apev2.find(file), id3v1.block(file)
        name = tag.name if tag else "APEv2" if ape.length else "ID3v1" if v1 else ""
        found = [id3.fields(tag)] if tag else []
        found.append(apev2.fields(ape))
        found.append(id3.fields(id3.from_id3v1(id3v1.frames(v1))))
        return name, {key: next((f[key] for f in found if f.get(key)), ()) for key in found[-1]}

    def write(self, file: BinaryIO, names: Sequence[str], mgtag: str) -> None:
        """Exchange the genres and mgtag's own field."""
        tag = _front(file) or id3.from_id3v1(id3v1.frames(id3v1.block(file)))
        data = id3.render(id3.edit(tag, names, mgtag))
        resize_bytes(file, tag.length, len(data), 0)
        file.seek(0)
        file.write(data)
        ape = apev2.find(file)
        if apev2.fields(ape)["genre"]:
            apev2.write(file, apev2.edit(ape, names, None))
        id3v1.set_genre(file, names[0])

    def others(self, file: BinaryIO) -> Iterator[Hashable]:
        """Yield all that a change of genre must leave as it is."""
        tag = _front(file)
        if tag:
            yield from _frames(tag)
        yield from (item for item in apev2.find(file).items if not apev2.is_ours(item))
        yield id3v1.block(file)[:-1]


class Ape:
    """Monkey's Audio, WavPack and others with APEv2 behind the sound."""

    def read(self, file: BinaryIO) -> tuple[str, Fields]:
        """Return the kind of tag and its fields."""
        tag = apev2.find(file)
        return "APEv2" if tag.length else "", apev2.fields(tag)

    def write(self, file: BinaryIO, names: Sequence[str], mgtag: str) -> None:
        """Exchange the genres and mgtag's own field."""
        apev2.write(file, apev2.edit(apev2.find(file), names, mgtag))
        id3v1.set_genre(file, names[0])

    def others(self, file: BinaryIO) -> Iterator[Hashable]:
        """Yield all that a change of genre must leave as it is."""
        yield from (item for item in apev2.find(file).items if not apev2.is_ours(item))
        yield id3v1.block(file)[:-1]


class Chunked:
    """A wav or aiff: ID3v2 in a chunk of its own.

    A wav's older INFO list is believed next. Where it stands already, the first genre is written
    there too: some players, and FFmpeg, look no further.
    """

    def __init__(self, kind: Callable[[BinaryIO], IffFile], chunk: str) -> None:
        self.kind = kind
        self.chunk = chunk

    def read(self, file: BinaryIO) -> tuple[str, Fields]:
        """Return the kind of tag and its fields."""
        iff = self._open(file)
        tag, info = self._tag(iff), _info(iff)
        name = tag.name if tag else "RIFF INFO" if info else ""
        found = dict(id3.fields(tag or id3.Tag()))
        return name, {key: values or info.get(key, ()) for key, values in found.items()}

    def write(self, file: BinaryIO, names: Sequence[str], mgtag: str) -> None:
        """Exchange the genres and mgtag's own field."""
        self._pad(file)
        iff = self._open(file)
        data = id3.render(id3.edit(self._tag(iff) or id3.Tag(), names, mgtag))
        chunk = iff[self.chunk] if self.chunk in iff else iff.insert_chunk(self.chunk)
        chunk.resize(len(data))
        chunk.write(data)
        for info in _info_lists(self._open(file))[:1]:
            data = _with_genre(info, names[0])
            info.resize(len(data))
            info.write(data)

    def others(self, file: BinaryIO) -> Iterator[Hashable]:
        """Yield all that a change of genre must leave as it is."""
        iff = self._open(file)
        tag = self._tag(iff)
        if tag:
            yield from _frames(tag)
        lists = _info_lists(iff)
        for chunk in iff.root.subchunks():
            if chunk in lists:
                yield from ((sub.id, sub.read()) for sub in chunk.subchunks() if sub.id != _INFO["genre"])
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


def _front(file: BinaryIO) -> id3.Tag | None:
    file.seek(0)
    n = id3.length(file.read(10))
    file.seek(0)
    return id3.parse(file.read(n)) if n else None


def _frames(tag: id3.Tag) -> Iterator[Hashable]:
    yield from (frame for frame in tag.frames if not id3.is_ours(tag, frame))
    yield tag.rest


def _info_lists(iff: Any) -> list[Any]:
    return [chunk for chunk in iff.root.subchunks() if chunk.id == "LIST" and chunk.name == "INFO"]


def _info(iff: Any) -> Fields:
    chunks = {chunk.id: chunk.read() for found in _info_lists(iff) for chunk in found.subchunks()}
    values = {name: [_text(chunks[key])] for name, key in _INFO.items() if key in chunks}
    return {**values, "genre": genre.parse(values.get("genre", ()))} if values else {}


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
