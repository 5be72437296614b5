"""SHA-256 of whole files, in bounded memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20  # bytes


class Digest:
    """A file that only remembers the SHA-256 of what was written to it."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Take in the next bytes."""
        self._digest.update(data)
        return len(data)

    def hexdigest(self) -> str:
        """Return what has come in so far, in 64 hexadecimal digits."""
        return self._digest.hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hash_and_copy(file)


def hash_and_copy(source: BinaryIO, sink: BinaryIO | None = None) -> str:
    """Return the SHA-256 of an open file, copying it on the way if asked."""
    found = Digest()
    source.seek(0)
    while chunk := source.read(_CHUNK):
        found.write(chunk)
        if sink is not None:
            sink.write(chunk)
    return found.hexdigest()
