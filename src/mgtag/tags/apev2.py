"""APEv2 tags at the end of a file, edited item by item without re-encoding what is not ours.

mutagen would rewrite every item and drop an ID3v1 block behind the tag.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from mutagen._util import resize_bytes

from mgtag import tails
from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, WRITABLE, Edit, Edits, Fields, Names
from mgtag.tails import read_at

_HEAD = struct.Struct("<8sIIII8s")  # preamble, version, size of items and footer, items, flags, zeros
_IS_HEADER = 1 << 29
_ID3V1_KEYS = {
    "TIT2": b"Title",
    "TPE1": b"Artist",
    "TALB": b"Album",
    "TDRC": b"Year",
    "TRCK": b"Track",
    "COMM": b"Comment",
}
# Where a field's values may stand; the first that has a value is used.
_KEYS = {"genre": (b"Genre",), "mood": (b"Mood",), "bpm": (b"BPM",), "key": (b"INITIALKEY", b"KEY")}
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
    flags: int = tails.APE_HAS_HEADER
    items: tuple[Item, ...] = ()


def read_tag(file: BinaryIO) -> Tag:
    """Read the last tag, or return an empty one where one would stand: before all others behind the sound.

    Raises
    ------
    TagError
        If there is a tag that cannot be taken apart.
    """
    found = tails.find_tails(file)
    end = tails.end_of_sound(file)
    for tail in found:
        if tail.kind == "APEv2":
            _, version, size, count, flags, _ = _HEAD.unpack(read_at(file, tail.end - _HEAD.size, _HEAD.size))
            items = _items(read_at(file, tail.end - size, size - _HEAD.size), count)
            return Tag(tail.start, tail.end - tail.start, version, flags, items)
    if read_at(file, end - _HEAD.size, _HEAD.size).startswith(tails.APE_PREAMBLE):
        raise TagError("its APEv2 tag is damaged.")
    return Tag(at=end)


def fields(tag: Tag) -> Fields:
    """Return the values that mgtag reads."""

    def text(key: str) -> list[str]:
        return [value.decode("utf-8", "replace") for value in _values(tag, key.encode())]

    keys = {
        "title": "Title",
        "artist": "Artist",
        "album": "Album",
        "date": "Year",
        "albumartist": "Album Artist",
        MGTAG: MGTAG,
    }
    found = {field: _names(field, _values(tag, _key_of(tag, field))) for field in WRITABLE}
    return {**{name: text(key) for name, key in keys.items()}, **found}


def edited(tag: Tag, edits: Edits, mgtag: str | None) -> Tag:
    """Return the tag with other values in some fields and, in a file's main tag, mgtag's own field.

    A field of a tag beside the main one, for which `mgtag` is None, changes only where it says
    something already, and not where that is other than what is to be kept.
    """
    for field, edit in edits.items():
        tag = _with(tag, field, edit, main=mgtag is not None)
    if mgtag is None:
        return tag
    items = [item for item in tag.items if not is_edited(item, ())]
    return replace(tag, items=(*items, Item(MGTAG.encode(), 0, mgtag.encode())))


def _with(tag: Tag, field: str, edit: Edit, main: bool) -> Tag:
    key = _key_of(tag, field)
    old = _texts(tag, key)
    stored = _values(tag, key)
    n = genre.n_kept(stored, edit.kept, lambda values: _names(field, values))
    if not main and (not _names(field, stored) or (edit.kept and not n)):
        return tag
    like = old[0] if n else Item(key, 0, b"")
    values = [*stored[:n], *(name.encode() for name in edit.behind(n))]
    new = Item(like.key, like.flags, b"\0".join(values))
    places = {key.lower()} if n else {place.lower() for place in _KEYS[field]}
    return replace(tag, items=(*(item for item in tag.items if item.key.lower() not in places), new))


def is_edited(item: Item, fields: Collection[str]) -> bool:
    """Return whether `edited` exchanges this item, given edits of these fields."""
    keys = (key for field in fields for key in _KEYS[field])
    return item.key.lower() in {MGTAG.lower().encode(), *(key.lower() for key in keys)}


def write(file: BinaryIO, tag: Tag) -> None:
    """Put the tag in its place, leaving what follows as it is."""
    body = b"".join(
        struct.pack("<II", len(item.value), item.flags) + item.key + b"\0" + item.value for item in tag.items
    )

    def head(flags: int) -> bytes:
        return _HEAD.pack(
            tails.APE_PREAMBLE, tag.version, len(body) + _HEAD.size, len(tag.items), flags, bytes(8)
        )

    data = body + head(tag.flags & ~_IS_HEADER)
    if tag.flags & tails.APE_HAS_HEADER:
        data = head(tag.flags | _IS_HEADER) + data
    resize_bytes(file, tag.length, len(data), tag.at)
    file.seek(tag.at)
    file.write(data)


def from_id3v1(at: int, frames: Mapping[str, Any]) -> Tag:
    """Return a new tag with the fields of an ID3v1 block, which it would hide from players."""
    found = ((key, frames[name]) for name, key in _ID3V1_KEYS.items() if name in frames)
    return Tag(at, items=tuple(Item(key, 0, str(frame.text[0]).encode()) for key, frame in found))


def _key_of(tag: Tag, field: str) -> bytes:
    """Return where a field's values stand in this tag, or would."""
    return next((key for key in _KEYS[field] if any(_values(tag, key))), _KEYS[field][0])


def _texts(tag: Tag, key: bytes) -> list[Item]:
    return [item for item in tag.items if item.key.lower() == key.lower() and not item.flags & _KIND]


def _values(tag: Tag, key: bytes) -> list[bytes]:
    return [value for item in _texts(tag, key) for value in item.value.split(b"\0")]


def _names(field: str, values: Sequence[bytes]) -> Names:
    return genre.names(field, (value.decode("utf-8", "replace") for value in values))


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
