"""Size and duration in the header of an ASF file (wma), and their offsets.

FFmpeg guesses the length from the bit rate where the file is not as large as its header states, which
taggers that do not know of that number bring about.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
SIZE_AT = 16  # bytes into the object, past its head
_OBJECT = struct.Struct("<16sQ")  # what it is, its size
_HEADER_HEAD = 30  # bytes of the header before the objects in it
_PROPERTIES = struct.Struct("<16sQQQQQQI")  # id, size, date, packets, play and send time, preroll, flags
_BROADCAST = 1  # a stream that nobody had seen the end of: the numbers mean nothing
_TICKS, _MILLISECONDS = 10_000_000, 1_000  # a second


def find_properties(file: BinaryIO) -> int | None:
    """Return where the file's properties begin, past the head of their object."""
    file.seek(0)
    head = file.read(_HEADER_HEAD)
    if len(head) < _HEADER_HEAD or not head.startswith(HEADER):
        return None
    at, end = _HEADER_HEAD, _OBJECT.unpack_from(head)[1]
    while at + _OBJECT.size <= end:
        file.seek(at)
        data = file.read(_OBJECT.size)
        if len(data) < _OBJECT.size:
            return None
        kind, size = _OBJECT.unpack(data)
        if kind == FILE_PROPERTIES:
            return at + _OBJECT.size
        at += max(size, _OBJECT.size)
    return None


def length_s(file: BinaryIO) -> float:
    """Return the duration in the header, in seconds; 0 where there is none."""
    at = find_properties(file)
    file.seek(at or 0)
    data = file.read(_PROPERTIES.size)
    if at is None or len(data) < _PROPERTIES.size:
        return 0.0
    _, _, _, _, play, _, preroll, flags = _PROPERTIES.unpack(data)
    return 0.0 if flags & _BROADCAST else max(0.0, play / _TICKS - preroll / _MILLISECONDS)
