"""A copy beside a file, that can take its place without anybody noticing but for the change."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mgtag.errors import TagError

if sys.platform != "win32":
    import fcntl

# Extended attributes that are the listener's; others, such as labels, are the system's own.
_ATTRIBUTES = ("user.", "system.posix_acl_access", "security.capability")
_EXTENSION = r"\.[A-Za-z0-9]{1,8}"  # kept, so that what looks at the name sees the same kind of file
_LEFTOVER = re.compile(rf"\.mgtag-[0-9a-f]{{16}}\.tmp({_EXTENSION})?")


def is_leftover(name: str | os.PathLike[str]) -> bool:
    """Return whether this is the name of a copy that a killed run left behind."""
    return _LEFTOVER.fullmatch(os.path.basename(name)) is not None  # noqa: PTH119 (asked of every file)


def discard_leftover(path: Path) -> bool:
    """Remove a copy that a killed run left behind; return whether it is gone.

    One that an mgtag at work holds stays, as does one that may not be removed.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return not path.exists()
    try:
        _lock(handle)
        if sys.platform != "win32":
            path.unlink()
    except OSError:
        return False
    finally:
        os.close(handle)
    if sys.platform == "win32":  # which removes no file that anybody holds open
        with suppress(OSError):
            path.unlink()
    return not path.exists()


def discard_leftovers(folder: Path) -> None:
    """Remove the copies that killed runs left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_leftover(entry.name):
                discard_leftover(Path(entry.path))


def hold(copy: BinaryIO) -> int:
    """Return a handle that locks a copy against other mgtag processes until it is closed; -1 on Windows."""
    if sys.platform == "win32":  # where what is open could not be renamed
        return -1
    handle = os.dup(copy.fileno())
    with suppress(OSError):  # some network drives have no locks
        _lock(handle)
    return handle


def _lock(handle: int) -> None:
    if sys.platform != "win32":
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
    """Give the copy the file's owner, mode and attributes, but its own time of change.

    With `mtime_ns`, that time instead.

    Raises
    ------
    TagError
        If the copy would belong to somebody else, or be open to others than the file is.
    """
    changed = temporary.stat()
    if (changed.st_uid, changed.st_gid) != (status.st_uid, status.st_gid):
        with suppress(PermissionError):  # only root may give files away
            os.chown(temporary, status.st_uid, status.st_gid)
    for name in _attributes(temporary).keys() - _attributes(target).keys():
        os.removexattr(temporary, name)  # an access list that the folder gives to every new file
    shutil.copystat(target, temporary)
    os.utime(temporary, ns=(status.st_atime_ns, changed.st_mtime_ns if mtime_ns is None else mtime_ns))
    now = temporary.stat()
    if (now.st_uid, now.st_gid) != (status.st_uid, status.st_gid):
        raise TagError(
            "what you write would belong to you and not to its owner or group, so it was left as it is; "
            "let its owner tag it."
        )
    if now.st_mode != status.st_mode or _attributes(target) != _attributes(temporary):
        raise TagError(
            "its permissions or extended attributes cannot be kept, so it was left as it is; "
            "let its owner tag it."
        )


def _attributes(path: Path) -> dict[str, bytes]:
    """Return extended attributes: the listener's own, access lists, capabilities."""
    if sys.platform != "linux":
        return {}
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith(_ATTRIBUTES)}
    except OSError:  # the file system has none
        return {}


def sync_folder(folder: Path) -> None:
    """Make a rename last. It has happened, so a file system that cannot is no failure."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
