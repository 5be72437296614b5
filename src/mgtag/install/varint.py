"""Protocol Buffers' integers: seven bits a byte, the lowest first, the top bit set on all but the last."""

from __future__ import annotations


def encode(number: int) -> bytes:
    """Return a number as its bytes."""
    low = bytes([number & 127 | (128 if number > 127 else 0)])
    return low + encode(number >> 7) if number > 127 else low


def decode(raw: bytes, at: int) -> tuple[int, int]:
    """Return the number that stands at a place, and where it ends."""
    number = shift = 0
    while True:
        byte = raw[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
