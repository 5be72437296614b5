"""Find the audio files of a library, in one pass with one `stat` a file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from mgtag.errors import UsageError
from mgtag.formats import SUFFIXES

File = tuple[str, int, int]  # absolute path, size and mtime_ns; a plain tuple costs the least


@dataclass
class Library:
    """What lies under the roots.

    Attributes
    ----------
    roots : list of Path
        Absolute.
    files : list of File
        Every one once, however many links lead to it, in a stable order.
    problems : list of (Path, OSError)
        Folders that cannot be read.
    leftovers : list of Path
        Temporary files of an mgtag that was killed.
    mounts : set of str
        Folders in, at or above the roots at which another drive begins.
    """

    roots: list[Path] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    problems: list[tuple[Path, OSError]] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    mounts: set[str] = field(default_factory=set)

    @property
    def tracks(self) -> tuple[Path, ...]:
        """The files' paths."""
        return tuple(Path(name) for name, _, _ in self.files)


def find_audio(roots: Iterable[Path]) -> Library:
    """Walk folders, following links without walking in circles; hidden ones are passed over.

    A file that is named itself is taken whatever its extension.

    Raises
    ------
    UsageError
        If a root does not exist.
    """
    walk = _Walk()
    for root in roots:
        if not os.path.lexists(root):
            raise UsageError(f"{root}: there is no such file or folder.")
        walk.root(os.path.abspath(root))
    return walk.found


def is_mount(folder: str) -> bool:
    """Return whether another drive begins at a folder, which a link may lead to."""
    try:
        return os.stat(folder).st_dev != os.stat(os.path.dirname(folder)).st_dev  # noqa: PTH116, PTH120
    except OSError:
        return False


class _Walk:
    def __init__(self) -> None:
        self.found = Library()
        self._seen: set[tuple[int, int]] = set()

    def root(self, name: str) -> None:
        self.found.roots.append(Path(name))
        self.found.mounts |= {str(folder) for folder in Path(name).parents if is_mount(str(folder))}
        try:
            status = os.stat(name)  # noqa: PTH116
            if stat.S_ISDIR(status.st_mode):
                self._tree(name, status)
            elif _is_leftover(os.path.basename(name)):  # noqa: PTH119
                self.found.leftovers.append(Path(name))
            elif stat.S_ISREG(status.st_mode):
                self._file(name, status)
            else:
                raise OSError(errno.EINVAL, "this is neither a file nor a folder", name)
        except OSError as error:
            self.found.problems.append((Path(name), error))

    def _tree(self, name: str, status: os.stat_result) -> None:
        if is_mount(name):
            self.found.mounts.add(name)
        ahead = [self._children(name, status)]  # a stack of our own: folders nest deeper than Python recurses
        while ahead:
            entries, device = ahead[-1]
            for entry in entries:
                try:
                    if entry.is_dir():
                        status = os.stat(entry.path)  # noqa: PTH116
                        if status.st_dev != device:
                            self.found.mounts.add(entry.path)
                        ahead.append(self._children(entry.path, status))
                        break
                    if entry.name[0] == ".":  # of what is hidden, `_children` shows leftovers only
                        self.found.leftovers.append(Path(entry.path))
                    elif is_music(entry.name):
                        status = entry.stat()
                        if not status.st_ino:  # Windows gives it only in the file's own `stat`
                            status = os.stat(entry.path)  # noqa: PTH116
                        if stat.S_ISREG(status.st_mode):
                            self._file(entry.path, status)
                except OSError as error:
                    # Other links that lead nowhere are nobody's business.
                    if not isinstance(error, FileNotFoundError) or is_music(entry.name):
                        self.found.problems.append((Path(entry.path), error))
            else:
                ahead.pop()

    def _children(self, folder: str, status: os.stat_result) -> tuple[Iterator[os.DirEntry[str]], int]:
        """Return a folder's entries by name, none of one that was met before, and its device."""
        key = status.st_dev, status.st_ino
        shown: list[os.DirEntry[str]] = []
        if key not in self._seen:
            self._seen.add(key)
            try:
                with os.scandir(folder) as entries:
                    shown = [e for e in entries if e.name[0] != "." or _is_leftover(e.name)]
            except OSError as error:
                self.found.problems.append((Path(folder), error))
        shown.sort(key=attrgetter("name"))
        return iter(shown), status.st_dev

    def _file(self, name: str, status: os.stat_result) -> None:
        key = status.st_dev, status.st_ino
        if key not in self._seen:
            self._seen.add(key)
            self.found.files.append((name, status.st_size, status.st_mtime_ns))


def _is_leftover(name: str) -> bool:
    from mgtag.tags import is_leftover  # mutagen takes 30 ms to import; only what is hidden is asked about

    return is_leftover(name)


def is_music(name: str) -> bool:
    """Return whether a file's name is that of music that mgtag reads."""
    return name[name.rfind(".") :].lower() in SUFFIXES
