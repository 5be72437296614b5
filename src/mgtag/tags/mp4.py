"""MP4 (m4a, AAC and ALAC) item lists, kept atom by atom but for the genre's and ours."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, BinaryIO

from mutagen import PaddingInfo
from mutagen.mp4 import MP4
from mutagen.mp4._atom import Atoms

from mgtag.tags import genres as genre
from mgtag.tags.fields import MGTAG, Fields

NAME = "MP4"
_OWN = f"----:com.apple.iTunes:{MGTAG}"
_PADDING = 1024  # bytes, where the list has to grow anyway


class Mp4:
    """An MP4 file."""

    def read(self, file: BinaryIO) -> tuple[str, Fields]:
        """Return the kind of tag and its fields."""
        file.seek(0)
        tags: Any = MP4(file).tags or {}

        def text(*keys: str) -> list[str]:
            values = [value for key in keys for value in tags.get(key, [])]
            return [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]

        mood = [key for key in tags if key.lower() == "----:com.apple.itunes:mood"]
        keys = {"title": ["©nam"], "artist": ["©ART"], "album": ["©alb"], "mood": mood, MGTAG: [_OWN]}
        return NAME, {
            **{name: text(*key) for name, key in keys.items()},
            "genre": genre.parse(text("©gen")),  # mutagen adds the numbers of gnre
        }

    def write(self, file: BinaryIO, names: Sequence[str], mgtag: str) -> None:
        """Exchange the genres and mgtag's own field."""
        kept = [atom for atom in _atoms(file) if not _is_ours(*atom)]
        file.seek(0)
        mp4: Any = MP4(file)
        if mp4.tags is None:
            mp4.add_tags()
        tags = mp4.tags
        # What mutagen could not read it writes back as it was. So let that be everything but ours:
        # types, locales and lengths of atoms stay what they were.
        tags.clear()
        tags._failed_atoms = {}
        for name, data in kept:
            tags._failed_atoms.setdefault(name.decode("latin-1"), []).append(data)
        tags["©gen"] = list(names)
        tags[_OWN] = [mgtag.encode()]
        file.seek(0)
        mp4.save(file, padding=_keep_padding)

    def others(self, file: BinaryIO) -> Iterator[Hashable]:
        """Yield all that a change of genre must leave as it is."""
        yield from (atom for atom in _atoms(file) if not _is_ours(*atom))


def _keep_padding(info: PaddingInfo) -> int:
    return info.padding if info.padding >= 0 else _PADDING


def _atoms(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(0)
    atoms = Atoms(file)
    if b"moov.udta.meta.ilst" in atoms:
        for atom in atoms[b"moov.udta.meta.ilst"].children:
            yield atom.name, atom.read(file)[1]


def _is_ours(name: bytes, data: bytes) -> bool:
    if name != b"----":
        return name in (b"\xa9gen", b"gnre")
    at = int.from_bytes(data[:4], "big")  # past who means it, to what it is called
    return data[at + 12 : at + int.from_bytes(data[at : at + 4], "big")] == MGTAG.encode()
