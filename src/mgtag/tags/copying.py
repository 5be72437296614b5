"""A copy beside a file, that can take its place without anybody noticing but for the change."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mgtag.errors import TagError

_EXTENSION = r"\.[A-Za-z0-9]{1,8}"  # kept, so that what looks at the name sees the same kind of file
_LEFTOVER = re.compile(rf"\.mgtag-[0-9a-f]{{16}}\.tmp({_EXTENSION})?")


def is_leftover(name: str | os.PathLike[str]) -> bool:
    """Say whether this is the name of a copy that a killed run left behind."""
    return _LEFTOVER.fullmatch(Path(name).name) is not None


@contextmanager
def new_copy(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a new file beside `target`, which is removed if anything goes wrong, Ctrl-C included."""
    extension = target.suffix if re.fullmatch(_EXTENSION, target.suffix) else ""
    temporary = target.with_name(f".mgtag-{secrets.token_hex(8)}.tmp{extension}")
    try:
        with open(temporary, "x+b", opener=_private) as copy:
            yield temporary, copy
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # until the file's own mode is carried over


def check_allowed(target: Path, status: os.stat_result, *, hard_links: bool) -> None:
    """Raise `TagError` for a file that is not to be replaced."""
    if not stat.S_ISREG(status.st_mode):
        raise TagError("it is no regular file.")
    # Asked of the mode too: to root everything is writable, and a file that is read-only for
    # everybody was made so on purpose, though its folder would let it be replaced.
    effective = os.access in os.supports_effective_ids
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK, effective_ids=effective):
        raise TagError("it is read-only, so it was left as it is; make it writable to have it tagged.")
    if status.st_nlink > 1 and not hard_links:
        raise TagError(
            f"it has {status.st_nlink} names (hard links), so it was left as it is; "
            "--hard-links parts this name from the others."
        )


def check_unchanged(target: Path, was: os.stat_result) -> None:
    """Raise `TagError` if the file is not the one that was copied any more."""
    now = target.stat()
    # ctime too: some taggers put mtime back, and a change in the padding leaves the size.
    for key in ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns"):
        if getattr(now, key) != getattr(was, key):
            raise TagError("somebody changed it meanwhile, so it was left as it is.")


def carry_over(target: Path, status: os.stat_result, temporary: Path, mtime_ns: int | None) -> None:
    """Give the copy the file's owner, mode and extended attributes, but its own time of change.

    With `mtime_ns`, that time instead.
    """
    changed = temporary.stat()
    if (changed.st_uid, changed.st_gid) != (status.st_uid, status.st_gid):
        with suppress(PermissionError):  # only root may give files away
            os.chown(temporary, status.st_uid, status.st_gid)
    shutil.copystat(target, temporary)
    os.utime(temporary, ns=(status.st_atime_ns, changed.st_mtime_ns if mtime_ns is None else mtime_ns))


def sync_folder(folder: Path) -> None:
    """Make a rename last. It has happened, so a file system that cannot is no failure."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
