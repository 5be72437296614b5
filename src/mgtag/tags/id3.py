"""An ID3v2 tag as a list of raw frames: taken apart and put together without re-encoding any of them.

It keeps its version, 2.2 included. What the frames mean is `mgtag.tags.id3_fields`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from mutagen.id3 import BitPaddedInt, Frames
from mutagen.id3._tags import determine_bpi
from mutagen.id3._util import unsynch

from mgtag.errors import TagError
from mgtag.tags.padding import PADDING

UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10


@dataclass(frozen=True)
class Frame:
    """One frame: its name, and all its bytes, header included."""

    name: bytes
    raw: bytes


@dataclass(frozen=True)
class Tag:
    """An ID3v2 tag as a list of raw frames.

    Attributes
    ----------
    version : int
        2, 3 or 4.
    flags : int
        The header's, less "extended header", which holds sizes and checksums of what was there,
        and less the unsynchronisation of whole tags (2.2, 2.3), which FFmpeg cannot read.
    frames : tuple of Frame
        In the file's order, with that unsynchronisation undone.
    rest : bytes
        What stands behind the last readable frame, where it is more than zeros.
    length : int
        Bytes that the tag takes in its file, header and footer included; 0 for a new one.
    plain_sizes : bool
        Whether frame sizes are ordinary integers: before 2.4, and as iTunes used to write 2.4.
    """

    version: int = 4
    flags: int = 0
    frames: tuple[Frame, ...] = ()
    rest: bytes = b""
    length: int = 0
    plain_sizes: bool = False

    @property
    def name(self) -> str:
        """Return the kind of tag, such as ``"ID3v2.3"``."""
        return f"ID3v2.{self.version}"


def length(header: bytes) -> int:
    """Return how many bytes the tag with these first 10 bytes takes; 0 if it is none.

    Raises
    ------
    TagError
        If it begins like a tag and cannot be one: writing another in front would hide it.
    """
    if header[:3] != b"ID3":
        return 0
    if len(header) < 10 or max(header[6:10]) > 127:
        raise TagError("its ID3 tag is damaged.")
    return 10 + int(BitPaddedInt(header[6:10])) + (10 if header[3] == 4 and header[5] & _FOOTER else 0)


def parse(data: bytes) -> Tag:
    """Take an ID3v2 tag apart.

    Raises
    ------
    TagError
        If it is cut short, or of a version nobody has published.
    """
    total = length(data[:10])
    if not total:
        raise TagError("there is no ID3 tag.")
    version, flags = data[3], data[5]
    if version not in (2, 3, 4) or (version == 2 and flags & _EXTENDED):
        raise TagError(f"its ID3v2.{version} tag is of a kind that nothing can read.")
    if len(data) < total:
        raise TagError("its ID3 tag is cut short.")
    body = data[10 : 10 + int(BitPaddedInt(data[6:10]))]
    if version < 4 and flags & UNSYNCHRONISED:
        with suppress(ValueError):  # some set the flag only
            body = unsynch.decode(body)
        flags &= ~UNSYNCHRONISED
    if flags & _EXTENDED and body[:4].decode("latin-1") not in Frames:  # the same
        body = body[_extended_header_length(version, body) :]
    plain = version < 4 or determine_bpi(body, Frames) is int
    frames, rest = _split(body, version, plain)
    if not rest.strip(b"\0"):
        rest = b""
    return Tag(version, flags & ~_EXTENDED, frames, rest, total, plain)


def in_front(file: BinaryIO) -> list[Tag]:
    """Return the tags that a file begins with: one, as a rule, or none."""
    found, end = [], end_of_front(file)
    file.seek(0)
    while file.tell() < end:
        head = file.read(10)
        found.append(parse(head + file.read(length(head) - 10)))
    return found


def end_of_front(file: BinaryIO) -> int:
    """Return where the tags that a file begins with end."""
    end = 0
    while True:
        file.seek(end)
        n = length(file.read(10))
        if not n:
            return end
        end += n


def render(tag: Tag) -> bytes:
    """Put a tag together, in the room of the old one where it fits, with zeros behind it."""
    body = b"".join(frame.raw for frame in tag.frames) + tag.rest
    footer = tag.version == 4 and tag.flags & _FOOTER
    if not footer and not tag.rest:  # a footer allows no padding, and an odd rest stays what it is
        room = tag.length - 10
        body = body.ljust(room if room >= len(body) else len(body) + PADDING, b"\0")
    if len(body) >= 1 << 28:
        raise TagError("its ID3 tag would be larger than such a tag can be.")
    head = bytes([tag.version, 0, tag.flags]) + BitPaddedInt.to_str(len(body), width=4)
    return b"ID3" + head + body + (b"3DI" + head if footer else b"")


def text_frame(tag: Tag, name: bytes, text: str, encoding: int | None = None) -> Frame:
    """Encode a text: in the given encoding if possible, and in the version's own otherwise."""
    body = _encode(text, encoding)
    if body is None and tag.version == 4:
        body = _encode(text, 3)  # UTF-8 has no 0xFF: nothing to unsynchronise
    body = body or _encode(text, 0 if text.isascii() else 1) or b""
    if tag.version == 2:
        return Frame(name, name + len(body).to_bytes(3, "big") + body)
    size = len(body).to_bytes(4, "big") if tag.plain_sizes else BitPaddedInt.to_str(len(body), width=4)
    return Frame(name, name + size + b"\0\0" + body)


def _encode(text: str, encoding: int | None) -> bytes | None:
    encode: dict[int | None, Callable[[], bytes]] = {
        0: lambda: text.encode("latin-1"),
        1: lambda: _utf16(text),
        2: lambda: text.encode("utf-16-be"),
        3: lambda: text.encode("utf-8"),
    }
    try:
        return bytes([encoding or 0]) + encode[encoding]()
    except (KeyError, UnicodeEncodeError):
        return None


def _utf16(text: str) -> bytes:
    """Encode with a byte order mark before every string, as the standard wants it."""
    return "\0".encode("utf-16-le").join(b"\xff\xfe" + part.encode("utf-16-le") for part in text.split("\0"))


def head_length(tag: Tag) -> int:
    """Return how many bytes of a frame are its header."""
    return 6 if tag.version == 2 else 10


def _split(body: bytes, version: int, plain: bool) -> tuple[tuple[Frame, ...], bytes]:
    frames = []
    head, name_length = (6, 3) if version == 2 else (10, 4)
    at = 0
    while len(body) - at >= head and body[at : at + name_length].strip(b"\0"):
        size_bytes = body[at + name_length : at + (6 if version == 2 else 8)]
        size = int.from_bytes(size_bytes, "big") if plain else int(BitPaddedInt(size_bytes))
        end = at + head + size
        if end > len(body):
            break
        frames.append(Frame(body[at : at + name_length], body[at:end]))
        at = end
    return tuple(frames), body[at:]


def _extended_header_length(version: int, body: bytes) -> int:
    size = body[:4]
    n = int(BitPaddedInt(size)) if version == 4 else 4 + int.from_bytes(size, "big")
    if not 6 <= n <= 20:  # what the standards allow; anything else would be frames, thrown away
        raise TagError("the extended header of its ID3 tag is damaged.")
    return n
