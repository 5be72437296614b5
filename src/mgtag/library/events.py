"""The events of a scan: one a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from mgtag.card import GENRE
from mgtag.library.outcome import Outcome
from mgtag.library.policy import Genres
from mgtag.vote import Vote


@dataclass(frozen=True)
class Found:
    """The walk is over: so many tracks will be answered for, by the run of this number."""

    count: int
    run: int


@dataclass(frozen=True)
class Answered:
    """A file that was heard.

    Attributes
    ----------
    values : mapping of str to tuple of str
        By field ("genre", "mood"): what the file says afterwards, of those that are written (in a dry run:
        would be); what mgtag heard, best first, of the others.
    votes : mapping of str to Vote
        Of every head of the bundle, calibrated.
    reason : str
        Why nothing was written, in a few words.
    written : tuple of str
        Fields.
    why : str
        The reason, said of many files at once.
    """

    path: Path
    values: Mapping[str, Genres]
    votes: Mapping[str, Vote]
    reason: str = ""
    written: tuple[str, ...] = ()
    why: str = ""
    outcome: ClassVar[Outcome]

    @property
    def genres(self) -> Genres:
        """The genres."""
        return self.values[GENRE]

    @property
    def vote(self) -> Vote:
        """The vote on the genre."""
        return self.votes[GENRE]


class Tagged(Answered):
    """A field of it was written (in a dry run: would be)."""

    outcome: ClassVar[Outcome] = Outcome.TAGGED


class Kept(Answered):
    """Its tags were left as they are."""

    outcome: ClassVar[Outcome] = Outcome.KEPT


class Unsure(Answered):
    """The confidence is below the threshold; nothing was written."""

    outcome: ClassVar[Outcome] = Outcome.UNSURE


class _Row(NamedTuple):
    name: str  # its path
    heard: str
    confidence: float
    reason: str


class Fresh(_Row):
    """Nothing changed since the last scan; it was not even decoded, and its values are the index's."""

    __slots__ = ()
    outcome: ClassVar[Outcome] = Outcome.FRESH

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.name)


@dataclass(frozen=True)
class TooShort:
    """It is shorter than a slice; nothing is wrong with it."""

    outcome: ClassVar[Outcome] = Outcome.TOO_SHORT
    path: Path
    reason: str


@dataclass(frozen=True)
class Failed:
    """It could not be heard, or not be written; the file is as it was."""

    outcome: ClassVar[Outcome] = Outcome.FAILED
    path: Path
    error: str


FileEvent = Tagged | Kept | Unsure | Fresh | TooShort | Failed
Event = Found | FileEvent
