"""APEv2 tags at the end of a file, edited item by item without re-encoding what is not ours.

mutagen would rewrite every item and drop an ID3v1 block behind the tag.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mutagen._util import resize_bytes

from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags import id3v1
from mgtag.tags.fields import MGTAG, Fields

_PREAMBLE = b"APETAGEX"
_HEAD = struct.Struct("<8sIIII8s")  # preamble, version, size of items and footer, items, flags, zeros
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_KIND = 6  # bits of an item's flags; 0 is text


@dataclass(frozen=True)
class Item:
    """One item: its key, flags and value as stored."""

    key: bytes
    flags: int
    value: bytes


@dataclass(frozen=True)
class Tag:
    """An APEv2 tag and where it stands in the file; a new one has length 0."""

    at: int
    length: int = 0
    version: int = 2000
    flags: int = _HAS_HEADER
    items: tuple[Item, ...] = ()


def find(file: BinaryIO) -> Tag:
    """Read the tag before any ID3v1 and Lyrics3 block, or say where one would stand.

    Raises
    ------
    TagError
        If there is a tag that cannot be taken apart.
    """
    end = _end_of_apev2(file)
    head = _read(file, end - _HEAD.size, _HEAD.size)
    if not head.startswith(_PREAMBLE):
        return Tag(at=end)
    _, version, size, count, flags, _ = _HEAD.unpack(head)
    length = size + (_HEAD.size if flags & _HAS_HEADER else 0)
    if not _HEAD.size <= size <= length <= end:
        raise TagError("its APEv2 tag is damaged.")
    items = _items(_read(file, end - size, size - _HEAD.size), count)
    return Tag(end - length, length, version, flags, items)


def fields(tag: Tag) -> Fields:
    """Return the values that mgtag reads."""

    def text(key: str) -> list[str]:
        return [
            value
            for item in tag.items
            if item.key.decode("latin-1").lower() == key.lower() and not item.flags & _KIND
            for value in item.value.decode("utf-8", "replace").split("\0")
        ]

    keys = {"title": "Title", "artist": "Artist", "album": "Album", "mood": "Mood", MGTAG: MGTAG}
    return {**{name: text(key) for name, key in keys.items()}, "genre": genre.parse(text("Genre"))}


def edit(tag: Tag, names: Sequence[str], mgtag: str | None) -> Tag:
    """Return the tag with these genres and mgtag's own field; without the latter for None."""
    new = [Item(b"Genre", 0, "\0".join(names).encode())]
    if mgtag is not None:
        new.append(Item(MGTAG.encode(), 0, mgtag.encode()))
    kept = [item for item in tag.items if not is_ours(item)]
    return Tag(tag.at, tag.length, tag.version, tag.flags, (*kept, *new))


def is_ours(item: Item) -> bool:
    """Say whether `edit` exchanges this item."""
    return item.key.lower() in (b"genre", MGTAG.lower().encode())


def write(file: BinaryIO, tag: Tag) -> None:
    """Put the tag in its place, leaving what follows as it is."""
    body = b"".join(
        struct.pack("<II", len(item.value), item.flags) + item.key + b"\0" + item.value for item in tag.items
    )

    def head(flags: int) -> bytes:
        return _HEAD.pack(_PREAMBLE, tag.version, len(body) + _HEAD.size, len(tag.items), flags, bytes(8))

    data = body + head(tag.flags & ~_IS_HEADER)
    if tag.flags & _HAS_HEADER:
        data = head(tag.flags | _IS_HEADER) + data
    resize_bytes(file, tag.length, len(data), tag.at)
    file.seek(tag.at)
    file.write(data)


def _end_of_apev2(file: BinaryIO) -> int:
    end = file.seek(0, os.SEEK_END)
    if id3v1.block(file):
        end -= id3v1.LENGTH
    lyrics = _read(file, end - 15, 15)  # six digits of size, then the mark
    if lyrics[6:] == b"LYRICS200" and lyrics[:6].isdigit():
        start = end - len(lyrics) - int(lyrics[:6])
        if _read(file, start, 11) == b"LYRICSBEGIN":
            return start
    return end


def _items(data: bytes, count: int) -> tuple[Item, ...]:
    items, at = [], 0
    for _ in range(count):
        if at == len(data):  # someone writes wrong item counts
            break
        end_of_key = data.find(b"\0", at + 8)
        if end_of_key < 0:
            raise TagError("its APEv2 tag is damaged.")
        size, flags = struct.unpack_from("<II", data, at)
        end = end_of_key + 1 + size
        if end > len(data):
            raise TagError("its APEv2 tag is damaged.")
        items.append(Item(data[at + 8 : end_of_key], flags, data[end_of_key + 1 : end]))
        at = end
    if at != len(data):
        raise TagError("its APEv2 tag is damaged.")
    return tuple(items)


def _read(file: BinaryIO, at: int, n: int) -> bytes:
    if at < 0:
        return b""
    file.seek(at)
    return file.read(n)
