"""What can go wrong with a listener's file or request, in sentences meant for a person.

Every message says what happened, to which file, and what to do next; the command line prints
it as it stands.
"""

from __future__ import annotations

from pathlib import Path


class MgtagError(Exception):
    """A mistake that a user can cause or meet; `str()` of it is one clear sentence."""


class AudioError(MgtagError):
    """The file's sound cannot be read: no audio in it, empty, damaged, or too short."""


class TooShortError(AudioError):
    """The file is shorter than one slice: nothing is wrong with it, but there is nothing to hear."""


class TagError(MgtagError):
    """The file's tags cannot be read or written; the file is as it was."""


class BundleError(MgtagError):
    """A model bundle is missing, incomplete, or its files do not match its card."""


class StoreError(MgtagError):
    """The index cannot be opened, is of a newer version, or is in use."""


class DamagedIndexError(StoreError):
    """The index's file is damaged; a scan sets it aside and begins a new one."""


class InUseError(StoreError):
    """Another mgtag is at work on the index."""


class UsageError(MgtagError):
    """A request that cannot be met as it is; the command line exits with 2."""


class NoSuchModelError(BundleError, UsageError):
    """A model is named that is not at hand."""


def error_sentence(path: Path, error: Exception) -> str:
    """Return the message to the listener for an error with one file."""
    if isinstance(error, MgtagError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"{path}: the file has vanished."
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"{path}: {error}, so mgtag gave it up; is the file damaged, or its drive asleep?"
    if isinstance(error, MemoryError):
        return f"{path}: hearing it takes more memory than it may; is the file damaged?"
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}."
    return f"{path}: mgtag itself failed ({type(error).__name__}: {error}); please report this."
