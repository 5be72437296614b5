"""Where the tags behind the sound stand: APEv2, Lyrics3 and ID3v1, as many as there are, in any order.

FFmpeg must not take them for sound, and whoever edits one must leave the others where they are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO, Literal

APE_PREAMBLE = b"APETAGEX"
APE_HEAD = 32  # bytes of an APEv2 header, and of its footer
APE_HAS_HEADER = 1 << 31  # in the footer's flags
ID3V1 = 128  # bytes
_LYRICS_END, _LYRICS_BEGIN, _LYRICS_DIGITS = b"LYRICS200", b"LYRICSBEGIN", 6


@dataclass(frozen=True)
class Tail:
    """One tag behind the sound, and where it stands in its file, in bytes."""

    kind: Literal["APEv2", "Lyrics3", "ID3v1"]
    start: int
    end: int


def find_tails(file: BinaryIO) -> tuple[Tail, ...]:
    """Find the tags at the end of an open file, the last one first."""
    found: list[Tail] = []
    end = file.seek(0, os.SEEK_END)
    while tail := _before(file, end):
        found.append(tail)
        end = tail.start
    return tuple(found)


def end_of_sound(file: BinaryIO) -> int:
    """Return where the first of the tags behind the sound begins: the file's end where there is none."""
    found = find_tails(file)
    return found[-1].start if found else file.seek(0, os.SEEK_END)


def _before(file: BinaryIO, end: int) -> Tail | None:
    """Return the tag that ends here, if one does."""
    start = max(0, end - ID3V1)
    block = read_at(file, start, end - start)
    footer = block[-APE_HEAD:]
    # APEv2 first: in a tag of 131 bytes, the TAG of its header's APETAGEX stands where ID3v1 has its own.
    if footer.startswith(APE_PREAMBLE) and len(footer) == APE_HEAD:
        size = int.from_bytes(footer[12:16], "little")
        has_header = int.from_bytes(footer[20:24], "little") & APE_HAS_HEADER
        length = size + (APE_HEAD if has_header else 0)
        if size >= APE_HEAD and length <= end:
            return Tail("APEv2", end - length, end)
    if len(block) == ID3V1 and block.startswith(b"TAG"):
        return Tail("ID3v1", end - ID3V1, end)
    digits = block[-len(_LYRICS_END) - _LYRICS_DIGITS : -len(_LYRICS_END)]
    if block.endswith(_LYRICS_END) and len(digits) == _LYRICS_DIGITS and digits.isdigit():
        start = end - len(_LYRICS_END) - _LYRICS_DIGITS - int(digits)
        if read_at(file, start, len(_LYRICS_BEGIN)) == _LYRICS_BEGIN:
            return Tail("Lyrics3", start, end)
    return None


def read_at(file: BinaryIO, at: int, n: int) -> bytes:
    """Return up to `n` bytes from a place in a file; none from before its beginning."""
    if at < 0:
        return b""
    file.seek(at)
    return file.read(n)
