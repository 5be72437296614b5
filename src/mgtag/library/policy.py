"""Which genres a file shall have: the listener's words first, mgtag's where there is room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mgtag.library.genre_map import GenreMap, key
from mgtag.tags import is_placeholder

Mode = Literal["keep", "append", "overwrite"]
Genres = tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """What a scan may do to the tags.

    Attributes
    ----------
    mode : {"keep", "append", "overwrite"}
        Fill what is empty or a placeholder; add to what is there; or replace it. What mgtag
        itself wrote, and nobody changed since, it may always replace.
    threshold : float, optional
        Confidence from which a genre is written, 0..1; the bundle's own if None.
    top : int
        How many genres at most.
    fields : tuple of str
        What is written: ``"genre"``, and after it of ``"mood"``, ``"bpm"`` and ``"key"`` what is wanted.
    write : bool
        Whether tags are written at all (``--no-tags``).
    dry_run : bool
        Only tell what would happen.
    force : bool
        Listen again to what is fresh.
    hard_links : bool
        Write even where a file has several names, which parts it from the others.
    slices : int or {"auto", "all"}
        How much of a track is heard; see `Tagger.predict`.
    per : {"track", "album", "artist"}
        Whose genre is written: each file's own, or that of all its album's or artist's; see
        `mgtag.library.together`.
    genre_map : GenreMap
        What is written for each genre; the listener's settings.
    lyrics : bool
        Whether a song's words vote with its sound, where they are at hand.
    """

    mode: Mode = "keep"
    threshold: float | None = None
    top: int = 1
    write: bool = True
    dry_run: bool = False
    force: bool = False
    hard_links: bool = False
    slices: int | Literal["auto", "all"] = "auto"
    fields: tuple[str, ...] = ("genre",)
    per: Literal["track", "album", "artist"] = "track"
    genre_map: GenreMap = field(default_factory=GenreMap)
    lyrics: bool = True


@dataclass(frozen=True)
class Decision:
    """What becomes of one file.

    Attributes
    ----------
    action : {"write", "keep", "unsure"}
    genres : tuple of str
        The file's genres afterwards.
    reason : str
        Why nothing is written, in a few words: "has Rock".
    why : str
        The same of many files at once: "genre set by hand".
    added : tuple of str
        Those of the genres that are mgtag's own words; the others stay the listener's.
    """

    action: Literal["write", "keep", "unsure"]
    genres: Genres
    reason: str = ""
    added: Genres = ()
    why: str = ""

    @property
    def kept(self) -> Genres:
        """Those that were there and stay."""
        return self.genres[: len(self.genres) - len(self.added)]


def decide(
    mode: Mode,
    current: Genres,
    written: Genres,
    answer: Genres,
    sure: bool,
    declined: Genres = (),
    field: str = "genre",
) -> Decision:
    """Decide between the file's own values and what mgtag heard.

    Parameters
    ----------
    mode : {"keep", "append", "overwrite"}
    current : tuple of str
        The file's genres now.
    written : tuple of str
        Those at the end of them that mgtag wrote, and that nobody changed since; see `Tags.own`.
    answer : tuple of str
        What mgtag heard, best first.
    sure : bool
        Whether the confidence is above the threshold.
    declined : tuple of str
        What the listener took back for good; it is not written again.
    field : str
        What all of these are, for the reason.
    """
    hand_made = by_hand(current, written, field)
    if mode == "keep" and hand_made:
        return Decision("keep", current, f"has {', '.join(hand_made)}", why=f"{field} set by hand")
    if not sure:
        return Decision("unsure", current, "below the threshold", why="below the threshold")
    refused = set(map(key, declined))
    wanted = tuple(g for g in answer if key(g) not in refused)
    if answer and not wanted:
        return Decision("keep", current, "you took it back", why="taken back by you")
    answer = wanted
    known = set(map(key, hand_made)) if mode == "append" else set()
    added = tuple(g for g in answer if key(g) not in known)
    genres = hand_made + added if mode == "append" else answer
    if genres == current:
        return Decision("keep", current, "says so already", why="already as heard")
    return Decision("write", genres, added=added)


def by_hand(current: Genres, written: Genres, field: str = "genre") -> Genres:
    """Return those of a field's values that mgtag did not write; none where they are placeholders."""
    n = len(written) if current[-len(written) :] == written else 0
    hand_made = current[: len(current) - n]
    return () if is_placeholder(hand_made, field) else hand_made
