"""The fields of an ID3v2 tag: read through mutagen, edited frame by frame.

mutagen would also write a tag, but through its own idea of every frame: flags, encodings, odd sizes and
frames of another version would be normalised or lost. Here only the frames of the edited fields and
mgtag's own are exchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO

from mutagen.id3 import ID3, BitPaddedInt, TextFrame

from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, WRITABLE, Edit, Edits, Fields
from mgtag.tags.id3 import UNSYNCHRONISED, Frame, Tag, head_length, parse, text_frame

_GENRE_IDS = (b"TCO", b"TCON", b"TCO\0")
_OWN = f"TXXX:{MGTAG}"
# Where a field's values may stand; the first that has a value is used.
_PLACES = {
    "genre": ("TCON",),
    "mood": ("TMOO", "TXXX:MOOD", "TXXX:Mood", "TXXX:mood"),
    "bpm": ("TBPM",),
    "key": ("TKEY",),
}
_LONG = {**dict.fromkeys(_GENRE_IDS, "TCON"), b"TBP": "TBPM", b"TKE": "TKEY"}  # names of 2.2, as of 2.4
_KEYS = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "albumartist": "TPE2"}


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


def from_id3v1(frames: dict[str, TextFrame]) -> Tag:
    """Return a new 2.4 tag with the fields of an ID3v1 block."""
    if not frames:
        return Tag()
    tags = ID3()
    for frame in frames.values():
        tags.add(frame)
    file = BytesIO()
    tags.save(file, v1=0)
    return Tag(frames=parse(file.getvalue()).frames)


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
    return replace(tag, frames=(*frames, text_frame(tag, short, text, encoding)))


def is_edited(tag: Tag, frame: Frame, fields: Collection[str]) -> bool:
    """Return whether `edited` may exchange this frame, given edits of these fields."""
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


def _load(tag: Tag, frames: Sequence[Frame]) -> ID3:
    body = b"".join(frame.raw for frame in frames)
    head = (
        b"ID3" + bytes([tag.version, 0, tag.flags & UNSYNCHRONISED]) + BitPaddedInt.to_str(len(body), width=4)
    )
    return ID3(BytesIO(head + body), translate=False, load_v1=False)


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
    """Return whether a slash separates genres: in a field without NUL, before 2.4 brought several values."""
    return tag.version < 4 and not any(_is_multiple(tag, frame) for frame in tag.frames)


def _encoding(tag: Tag, key: str) -> int | None:
    """Return the encoding of the frame that is there, so that what stays of it stays to the byte."""
    for frame in tag.frames:
        if _key(tag, frame) == key and not tag.flags & UNSYNCHRONISED:
            return frame.raw[head_length(tag)] if len(frame.raw) > head_length(tag) else None
    return None


def _is_multiple(tag: Tag, frame: Frame) -> bool:
    if frame.name not in _GENRE_IDS:
        return False
    body = frame.raw[head_length(tag) :]
    nul = b"\0\0" if body[:1] in (b"\1", b"\2") else b"\0"
    text = body[1:]
    return any(text[i : i + len(nul)] == nul for i in range(0, len(text), len(nul)))
