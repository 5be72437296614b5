"""From the index's rows to values and back; a row that is damaged becomes a track that failed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mgtag.errors import StoreError
from mgtag.library.outcome import Outcome
from mgtag.library.paths import from_text, to_text
from mgtag.library.records import Answer, Answers, Change, Entry, Track, Values

HEADS = {"genre": ("genre", "genre_confidence"), "mood": ("mood", "mood_confidence")}  # columns to sort by
DAMAGED = "its row in the index is damaged; `mgtag scan` hears it again."
_PLAIN = tuple("size mtime_ns signature duration_s artist album title year bundle reason run".split())
_LISTS = ("tags", "written", "answers", "declined")


def track_of(row: sqlite3.Row) -> Track:
    """Return the track of a row of ``files``."""
    path = Path(from_text(row["path"]))
    try:
        tags, written, answers, declined = json.loads(f"[{','.join([row[name] for name in _LISTS])}]")
        return Track(
            path,
            **{name: row[name] for name in _PLAIN},
            tags=_values(tags),
            written=_values(written),
            answers={
                head: tuple(Answer(str(a), float(c)) for a, c in pairs) for head, pairs in answers.items()
            },
            declined=_values(declined),
            outcome=Outcome(row["outcome"]),
            added=row["added"],
            gone=bool(row["gone"]),
        )
    except (ValueError, TypeError, AttributeError):
        return Track(path, -1, 0, "", 0, reason=f"{path}: {DAMAGED}")


def columns_of(track: Track) -> dict[str, Any]:
    """Return what a scan stores in ``files``: all but what the listener declined, and when it was added."""
    row = {"path": to_text(track.path), **{name: clean(getattr(track, name)) for name in _PLAIN}}
    row |= {"tags": as_json(track.tags), "written": as_json(track.written), "answers": as_json(track.answers)}
    row |= {"outcome": track.outcome, "gone": track.gone}
    for head, (label, confidence) in HEADS.items():
        row |= {label: clean(track.best(head).label), confidence: track.best(head).confidence}
    return row


def namer(spelling: Callable[[str], str]) -> Callable[[str, str, str, str], bool]:
    """Return what says whether a row's tags of a head (as stored), or what was heard, are a wanted name.

    Few combinations of tags come in thousands of rows, so each is read once.
    """

    @lru_cache(maxsize=10_000)
    def named(head: str, tags: str, heard: str, wanted: str) -> bool:
        try:
            names = [*json.loads(tags).get(head, ()), heard]
            return any(spelling(name) == wanted for name in names if name)
        except (ValueError, TypeError, AttributeError):  # the row is damaged
            return False

    return named


def change_of(row: sqlite3.Row) -> Change:
    """Return the change of a row of ``journal``.

    Raises
    ------
    StoreError
        If it is damaged.
    """
    path = Path(from_text(row["path"]))
    try:
        texts = {name: _values(json.loads(row[name])) for name in ("before", "after")}
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path}: change {row['id']} of the journal is damaged in the index, and cannot be read."
        ) from error
    return Change(**dict(row) | texts | {"path": path})


def entry_of(row: sqlite3.Row) -> Entry:
    """Return the entry of a row of ``journal``; a damaged one has no values."""
    try:
        before, after = (_values(json.loads(row[name])) for name in ("before", "after"))
    except (ValueError, TypeError, AttributeError):
        before, after = {}, {}
    return Entry(row["run"], Path(from_text(row["path"])), row["state"], before, after)


def columns_of_change(change: Change) -> dict[str, Any]:
    """Return what is stored in ``journal``, less its number."""
    row = {name: clean(value) for name, value in vars(change).items() if name != "id"}
    texts = {"before": as_json(change.before), "after": as_json(change.after)}
    return row | texts | {"path": to_text(change.path)}


def as_json(values: Values | Answers) -> str:
    """Return lists by head as text; bytes that are no text are escaped."""
    text = json.dumps(dict(values), ensure_ascii=False)
    return text if text.isascii() or _is_text(text) else json.dumps(dict(values))


def clean(value: Any) -> Any:
    """Return a value as SQLite takes it: a sentence may hold a name that is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _values(lists: Mapping[str, list[str]]) -> Values:
    return {head: tuple(map(_text, values)) for head, values in lists.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
