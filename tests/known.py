"""Files as the index knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgtag.library.outcome import Outcome
from mgtag.library.records import Answer, Track


def known(
    path: str | Path, heard: str = "", confidence: float = 0.9, genres: tuple[str, ...] = (), **more: Any
) -> Track:
    """Return a file that was heard as one genre, and whose tags may name others."""
    answers = {"genre": (Answer(heard, confidence),)} if heard else {}
    values = {"size": 1, "mtime_ns": 1, "bundle": "b", "run": 1, "outcome": Outcome.TAGGED} | more
    return Track(Path(path), tags={"genre": genres}, answers=answers, **values)
