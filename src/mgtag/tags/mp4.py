"""MP4 (m4a, AAC and ALAC) item lists, kept atom by atom but for the genre's and ours."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, BinaryIO

from mutagen.mp4 import MP4
from mutagen.mp4._atom import Atoms

from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, Edit, Names, Source
from mgtag.tags.padding import keep_padding

NAME = "MP4"
_OWN = f"----:com.apple.iTunes:{MGTAG}"
_DATA_HEAD = 16  # bytes of a data atom: size, name, type, locale
_UTF8, _UTF16 = 1, 2  # its types


class Mp4:
    """An MP4 file."""

    def read(self, file: BinaryIO) -> tuple[str, list[Source]]:
        """Return the kind of tag, and what it says: the genre's name and, a tag of its own, its number."""
        file.seek(0)
        tags: Any = MP4(file).tags or {}

        def text(*keys: str) -> list[str]:
            values = [value for key in keys for value in tags.get(key, [])]
            return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]

        mood = [key for key in tags if key.lower() == "----:com.apple.itunes:mood"]
        keys = {"title": ["©nam"], "artist": ["©ART"], "album": ["©alb"], "mood": mood, MGTAG: [_OWN]}
        found = {name: text(*key) for name, key in keys.items()}
        names, numbers = _stored(file, b"\xa9gen"), _stored(file, b"gnre")
        return NAME, [Source({**found, "genre": _names(names)}), Source({"genre": _numbered(numbers)})]

    def write(self, file: BinaryIO, edit: Edit) -> None:
        """Exchange the genres and mgtag's own field."""
        kept = [atom for atom in _atoms(file) if not _is_ours(*atom) or (edit.kept and atom[0] == b"gnre")]
        stored = _stored(file, b"\xa9gen")
        n = genre.n_kept(stored, edit.kept, _names)
        file.seek(0)
        mp4: Any = MP4(file)
        if mp4.tags is None:
            mp4.add_tags()
        tags = mp4.tags
        # What mutagen could not read it writes back as it was. So let that be everything: types,
        # locales and lengths of atoms stay what they were.
        tags.clear()
        atoms = tags._failed_atoms = {"©gen": [b"".join([*stored[:n], *map(_data, edit.behind(n))])]}
        own = _atom(b"mean", bytes(4) + b"com.apple.iTunes") + _atom(b"name", bytes(4) + MGTAG.encode())
        for name, data in [*kept, (b"----", own + _data(edit.mgtag))]:
            atoms.setdefault(name.decode("latin-1"), []).append(data)
        file.seek(0)
        mp4.save(file, padding=keep_padding)

    def others(self, file: BinaryIO) -> Iterator[Hashable]:
        """Yield all that a change of genre must leave as it is."""
        yield from (atom for atom in _atoms(file) if not _is_ours(*atom))


def _atoms(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(0)
    atoms = Atoms(file)
    if b"moov.udta.meta.ilst" in atoms:
        for atom in atoms[b"moov.udta.meta.ilst"].children:
            yield atom.name, atom.read(file)[1]


def _stored(file: BinaryIO, name: bytes) -> list[bytes]:
    """Return the data atoms below the item atoms of a name, as they are."""
    found = []
    for data in (data for atom, data in _atoms(file) if atom == name):
        at = 0
        while at + _DATA_HEAD <= len(data):
            size = max(_DATA_HEAD, int.from_bytes(data[at : at + 4], "big"))
            found.append(data[at : at + size])
            at += size
    return found


def _names(stored: Sequence[bytes]) -> Names:
    return genre.parse(data[_DATA_HEAD:].decode(_encoding(data), "replace") for data in stored)


def _encoding(data: bytes) -> str:
    return "utf-16-be" if int.from_bytes(data[8:12], "big") == _UTF16 else "utf-8"


def _numbered(stored: Sequence[bytes]) -> Names:
    """Return the genres of these numbers, which count the ID3v1 list from 1."""
    numbers = (int.from_bytes(data[_DATA_HEAD:], "big") - 1 for data in stored)
    return genre.parse(f"({n})" for n in numbers if n >= 0)


def _data(text: str) -> bytes:
    return _atom(b"data", struct.pack(">II", _UTF8, 0) + text.encode())


def _atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def _is_ours(name: bytes, data: bytes) -> bool:
    if name != b"----":
        return name in (b"\xa9gen", b"gnre")
    at = int.from_bytes(data[:4], "big")  # past who means it, to what it is called
    return data[at + 12 : at + int.from_bytes(data[at : at + 4], "big")] == MGTAG.encode()
