"""Find the audio files of a library."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mgtag.errors import UsageError
from mgtag.tags import is_leftover

SUFFIXES = frozenset(".mp3 .m4a .m4b .flac .ogg .oga .opus .wma .wav .wave .aif .aiff .aifc .ape .wv".split())


@dataclass(frozen=True)
class Library:
    """What lies under the roots.

    Attributes
    ----------
    tracks : tuple of Path
        Absolute; every file once, however many links lead to it, in a stable order.
    problems : tuple of (Path, OSError)
        Folders that cannot be read.
    leftovers : tuple of Path
        Temporary files of an mgtag that was killed.
    """

    tracks: tuple[Path, ...]
    problems: tuple[tuple[Path, OSError], ...]
    leftovers: tuple[Path, ...]


def find(roots: Iterable[Path]) -> Library:
    """Walk folders, following links without walking in circles; hidden ones are passed over.

    A file that is named itself is taken whatever its extension.

    Raises
    ------
    UsageError
        If a root does not exist.
    """
    tracks: list[Path] = []
    problems: list[tuple[Path, OSError]] = []
    leftovers: list[Path] = []
    seen: set[tuple[int, int]] = set()

    def visit(path: Path, named: bool) -> None:
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                return
            if path.is_dir():
                seen.add((status.st_dev, status.st_ino))
                for child in sorted(_children(path)):
                    visit(child, named=False)
            elif is_leftover(path.name):
                leftovers.append(path)
            elif named and not path.is_file():
                raise OSError(errno.EINVAL, "this is neither a file nor a folder", str(path))
            elif path.is_file() and (named or path.suffix.lower() in SUFFIXES):
                seen.add((status.st_dev, status.st_ino))
                tracks.append(path)
        except OSError as error:
            problems.append((path, error))

    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"{root}: there is no such file or folder.")
        visit(Path(os.path.abspath(root)), named=True)
    return Library(tuple(tracks), tuple(problems), tuple(leftovers))


def _children(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") or is_leftover(entry.name):
                yield Path(entry.path)
