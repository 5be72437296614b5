"""The stored offsets of an MP4's fragments, corrected when tags before them grow or shrink.

mutagen corrects the places of chunks, and of the first fragment. Those of the others (`tfhd` with a
base offset) and the table behind all of them (`tfra`, for seeking) are corrected here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from mutagen.mp4._atom import Atoms

from mgtag.errors import TagError

_BASE_DATA_OFFSET = 1  # flag of a tfhd
_TFRA_HEAD = 24  # bytes before its entries


@dataclass(frozen=True)
class _Place:
    """A number that is a place in the file: where it is stored, in how many bytes, and what it is."""

    at: int
    size: int
    value: int


@contextmanager
def kept(file: BinaryIO) -> Iterator[None]:
    """Correct the places of fragments once the tags in `moov` have been written.

    Raises
    ------
    TagError
        If a table of fragments is damaged, or has no room for the new places.
    """
    places, before = list(_places(file)), file.seek(0, os.SEEK_END)
    yield
    grown = file.seek(0, os.SEEK_END) - before
    tags = Atoms(_rewound(file))[b"moov"].offset if places else 0
    for place in places:
        if place.value > tags:
            file.seek(place.at + (grown if place.at > tags else 0))
            try:
                file.write((place.value + grown).to_bytes(place.size, "big"))
            except OverflowError as error:
                raise TagError("its table of fragments has no room for so large a file.") from error


def _places(file: BinaryIO) -> Iterator[_Place]:
    tops = Atoms(_rewound(file)).atoms
    for moof in [atom for atom in tops if atom.name == b"moof"][1:]:
        for tfhd in moof.findall(b"tfhd", True):
            if _number(file, tfhd.offset + 8, 4).value & _BASE_DATA_OFFSET:
                yield _number(file, tfhd.offset + 16, 8)
    for mfra in (atom for atom in tops if atom.name == b"mfra"):
        yield from _random_access(file, mfra.offset + 8, mfra.offset + mfra.length)


def _random_access(file: BinaryIO, at: int, end: int) -> Iterator[_Place]:
    """Yield the places in the `tfra` tables of an `mfra`: an entry is a time, a place, and three numbers."""
    while at + 8 <= end:
        size = _number(file, at, 4).value
        if file.read(4) == b"tfra":
            version, lengths, count = struct.unpack(">B7xII", file.read(16))
            wide = 8 if version else 4
            entry = 2 * wide + sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
            if _TFRA_HEAD + count * entry > size:
                raise TagError("its table of fragments is damaged.")
            for n in range(count):
                yield _number(file, at + _TFRA_HEAD + n * entry + wide, wide)
        at += max(size, 8)


def _number(file: BinaryIO, at: int, size: int) -> _Place:
    file.seek(at)
    return _Place(at, size, int.from_bytes(file.read(size), "big"))


def _rewound(file: BinaryIO) -> Any:
    file.seek(0)
    return file
