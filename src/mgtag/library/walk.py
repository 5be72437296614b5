"""Find the audio files of a library."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mgtag.errors import UsageError
from mgtag.formats import SUFFIXES
from mgtag.tags import is_leftover


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

    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"{root}: there is no such file or folder.")
        start = Path(os.path.abspath(root))
        ahead = [start]  # a stack of our own: folders may be nested deeper than Python recurses
        while ahead:
            path = ahead.pop()
            named = path is start
            try:
                status = path.stat()
                if (status.st_dev, status.st_ino) in seen:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    seen.add((status.st_dev, status.st_ino))
                    ahead += sorted(_children(path), reverse=True)
                elif is_leftover(path.name):
                    leftovers.append(path)
                elif named and not stat.S_ISREG(status.st_mode):
                    raise OSError(errno.EINVAL, "this is neither a file nor a folder", str(path))
                elif stat.S_ISREG(status.st_mode) and (named or is_music(path)):
                    seen.add((status.st_dev, status.st_ino))
                    tracks.append(path)
            except FileNotFoundError as error:
                if named or is_music(path):  # other dangling links are nobody's business
                    problems.append((path, error))
            except OSError as error:
                problems.append((path, error))
    return Library(tuple(tracks), tuple(problems), tuple(leftovers))


def is_music(path: Path) -> bool:
    """Say whether a file's name is that of music that mgtag reads."""
    return path.suffix.lower() in SUFFIXES


def _children(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") or is_leftover(entry.name):
                yield Path(entry.path)
