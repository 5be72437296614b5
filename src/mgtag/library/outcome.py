"""How a scan ended for a file: the one vocabulary of events, index, options and colours."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The name of an event, and what the index keeps of it."""

    TAGGED = "tagged"
    KEPT = "kept"  # its tags were left as they are
    UNSURE = "unsure"  # below the threshold
    TOO_SHORT = "too_short"  # shorter than one slice
    FAILED = "failed"  # could not be heard, or not be written
    HEARD = "heard"  # a dry run would have tagged it
    UNDONE = "undone"
    FRESH = "fresh"  # of an event only: nothing changed, the index keeps the outcome that it had


STORED = tuple(outcome for outcome in Outcome if outcome is not Outcome.FRESH)
NOT_MUSIC, SILENT = "not music", "silent"  # reasons why it ended unsure
