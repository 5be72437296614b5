"""The test files of other tag libraries: tag each, compare all else, and put it back."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mutagen
from conftest import FakeTagger, Inline

from mgtag.bundle import Bundle
from mgtag.formats import SUFFIXES
from mgtag.library.events import Failed, Found, Tagged
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.library.undo import Undone, undo
from mgtag.tags import digest

_OWN = ("genre", "tcon", "tco", "gen", "gnre", "mgtag", "ignr")


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Put the audio files of a source package into a folder, numbered."""
    found = []
    for n, (name, data) in enumerate(_members(archive)):
        path = folder / f"{n:04}-{Path(name).name}"
        path.write_bytes(data)
        found.append(path)
    return found


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            yield from ((name, files.read(name)) for name in files.namelist() if _is_music(name))
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and _is_music(member.name) else None
            if file is not None:
                yield member.name, file.read()


def _is_music(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def check(paths: list[Path], bundle: Bundle, index: Path) -> Counter[str]:
    """Tag files, look whether all other tags are there as mutagen reads them, undo, and compare the bytes."""
    before = {path: (digest(path), others(path)) for path in paths}
    found = Counter[str](files=len(paths))
    with Index(index) as store:
        for event in scan(paths, FakeTagger(bundle), store, Policy(mode="overwrite"), Inline()):
            if isinstance(event, Tagged):
                found["tagged"] += 1
                was = before[event.path][1]
                found["compared"] += was is not None
                found["lost"] += was is not None and others(event.path) != was
            elif not isinstance(event, Found):
                found["refused" if isinstance(event, Failed) else "kept"] += 1
                found["damaged"] += digest(event.path) != before[event.path][0]
        if found["tagged"]:
            for undone in undo(store):
                found["undone"] += isinstance(undone, Undone)
    found["damaged"] += sum(digest(path) != sha for path, (sha, _) in before.items())
    found["out of step"] += found["tagged"] - found["undone"]
    return found


def others(path: Path) -> dict[str, str] | None:
    """Return what mutagen reads of a file but for the genre and mgtag's own field."""
    try:
        tags = mutagen.File(io.BytesIO(path.read_bytes())).tags or {}
        return {
            key: repr(value)
            for key, value in dict(tags).items()
            if not any(own in key.lower() for own in _OWN)
        }
    except Exception:  # what it cannot read, it cannot compare
        return None
