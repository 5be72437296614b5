"""ID3v2 tags, edited frame by frame without re-encoding what is not ours.

mutagen reads the values. It would also write a tag, but through its own idea of every frame:
flags, encodings, odd sizes and frames of another version would be normalised or lost. Here a
tag is a list of raw frames, of which only those of the edited fields and mgtag's own are exchanged; the tag
keeps its version, 2.2 included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from mutagen.id3 import ID3, BitPaddedInt, Frames, TextFrame
from mutagen.id3._tags import determine_bpi
from mutagen.id3._util import unsynch

from mgtag.errors import TagError
from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, WRITABLE, Edit, Edits, Fields
from mgtag.tags.padding import PADDING

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_GENRE_IDS = (b"TCO", b"TCON", b"TCO\0")
_OWN = f"TXXX:{MGTAG}"
# Where a field's values may stand; the first that says something is believed.
_PLACES = {
    "genre": ("TCON",),
    "mood": ("TMOO", "TXXX:MOOD", "TXXX:Mood", "TXXX:mood"),
    "bpm": ("TBPM",),
    "key": ("TKEY",),
}
_LONG = {**dict.fromkeys(_GENRE_IDS, "TCON"), b"TBP": "TBPM", b"TKE": "TKEY"}  # names of 2.2, as of 2.4
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
    if not total:
        raise TagError("there is no ID3 tag.")
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


def fields(tag: Tag) -> Fields:
    """Return the values that mgtag reads, through mutagen."""
    found = _load(tag, tag.frames)
    return {
        **{key: _text(found, name) for key, name in _KEYS.items()},
        "date": _text(found, "TDRC") or _text(found, "TYER"),
        "genre": genre.parse(_text(found, "TCON"), slash=_is_single(tag)),
        **{field: genre.names(field, _text(found, _key_of(tag, field, found))) for field in WRITABLE[1:]},
        MGTAG: _text(found, f"TXXX:{MGTAG}"),
    }


def edited(tag: Tag, edits: Edits, mgtag: str | None) -> Tag:
    """Return the tag with other values in some fields and, in a file's main tag, mgtag's own field.

    A field of a tag beside the main one, for which `mgtag` is None, changes only where it says
    something already, and not where that is other than what is to be kept.
    """
    for field, edit in edits.items():
        tag = _with(tag, field, edit, main=mgtag is not None)
    return tag if mgtag is None else _exchanged(tag, (_OWN,), _OWN, mgtag)


def _with(tag: Tag, field: str, edit: Edit, main: bool) -> Tag:
    stored, separator = _stored(tag, field)
    n = genre.n_kept(stored, edit.kept, lambda few: genre.names(field, few, slash=separator == "/"))
    if not main and (not genre.names(field, stored) or (edit.kept and not n)):
        return tag
    new = list(edit.behind(n))
    references = field == "genre" and tag.version < 4
    if references:  # a "(" at the beginning would be one
        new = ["(" + name if name.startswith("(") else name for name in new]
    text = (separator if n else "\0").join([*stored[:n], *new])
    if references and "/" in text and len(edit.names) == 1:
        text += "\0"  # a lone "Rock/Pop" would be two genres
    if not n:
        return _exchanged(tag, _PLACES[field], _default_key(tag, field), text)
    key = _key_of(tag, field)
    return _exchanged(tag, (key,), key, text, _encoding(tag, key))


def _exchanged(tag: Tag, old: Collection[str], key: str, text: str, encoding: int | None = None) -> Tag:
    """Return the tag with one new frame instead of all those with the old keys."""
    name, _, description = key.partition(":")
    text = f"{description}\0{text}" if description else text
    short = name.encode()[:3] if tag.version == 2 else name.encode()
    frames = (frame for frame in tag.frames if _key(tag, frame) not in old)
    return replace(tag, frames=(*frames, _frame(tag, short, text, encoding)))


def is_edited(tag: Tag, frame: Frame, fields: Collection[str]) -> bool:
    """Say whether `edited` may exchange this frame, given edits of these fields."""
    return _key(tag, frame) in {_OWN, *(key for field in fields for key in _PLACES[field])}


def others(tag: Tag, fields: Collection[str]) -> Iterator[Hashable]:
    """Yield all that an edit of these fields must leave as it is."""
    yield from (frame for frame in tag.frames if not is_edited(tag, frame, fields))
    yield tag.rest


def _key(tag: Tag, frame: Frame) -> str:
    """Return what a frame is called in 2.4, with the description of one that anybody may name."""
    if frame.name in _LONG:
        return _LONG[frame.name]
    if frame.name in (b"TXX", b"TXXX"):
        return next(iter(_load(tag, [frame])), "TXXX")
    return frame.name.decode("latin-1")


def _key_of(tag: Tag, field: str, found: ID3 | None = None) -> str:
    """Return where a field's values stand in this tag, or would."""
    said = _load(tag, tag.frames) if found is None else found
    return next((key for key in _PLACES[field] if _text(said, key)), _default_key(tag, field))


def _default_key(tag: Tag, field: str) -> str:
    return "TXXX:MOOD" if field == "mood" and tag.version < 4 else _PLACES[field][0]


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


def _text(found: ID3, name: str) -> list[str]:
    return [str(value) for frame in found.getall(name) for value in frame.text]


def _stored(tag: Tag, field: str) -> tuple[list[str], str]:
    """Return the values of a field as they are stored, and what separates them."""
    found = _load(tag, tag.frames)
    stored = _text(found, _key_of(tag, field, found))
    if field == "genre" and _is_single(tag) and genre.parse(stored, slash=True) != genre.parse(stored):
        return [part for value in stored for part in value.split("/")], "/"
    return stored, "\0"


def _is_single(tag: Tag) -> bool:
    """Say whether a slash separates genres: in a field without NUL, before 2.4 brought several values."""
    return tag.version < 4 and not any(_is_multiple(tag, frame) for frame in tag.frames)


def _encoding(tag: Tag, key: str) -> int | None:
    """Return the encoding of the frame that is there, so that what stays of it stays to the byte."""
    for frame in tag.frames:
        if _key(tag, frame) == key and not tag.flags & _UNSYNCHRONISED:
            return frame.raw[_head_length(tag)] if len(frame.raw) > _head_length(tag) else None
    return None


def _head_length(tag: Tag) -> int:
    return 6 if tag.version == 2 else 10


def _frame(tag: Tag, name: bytes, text: str, encoding: int | None = None) -> Frame:
    """Encode a text: as asked if that can be, and in the version's own way otherwise."""
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


def _is_multiple(tag: Tag, frame: Frame) -> bool:
    if frame.name not in _GENRE_IDS:
        return False
    body = frame.raw[_head_length(tag) :]
    nul = b"\0\0" if body[:1] in (b"\1", b"\2") else b"\0"
    text = body[1:]
    return any(text[i : i + len(nul)] == nul for i in range(0, len(text), len(nul)))


def _extended_header_length(version: int, body: bytes) -> int:
    size = body[:4]
    n = int(BitPaddedInt(size)) if version == 4 else 4 + int.from_bytes(size, "big")
    if not 6 <= n <= 20:  # what the standards allow; anything else would be frames, thrown away
        raise TagError("the extended header of its ID3 tag is damaged.")
    return n
