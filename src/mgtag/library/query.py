r"""Questions to the index in beets' syntax: ``genre:jazz confidence:0.9.. ^artist:"Nina Simone"``.

A term is ``field:value``: text that the field holds, without regard to case (``field::value``, a regular
expression); for numbers and dates a value or a range, ``a..b``, either end left out at will. ``^`` before
a term turns it round; a word without a field is looked for in artist, title, album, path and genres.
All terms must hold; a comma of its own parts alternatives, of which one must.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from mgtag.errors import UsageError
from mgtag.library.genre_map import key
from mgtag.library.records import Track

Matches = Callable[[Track], bool]
Spelling = Callable[[str], str]

TEXTS: dict[str, Callable[[Track], tuple[str | None, ...]]] = {
    "artist": lambda t: (t.artist,),
    "album": lambda t: (t.album,),
    "title": lambda t: (t.title,),
    "path": lambda t: (str(t.path),),
    "genre": lambda t: (*t.genres, t.heard),
    "heard": lambda t: (t.heard,),
    "mood": lambda t: (*t.moods, t.best("mood").label),
    "key": lambda t: (t.key,),
    "event": lambda t: (t.outcome,),
    "reason": lambda t: (t.reason,),
    "model": lambda t: (t.bundle,),
}
NUMBERS: dict[str, Callable[[Track], float]] = {
    "confidence": lambda t: t.confidence,
    "mood_confidence": lambda t: t.best("mood").confidence,
    "bpm": lambda t: t.bpm,
    **{f"{f}_confidence": lambda t, f=f: t.best(f).confidence for f in ("bpm", "key")},  # type: ignore[misc]
    "year": lambda t: t.year,
    "length": lambda t: t.duration_s,
    "run": lambda t: t.run,
}
ANYWHERE = ("artist", "title", "album", "path", "genre")
WHOLE = ("key",)  # A is not Am
KEYED = ("genre", "heard", "mood")  # found however they are spelled
UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "m": 30 * 86_400, "y": 365 * 86_400}  # seconds


def parse_query(words: Iterable[str], now: datetime | None = None, spelling: Spelling = key) -> Matches:
    """Make a condition of a query.

    Parameters
    ----------
    words : iterable of str
        As the shell gives them; each may hold several terms.
    now : datetime, optional
        What ``added:-1w..`` is counted from.
    spelling : callable
        Turns the spellings of a genre into one; see `mgtag.library.records.Filter`.

    Raises
    ------
    UsageError
        If a field is unknown, or a value is none of the field's.
    """
    now = now or datetime.now(UTC)
    alternatives: list[list[Matches]] = [[]]
    for word in words:
        for term in _split(word):
            if term == ",":
                alternatives.append([])
                continue
            alternatives[-1].append(_term(term.removesuffix(","), now, spelling))
            if term.endswith(","):
                alternatives.append([])
    return lambda track: any(all(holds(track) for holds in terms) for terms in alternatives)


def _split(word: str) -> list[str]:
    try:
        return shlex.split(word)
    except ValueError as error:
        raise UsageError(f"{word!r}: a quotation mark is not closed.") from error


def _term(term: str, now: datetime, spelling: Spelling) -> Matches:
    if term.startswith("^"):
        holds = _term(term[1:], now, spelling)
        return lambda track: not holds(track)
    field, colon, value = term.partition(":")
    if not colon:
        return lambda track: any(_holds(name, track, term, spelling) for name in ANYWHERE)
    if field in NUMBERS:
        low, high = (_number(field, part) for part in _ends(value))
        read = NUMBERS[field]
        return lambda track: (low is None or read(track) >= low) and (high is None or read(track) <= high)
    if field == "added":
        first, last = (_date(part, now) for part in _ends(value))
        return lambda track: (first or "") <= track.added <= (last or "9") + "~"
    if field not in TEXTS:
        known = (*TEXTS, *NUMBERS, "added")
        near = get_close_matches(field, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
        raise UsageError(f"{term!r}: there is no field {field!r}; {hint}")
    if value.startswith(":"):
        pattern = _pattern(term, value[1:])
        return lambda track: any(text and pattern.search(text) for text in TEXTS[field](track))
    return lambda track: _holds(field, track, value, spelling)


def _holds(field: str, track: Track, value: str, spelling: Spelling) -> bool:
    texts = (text for text in TEXTS[field](track) if text)
    if field in WHOLE:
        return any(value.casefold() == text.casefold() for text in texts)
    if field in KEYED:
        return any(key(value) in key(text) or spelling(value) == spelling(text) for text in texts)
    return any(value.casefold() in text.casefold() for text in texts)


def _ends(value: str) -> tuple[str, str]:
    low, dots, high = value.partition("..")
    return (low, high) if dots else (value, value)


def _number(field: str, text: str) -> float | None:
    if not text:
        return None
    found = re.fullmatch(r"(?:(\d+):)?(\d+(?:\.\d+)?)(%?)", text)
    if found is None:
        raise UsageError(f"{field}:{text}: {text!r} is no number.")
    minutes, number, percent = found.groups()
    return 60 * float(minutes or 0) + float(number) / (100 if percent else 1)


def _date(text: str, now: datetime) -> str | None:
    """Return the beginning of an ISO 8601 date: of 2026, 2026-11, 2026-11-24, or of -1w, a week ago."""
    if not text:
        return None
    if found := re.fullmatch(r"-(\d+)([hdwmy])", text):
        ago = timedelta(seconds=int(found[1]) * UNITS[found[2]])
        return (now - ago).isoformat(timespec="seconds")
    if re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        return text
    raise UsageError(f"added:{text}: {text!r} is no date; give one like 2026-11-24, 2026-11 or -1w.")


def _pattern(term: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"{term!r}: this is no regular expression ({error}).") from error
