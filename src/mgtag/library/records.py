"""The rows of the index, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Track:
    """What the index knows of one file.

    Attributes
    ----------
    heard : str
        The genre that the slices voted for, whether it was written or not; "" if none.
    confidence : float
        Its calibrated probability.
    genres : tuple of str
        What the file's tags said when it was last seen.
    written : tuple of str
        Those of them that mgtag wrote.
    event : str
        How the last scan ended for it: tagged, kept, unsure, failed; heard, if it was a dry run
        that would have tagged it; undone.
    error : str
        One sentence where it failed.
    """

    path: Path
    size: int
    mtime_ns: int
    bundle: str
    run: int
    signature: str = ""
    duration_s: float = 0.0
    heard: str = ""
    confidence: float = 0.0
    genres: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    event: str = ""
    error: str = ""


@dataclass(frozen=True)
class Change:
    """A journal row: one file's tags before and after one run.

    Attributes
    ----------
    state : {"pending", "done", "undone"}
        A row is committed as pending before the file is replaced.
    sha_before, sha_after : str
        SHA-256 of the whole file.
    patch : bytes
        Turns the file after into the file before; see `mgtag.tags.patch`.
    mtime_ns : int
        Modification time before.
    """

    id: int
    run: int
    path: Path
    signature: str
    state: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    sha_before: str
    sha_after: str
    mtime_ns: int
    patch: bytes


@dataclass(frozen=True)
class Run:
    """One scan: its number, when it began (ISO 8601, UTC), of what, and what it changed."""

    id: int
    started: str
    command: str
    changed: int
    undone: int
