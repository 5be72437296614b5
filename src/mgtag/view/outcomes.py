"""How a scan ended for a file, in words and colours."""

from __future__ import annotations

from mgtag.library.outcome import Outcome

STYLES = {  # of what a scan tells, in this order
    Outcome.TAGGED: "bold green",
    Outcome.KEPT: "",
    Outcome.UNSURE: "yellow",
    Outcome.TOO_SHORT: "yellow",
    Outcome.FRESH: "dim",
    Outcome.FAILED: "bold red",
}


def outcome_name(outcome: Outcome) -> str:
    """Return an outcome in words."""
    return "would tag" if outcome is Outcome.HEARD else outcome.replace("_", " ")
