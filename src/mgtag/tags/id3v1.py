"""The last 128 bytes of an mp3: ID3v1. Only its genre number is ever changed."""

from __future__ import annotations

import os
from typing import BinaryIO

from mutagen.id3 import ParseID3v1, TextFrame

from mgtag.tags import genres as genre

LENGTH = 128


def block(file: BinaryIO) -> bytes:
    """Return the file's ID3v1 block, or nothing where it has none."""
    size = file.seek(0, os.SEEK_END)
    if size < LENGTH:
        return b""
    file.seek(size - LENGTH)
    data = file.read(LENGTH)
    return data if data[:3] == b"TAG" else b""


def frames(data: bytes) -> dict[str, TextFrame]:
    """Return what a block says, as the frames of an ID3v2.4 tag."""
    return (ParseID3v1(data) or {}) if data else {}


def set_genre(file: BinaryIO, name: str) -> None:
    """Write the genre's number; 255, "none", where the list of 1996 does not know it.

    The old number would contradict the genre that is written beside it.
    """
    if block(file):
        file.seek(-1, os.SEEK_END)
        file.write(bytes([genre.id3v1_number(name)]))
