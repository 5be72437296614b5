"""ID3v2 tags, edited frame by frame without re-encoding what is not ours.

mutagen reads the values. It would also write a tag, but through its own idea of every frame:
flags, encodings, odd sizes and frames of another version would be normalised or lost. Here a
tag is a list of raw frames, of which only the genre's and mgtag's own are exchanged; the tag
keeps its version, 2.2 included.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO

from mutagen.id3 import ID3, BitPaddedInt, Frames, TextFrame
from mutagen.id3._tags import determine_bpi
from mutagen.id3._util import unsynch

from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, Fields

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_PADDING = 1024  # bytes, where a tag has to grow anyway
_KEYS = {"title": "TIT2", "artist": "TPE1", "album": "TALB"}


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
    version, flags = data[3], data[5]
    if version not in (2, 3, 4) or (version == 2 and flags & _EXTENDED):
        raise TagError(f"its ID3v2.{version} tag is of a kind that nothing can read.")
    if len(data) < total:
        raise TagError("its ID3 tag is cut short.")
    body = data[10 : 10 + int(BitPaddedInt(data[6:10]))]
    if version < 4 and flags & _UNSYNCHRONISED:
        with suppress(ValueError):  # some set the flag only
            body = unsynch.decode(body)
        flags &= ~_UNSYNCHRONISED
    if flags & _EXTENDED and body[:4].decode("latin-1") not in Frames:  # the same
        body = body[_extended_header_length(version, body) :]
    plain = version < 4 or determine_bpi(body, Frames) is int
    frames, rest = _split(body, version, plain)
    if not rest.strip(b"\0"):
        rest = b""
    return Tag(version, flags & ~_EXTENDED, frames, rest, total, plain)


def render(tag: Tag) -> bytes:
    """Put a tag together, in the room of the old one where it fits, with zeros behind it."""
    body = b"".join(frame.raw for frame in tag.frames) + tag.rest
    footer = tag.version == 4 and tag.flags & _FOOTER
    if not footer and not tag.rest:  # a footer allows no padding, and an odd rest stays what it is
        room = tag.length - 10
        body = body.ljust(room if room >= len(body) else len(body) + _PADDING, b"\0")
    if len(body) >= 1 << 28:
        raise TagError("its ID3 tag would be larger than such a tag can be.")
    head = bytes([tag.version, 0, tag.flags]) + BitPaddedInt.to_str(len(body), width=4)
    return b"ID3" + head + body + (b"3DI" + head if footer else b"")


def fields(tag: Tag) -> Fields:
    """Return the values that mgtag reads, through mutagen."""
    found = _load(tag, tag.frames)

    def text(key: str) -> list[str]:
        return [str(value) for frame in found.getall(key) for value in frame.text]

    # One value, no NUL in the field: what 2.3 had instead of several values was a slash.
    single = tag.version < 4 and sum(_is_multiple(tag, frame) for frame in tag.frames) == 0
    return {
        **{key: text(name) for key, name in _KEYS.items()},
        "genre": genre.parse(text("TCON"), slash=single),
        "mood": text("TMOO") or text("TXXX:MOOD") or text("TXXX:Mood") or text("TXXX:mood"),
        MGTAG: text(f"TXXX:{MGTAG}"),
    }


def edit(tag: Tag, names: Sequence[str], mgtag: str) -> Tag:
    """Return the tag with these genres, each a value of its own, and mgtag's own field."""
    genre_id, own_id = (b"TCO", b"TXX") if tag.version == 2 else (b"TCON", b"TXXX")
    text = "\0".join(names)
    if tag.version < 4:
        # A "(" at the beginning would be a reference, and a lone "Rock/Pop" two genres.
        text = "\0".join("(" + name if name.startswith("(") else name for name in names)
        text += "\0" if len(names) == 1 and "/" in text else ""
    new = [_frame(tag, genre_id, text), _frame(tag, own_id, f"{MGTAG}\0{mgtag}")]
    return replace(tag, frames=(*(frame for frame in tag.frames if not is_ours(tag, frame)), *new))


def is_ours(tag: Tag, frame: Frame) -> bool:
    """Say whether `edit` exchanges this frame: the genre, or mgtag's own field."""
    if frame.name in (b"TXX", b"TXXX"):
        return f"TXXX:{MGTAG}" in _load(tag, [frame])
    return frame.name in (b"TCO", b"TCON", b"TCO\0")


def from_id3v1(frames: dict[str, TextFrame]) -> Tag:
    """Return a new 2.4 tag that says what an ID3v1 block says."""
    if not frames:
        return Tag()
    tags = ID3()
    for frame in frames.values():
        tags.add(frame)
    file = BytesIO()
    tags.save(file, v1=0)
    return Tag(frames=parse(file.getvalue()).frames)


def _load(tag: Tag, frames: Sequence[Frame]) -> ID3:
    body = b"".join(frame.raw for frame in frames)
    head = (
        b"ID3"
        + bytes([tag.version, 0, tag.flags & _UNSYNCHRONISED])
        + BitPaddedInt.to_str(len(body), width=4)
    )
    return ID3(BytesIO(head + body), translate=False, load_v1=False)


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


def _frame(tag: Tag, name: bytes, text: str) -> Frame:
    if tag.version == 4:
        body = b"\3" + text.encode("utf-8")  # UTF-8 has no 0xFF: nothing to unsynchronise
    elif text.isascii():
        body = b"\0" + text.encode("ascii")
    else:
        body = b"\1" + _utf16(text)
    if tag.version == 2:
        return Frame(name, name + len(body).to_bytes(3, "big") + body)
    size = len(body).to_bytes(4, "big") if tag.plain_sizes else BitPaddedInt.to_str(len(body), width=4)
    return Frame(name, name + size + b"\0\0" + body)


def _utf16(text: str) -> bytes:
    """Encode with a byte order mark before every string, as the standard wants it."""
    return "\0".encode("utf-16-le").join(b"\xff\xfe" + part.encode("utf-16-le") for part in text.split("\0"))


def _is_multiple(tag: Tag, frame: Frame) -> bool:
    if frame.name not in (b"TCO", b"TCON", b"TCO\0"):
        return False
    body = frame.raw[6 if tag.version == 2 else 10 :]
    nul = b"\0\0" if body[:1] in (b"\1", b"\2") else b"\0"
    text = body[1:]
    return any(text[i : i + len(nul)] == nul for i in range(0, len(text), len(nul)))


def _extended_header_length(version: int, body: bytes) -> int:
    size = body[:4]
    n = int(BitPaddedInt(size)) if version == 4 else 4 + int.from_bytes(size, "big")
    if not 6 <= n <= 20:  # what the standards allow; anything else would be frames, thrown away
        raise TagError("the extended header of its ID3 tag is damaged.")
    return n
