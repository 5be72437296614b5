"""How a scan ended for a file, in words and colours."""

from __future__ import annotations

from mgtag.library.outcome import Outcome
from mgtag.view.text import BAD, CARE, GOOD

STYLES = {  # of what a scan tells, in this order
    Outcome.TAGGED: f"bold {GOOD}",
    Outcome.KEPT: "",
    Outcome.UNSURE: CARE,
    Outcome.TOO_SHORT: CARE,
    Outcome.FRESH: "dim",
    Outcome.FAILED: f"bold {BAD}",
}


def outcome_name(outcome: Outcome) -> str:
    """Return an outcome in words."""
    return "would tag" if outcome is Outcome.HEARD else outcome.replace("_", " ")
