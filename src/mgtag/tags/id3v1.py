"""ID3v1: 128 bytes behind the sound. Only the genre number is ever changed."""

from __future__ import annotations

from typing import BinaryIO

from mutagen.id3 import ParseID3v1, TextFrame

from mgtag import tails
from mgtag.tags import genres as genre
from mgtag.tags.fields import Names


def blocks(file: BinaryIO) -> list[bytes]:
    """Return the file's ID3v1 blocks, the last one first: one, as a rule, or none."""
    return [_read(file, tail) for tail in tails.find_tails(file) if tail.kind == "ID3v1"]


def frames(data: bytes) -> dict[str, TextFrame]:
    """Return a block's fields as frames of an ID3v2.4 tag."""
    return (ParseID3v1(data) or {}) if data else {}


def room_for(names: Names) -> Names:
    """Return what of these genres a block can hold: the first, if it is in the list of 1996."""
    return genre.parse([f"({genre.id3v1_number(names[0])})"]) if names else ()


def set_genre(file: BinaryIO, name: str) -> None:
    """Write the genre's number; 255, "none", where it is not in the list of 1996.

    The old number would contradict the genre that is written beside it.
    """
    for tail in tails.find_tails(file):
        if tail.kind == "ID3v1":
            file.seek(tail.end - 1)
            file.write(bytes([genre.id3v1_number(name)]))


def _read(file: BinaryIO, tail: tails.Tail) -> bytes:
    file.seek(tail.start)
    return file.read(tail.end - tail.start)
