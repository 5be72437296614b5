"""Compare the files on the disk with the index: unchanged, moved, gone, or to be heard."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from mgtag.library.index import Index
from mgtag.library.paths import from_text, to_text
from mgtag.library.records import Known
from mgtag.library.walk import File, Library, is_mount

AT_MOST = 8  # files of one size and date whose sound is compared with a new one's
SameSound = Callable[[Path, str], bool]  # file, recorded signature


@dataclass
class Comparison:
    """One pass over the files that were found and over the index's rows.

    Attributes
    ----------
    new : dict of str to File
        By their text: what the index does not know, or knows otherwise.
    missing : list of Known
        Rows of the index below the roots whose files the walk did not find.
    """

    index: Index
    library: Library
    new: dict[str, File] = field(default_factory=dict)
    missing: list[Known] = field(default_factory=list)

    def unchanged(self, bundle: str) -> Iterator[Known]:
        """Yield the rows whose file has the size and date that it had, and was heard by this bundle."""
        self.new = {to_text(file[0]): file for file in self.library.files}
        back = []
        for row in self.index.known(self.library.roots):
            path, size, mtime_ns, heard_by = row[:4]
            file = self.new.get(path)
            if file is None:
                self.missing.append(row)
                continue
            if row.gone:
                back.append(path)
            if heard_by == bundle and file[1:] == (size, mtime_ns):
                del self.new[path]
                yield row
        self.index.set_gone(back, False)

    def settle(self, bundle: str, same_sound: SameSound) -> Iterator[Known]:
        """Follow the files that moved, note those that are gone; yield the moved that did not change."""
        spelt = {_folded(text): text for text in self.new}
        shut = tuple(f"{folder}/" for folder in self._unseen())
        left = [row for row in self.missing if _has_left(row, spelt, shut)]
        elsewhere = (
            row
            for dated in {file[1:] for file in self.new.values()}
            for row in self.index.same_date(*dated)
            if row.path not in self.new and _has_left(row, spelt, shut)
        )
        moves = dict(_moves({row.path: row for row in (*left, *elsewhere)}, self.new, spelt, same_sound))
        self.index.move_all((row.path, new) for new, row in moves.items())
        moved = {row.path for row in moves.values()}
        self.index.set_gone(row.path for row in left if row.path not in moved and not row.gone)
        self._note_mounts()
        for new, row in moves.items():
            file = self.new[new]
            if row.bundle == bundle and file[1:] == (row.size, row.mtime_ns):
                del self.new[new]
                yield row._replace(path=new)

    def hear(self, path: Path) -> None:
        """Let a file be heard although it did not change."""
        self.new[to_text(path)] = str(path), -1, 0

    def _unseen(self) -> Iterator[str]:
        """Yield the folders whose content is unknown: unreadable, empty, on a drive that is not mounted."""
        yield from (to_text(path) for path, _ in self.library.problems)
        yield from (to_text(root) for root in self.library.roots if _is_empty(root))
        yield from (m for m in self.index.mounts() if not is_mount(from_text(m)))

    def _note_mounts(self) -> None:
        """Note where drives begin now, too; forget where one began and music lies without one."""
        before, now = self.index.mounts(), {to_text(folder) for folder in self.library.mounts}
        names = (name for name, _, _ in self.library.files) if before - now else ()
        folders = {to_text(os.path.dirname(name)) for name in names}  # noqa: PTH120
        lost = {m for m in before - now if any(f"{folder}/".startswith(f"{m}/") for folder in folders)}
        if (noted := (before | now) - lost) != before:
            self.index.set_mounts(noted)


def _moves(
    left: dict[str, Known], new: dict[str, File], spelt: dict[str, str], same_sound: SameSound
) -> Iterator[tuple[str, Known]]:
    """Yield each new file that is an old one elsewhere, and the old one's row.

    Size and date say so together with the name, however its letters are spelt, where no other file has
    all three; else the sound. A file that was changed and spelt otherwise at once, on a disk that takes
    both spellings for one, is told by the system.
    """
    rows, files = defaultdict(list), defaultdict(list)
    for row in left.values():
        rows[row.size, row.mtime_ns].append(row)
    for text, file in new.items():
        files[file[1:]].append(text)
    taken = set()
    for dated in files.keys() & rows.keys():
        old_names, new_names = _by_name(row.path for row in rows[dated]), _by_name(files[dated])
        for text in files[dated]:
            named, path = old_names[_name(text)], Path(new[text][0])
            if len(named) == len(new_names[_name(text)]) == 1 and named[0] in left:
                free = named
            else:
                others = dict.fromkeys([*named, *(row.path for row in rows[dated])])
                free = [old for old in others if old in left][:AT_MOST]
                free = [old for old in free if (s := left[old].signature) and same_sound(path, s)]
            if free:
                taken.add(text)
                yield text, left.pop(free[0])
    for row in left.values():
        other = spelt.get(_folded(row.path))
        if other is not None and other not in taken and _is_same_file(row.path, other):
            yield other, row


def _by_name(texts: Iterable[str]) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        found[_name(text)].append(text)
    return found


def _has_left(row: Known, spelt: dict[str, str], shut: tuple[str, ...]) -> bool:
    """Return whether a file is where it was no more, though perhaps there under another spelling."""
    if row.path.startswith(shut):
        return False
    if not _exists(row.path):
        return True
    other = spelt.get(_folded(row.path))
    return other is not None and _is_same_file(row.path, other)


def _is_empty(root: Path) -> bool:
    """Return whether a folder holds nothing at all, as one does on which a drive is to be mounted."""
    try:
        return root.is_dir() and not os.listdir(root)  # noqa: PTH208
    except OSError:
        return True


def _exists(text: str) -> bool:
    return os.path.lexists(from_text(text))


def _is_same_file(one: str, other: str) -> bool:
    try:
        return Path(from_text(one)).samefile(from_text(other))
    except OSError:
        return False


def _name(text: str) -> str:
    return _folded(text.rpartition("/")[2])


def _folded(text: str) -> str:
    return text.casefold() if text.isascii() else normalize("NFC", text).casefold()
