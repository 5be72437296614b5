"""ASF (wma): attributes, several of one name being several values."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

from mutagen.asf import ASF
from mutagen.asf._attrs import ASFUnicodeAttribute

from mgtag.asf_header import FILE_PROPERTIES, SIZE_AT, find_properties
from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, WRITABLE, Edits, Names, Source
from mgtag.tags.padding import keep_padding

NAME = "ASF"
# Where a field's values may stand; the first that has a value is used.
_KEYS = {
    "genre": ("WM/Genre",),
    "mood": ("WM/Mood",),
    "bpm": ("WM/BeatsPerMinute",),
    "key": ("WM/InitialKey", "INITIALKEY"),
}
_HEADER_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_EXTENSION_HEAD = 22  # bytes of a header extension before the objects in it
# Objects that hold attributes, which are compared one by one, and padding.
_REWRITTEN = {
    bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c"),  # content description
    bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850"),  # extended content description
    bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca"),  # metadata
    bytes.fromhex("941c23449894d149a1411d134e457054"),  # metadata library
    bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8"),  # padding
}


class Asf:
    """An ASF file."""

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and its fields."""
        tags = _load(file).tags

        def text(name: str) -> list[str]:
            return [str(value) for key, value in tags if key.lower() == name.lower()]

        keys = {
            "title": "Title",
            "artist": "Author",
            "album": "WM/AlbumTitle",
            "date": "WM/Year",
            "albumartist": "WM/AlbumArtist",
        }
        found = {name: text(key) for name, key in [*keys.items(), (MGTAG, MGTAG)]}
        names = {field: genre.names(field, text(_key_of(tags, field))) for field in WRITABLE}
        return NAME, [Source({**found, **names})]

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        asf = _load(file)
        new = []
        for field, edit in edits.items():
            name = _key_of(asf.tags, field)
            said = [(key, value) for key, value in asf.tags if _is_of(key, field)]
            stored = [(key, value) for key, value in said if key.lower() == name.lower()]
            n = genre.n_kept(stored, edit.kept, partial(_names, field))
            new += [pair for pair in said if n and pair[0].lower() != name.lower()]
            new += stored[:n] + [(name, ASFUnicodeAttribute(text)) for text in edit.behind(n)]
        others = [(key, value) for key, value in asf.tags if not _is_edited(key, edits)]
        asf.tags[:] = [*others, *new, (MGTAG, ASFUnicodeAttribute(mgtag))]
        file.seek(0)
        asf.save(file, padding=keep_padding)
        _note_size(file)

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        for key, value in _load(file).tags:
            if not _is_edited(key, fields):
                # No language or stream and number 0 are the same: mutagen moves the second of a name
                # to where numbers have to be given.
                yield key, value.TYPE, value.value, value.language or 0, value.stream or 0
        file.seek(0)
        (size,) = struct.unpack_from("<Q", file.read(30), 16)
        yield from _objects(file.read(size - 30))


def _names(field: str, pairs: Sequence[tuple[str, Any]]) -> Names:
    return genre.names(field, (str(value) for _, value in pairs))


def _note_size(file: BinaryIO) -> None:
    """Write the file's size into its header; without it, FFmpeg guesses how long the sound is."""
    at = find_properties(file)
    if at is not None:
        size = file.seek(0, os.SEEK_END)
        file.seek(at + SIZE_AT)
        file.write(struct.pack("<Q", size))


def _load(file: BinaryIO) -> Any:
    file.seek(0)
    return ASF(file)


def _is_edited(key: str, fields: Collection[str]) -> bool:
    return key.lower() == MGTAG.lower() or any(_is_of(key, field) for field in fields)


def _is_of(key: str, field: str) -> bool:
    return key.lower() in {name.lower() for name in _KEYS[field]}


def _key_of(tags: Sequence[tuple[str, Any]], field: str) -> str:
    """Return where a field's values stand in these attributes, or would."""
    said = {key.lower() for key, value in tags if str(value).strip()}
    return next((name for name in _KEYS[field] if name.lower() in said), _KEYS[field][0])


def _objects(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 24 <= len(data):
        guid, size = struct.unpack_from("<16sQ", data, at)
        body = data[at + 24 : at + size]
        if guid == _HEADER_EXTENSION:
            yield from _objects(body[_EXTENSION_HEAD:])
        elif guid == FILE_PROPERTIES:
            yield guid, body[:SIZE_AT] + body[SIZE_AT + 8 :]
        elif guid not in _REWRITTEN:
            yield guid, body
        at += max(size, 24)
