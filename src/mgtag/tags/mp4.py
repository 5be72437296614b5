"""MP4 (m4a, AAC and ALAC) item lists, kept atom by atom but for the genre's and ours."""

from __future__ import annotations

import struct
from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO

from mutagen.mp4 import MP4
from mutagen.mp4._atom import Atoms

from mgtag.tags import fragments
from mgtag.tags import genres as genre
from mgtag.tags.fields import BPM, GENRE, KEY, MGTAG, MOOD, WRITABLE, Edits, Names, Source
from mgtag.tags.padding import keep_padding

NAME = "MP4"
_APPLE = "com.apple.iTunes"  # who means the atoms whose names anybody may choose
_FREE = b"----"
_OWN = f"----:{_APPLE}:{MGTAG}"
_DATA_HEAD = 16  # bytes of a data atom: size, name, type, locale
_UTF8, _UTF16, _INTEGER = 1, 2, 21  # its types
_ATOMS = {GENRE: b"\xa9gen", BPM: b"tmpo"}  # of the other fields Apple has none
_CALLED = {MOOD: ("MOOD",), KEY: ("initialkey", "KEY")}  # the first is written


class Mp4:
    """An MP4 file."""

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and its fields: the genre's name and, a tag of its own, its number."""
        file.seek(0)
        tags: Any = MP4(file).tags or {}

        def text(*keys: str) -> list[str]:
            values = [value for key in keys for value in tags.get(key, [])]
            return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]

        keys = {
            "title": "©nam",
            "artist": "©ART",
            "album": "©alb",
            "date": "©day",
            "albumartist": "aART",
            MGTAG: _OWN,
        }
        found = {name: text(key) for name, key in keys.items()}
        names = {field: _names(field, _stored(file, field)) for field in WRITABLE}
        return NAME, [Source({**found, **names}), Source({GENRE: _numbered(_stored(file, "number"))})]

    def write(self, file: BinaryIO, edits: Edits, mgtag: str) -> None:
        """Exchange some fields and mgtag's own."""
        new = []
        for field, edit in edits.items():
            stored = _stored(file, field)
            n = genre.n_kept(stored, edit.kept, partial(_names, field))
            data = b"".join([*stored[:n], *map(_whole if field == BPM else _data, edit.behind(n))])
            new.append(
                (_ATOMS[field], data) if field in _ATOMS else (_FREE, _named(_CALLED[field][0]) + data)
            )
        new.append((_FREE, _named(MGTAG) + _data(mgtag)))
        numbered = GENRE in edits and bool(edits[GENRE].kept)
        kept = [
            atom for atom in _atoms(file) if not _is_edited(*atom, edits) or (numbered and atom[0] == b"gnre")
        ]
        file.seek(0)
        mp4: Any = MP4(file)
        if mp4.tags is None:
            mp4.add_tags()
        tags = mp4.tags
        # What mutagen could not read it writes back as it was. So let that be everything: types,
        # locales and lengths of atoms stay what they were.
        tags.clear()
        atoms: dict[str, list[bytes]] = {}
        tags._failed_atoms = atoms
        for name, data in sorted([*kept, *new], key=lambda atom: atom[0] == _FREE):  # named ones last
            atoms.setdefault(name.decode("latin-1"), []).append(data)
        with fragments.kept(file):
            file.seek(0)
            mp4.save(file, padding=keep_padding)

    def others(self, file: BinaryIO, fields: Collection[str]) -> Iterator[Hashable]:
        """Yield all that a change of these fields must leave as it is."""
        yield from (atom for atom in _atoms(file) if not _is_edited(*atom, fields))


def _atoms(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(0)
    atoms = Atoms(file)
    if b"moov.udta.meta.ilst" in atoms:
        for atom in atoms[b"moov.udta.meta.ilst"].children:
            yield atom.name, atom.read(file)[1]


def _stored(file: BinaryIO, field: str) -> list[bytes]:
    """Return the data atoms below the items of a field, as they are; of "number", the genre's number."""
    found = []
    for name, data in _atoms(file):
        if _field(name, data) == field:
            at = 0
            while at + 8 <= len(data):
                size = max(8, int.from_bytes(data[at : at + 4], "big"))
                if data[at + 4 : at + 8] == b"data" and size >= _DATA_HEAD:
                    found.append(data[at : at + size])
                at += size
    return found


def _field(name: bytes, data: bytes) -> str:
    """Return which field an item is of."""
    if name == _FREE:
        at = int.from_bytes(data[:4], "big")  # past who means it, to what it is called
        mean, called = data[12:at], data[at + 12 : at + int.from_bytes(data[at : at + 4], "big")]
        if called == MGTAG.encode():
            return MGTAG
        lower = called.lower().decode("latin-1")
        found = (f for f, names in _CALLED.items() if lower in {known.lower() for known in names})
        return next(found, "") if mean.lower() == _APPLE.lower().encode() else ""
    return {b"gnre": "number", **{atom: field for field, atom in _ATOMS.items()}}.get(name, "")


def _names(field: str, stored: Sequence[bytes]) -> Names:
    return genre.names(field, (_text(field, data) for data in stored))


def _text(field: str, data: bytes) -> str:
    body = data[_DATA_HEAD:]
    if field == BPM and int.from_bytes(data[8:12], "big") != _UTF8:
        return str(int.from_bytes(body, "big"))
    return body.decode(_encoding(data), "replace")


def _encoding(data: bytes) -> str:
    return "utf-16-be" if int.from_bytes(data[8:12], "big") == _UTF16 else "utf-8"


def _numbered(stored: Sequence[bytes]) -> Names:
    """Return the genres of these numbers, which count the ID3v1 list from 1."""
    numbers = (int.from_bytes(data[_DATA_HEAD:], "big") - 1 for data in stored)
    return genre.parse(f"({n})" for n in numbers if n >= 0)


def _data(text: str) -> bytes:
    return _atom(b"data", struct.pack(">II", _UTF8, 0) + text.encode())


def _whole(text: str) -> bytes:
    return _atom(b"data", struct.pack(">IIH", _INTEGER, 0, round(float(text))))


def _atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _named(name: str) -> bytes:
    """Return how an item begins whose name anybody may choose."""
    return _atom(b"mean", bytes(4) + _APPLE.encode()) + _atom(b"name", bytes(4) + name.encode())


def _is_edited(name: bytes, data: bytes, fields: Collection[str]) -> bool:
    field = _field(name, data)
    return field == MGTAG or field in fields or (field == "number" and GENRE in fields)
