"""The rows of the index, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from mgtag.library.genre_map import key
from mgtag.library.outcome import Outcome

Values = Mapping[str, tuple[str, ...]]  # head ("genre", "mood") -> values, as in a file's tags
State = Literal["pending", "done", "undone"]


class Answer(NamedTuple):
    """One label that was heard, and its calibrated probability."""

    label: str
    confidence: float


Answers = Mapping[str, tuple[Answer, ...]]  # head -> best first


@dataclass(frozen=True)
class Track:
    """One file's row in the index.

    Attributes
    ----------
    artist, album, title : str or None
        As in its tags; None if they were never read.
    year : int
        0 if the tags do not say.
    tags : mapping of str to tuple of str
        What the file's tags said when it was last seen, for each head.
    written : mapping of str to tuple of str
        Those of them that mgtag wrote.
    answers : mapping of str to tuple of Answer
        What the slices voted for, whether it was written or not; best first.
    declined : mapping of str to tuple of str
        What the listener took back, for good; changed by `Index.decline` only.
    outcome : Outcome
        How the last scan ended for it; ``HEARD`` if it was a dry run that would have tagged it.
    reason : str
        Why nothing was written; one sentence where it failed.
    added : str
        When it was first seen (ISO 8601, UTC).
    gone : bool
        It was not there when its folder was last scanned.
    """

    path: Path
    size: int
    mtime_ns: int
    bundle: str
    run: int
    signature: str = ""
    duration_s: float = 0.0
    artist: str | None = None
    album: str | None = None
    title: str | None = None
    year: int = 0
    tags: Values = field(default_factory=dict)
    written: Values = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    declined: Values = field(default_factory=dict)
    outcome: Outcome = Outcome.FAILED
    reason: str = ""
    added: str = ""
    gone: bool = False

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres in the file."""
        return self.tags.get("genre", ())

    @property
    def moods(self) -> tuple[str, ...]:
        """The moods in the file."""
        return self.tags.get("mood", ())

    @property
    def bpm(self) -> float:
        """Beats a minute, as the file says, or else as was heard; 0 if neither does."""
        with suppress(ValueError):
            return float(next(iter(self.tags.get("bpm", ())), "") or self.best("bpm").label or 0)
        return 0.0

    @property
    def key(self) -> str:
        """The key, as the file says, or else as was heard; "" if neither does."""
        return next(iter(self.tags.get("key", ())), "") or self.best("key").label

    @property
    def heard(self) -> str:
        """The genre that was heard; "" if none."""
        return self.best("genre").label

    @property
    def confidence(self) -> float:
        """The probability of `heard`."""
        return self.best("genre").confidence

    @property
    def silent(self) -> bool:
        """Whether there was nothing to hear: every genre was as probable as any other."""
        shares = [answer.confidence for answer in self.answers.get("genre", ())]
        return len(shares) > 1 and shares[0] - shares[-1] < 1e-5

    def heard_by_head(self) -> Iterator[tuple[str, Answer]]:
        """Return the first answer of every head that answered."""
        return ((head, self.best(head)) for head in self.answers if self.answers[head])

    def best(self, head: str) -> Answer:
        """Return the first answer of a head; an empty one if there is none."""
        return next(iter(self.answers.get(head, ())), Answer("", 0.0))


@dataclass(frozen=True)
class Change:
    """A journal row: one file's tags before and after one run.

    Attributes
    ----------
    state : {"pending", "done", "undone"}
        A row is committed as pending before the file is replaced.
    before, after : mapping of str to tuple of str
        The values of each head.
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
    state: State
    before: Values
    after: Values
    sha_before: str
    sha_after: str
    mtime_ns: int
    patch: bytes


class Entry(NamedTuple):
    """As much of a journal row as a list shows."""

    run: int
    path: Path
    state: State
    before: Values
    after: Values

    @property
    def added(self) -> Values:
        """What mgtag wrote: the values that were not there before."""
        return added(self.before, self.after)


def added(before: Values, after: Values) -> Values:
    """Return the values that are only in `after`, by head."""
    new = {head: tuple(v for v in values if v not in before.get(head, ())) for head, values in after.items()}
    return {head: values for head, values in new.items() if values}


@dataclass(frozen=True)
class Run:
    """One scan: its number, when it began (ISO 8601, UTC), of what, and what it changed."""

    id: int
    started: str
    command: str
    changed: int
    undone: int
    action: str = "scan"
    dry_run: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


class Known(NamedTuple):
    """The columns of a file's row that a scan needs where nothing changed."""

    path: str  # as `mgtag.library.paths.to_text` gives it
    size: int
    mtime_ns: int
    bundle: str
    run: int
    outcome: str
    reason: str
    heard: str
    confidence: float
    signature: str
    gone: bool


class Located(NamedTuple):
    """The columns of a file's row that are shown of a neighbour or a point of the map."""

    path: str  # as `mgtag.library.paths.to_text` gives it
    artist: str | None
    title: str
    genre: str  # heard, as are the next two
    confidence: float
    mood: str
    duration_s: float


@dataclass(frozen=True)
class Filter:
    """Which files, and in what order: ``"path"``, ``"genre"``, ``"mood"``, ``"confidence"`` or ``"added"``.

    Attributes
    ----------
    genre, mood : str, optional
        In the tags, or heard, however it is spelled.
    spelling : callable
        Turns the spellings of a genre into one; `GenreMap.canonical` knows the listener's aliases too.
    text : str, optional
        Words that artist, title, album or path hold, each in full or followed by ``*``.
    """

    folders: tuple[Path, ...] = ()
    genre: str | None = None
    mood: str | None = None
    min_confidence: float = 0.0
    max_confidence: float = 1.0
    spelling: Callable[[str], str] = key
    outcome: Outcome | None = None
    text: str | None = None
    bundle: str | None = None
    order: str = "path"
    gone: bool = False
