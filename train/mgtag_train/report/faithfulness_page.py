"""The measured faithfulness of explanations, in words: for ``RESULTS.md`` and the user guide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mgtag.explain.attribution import METHODS
from mgtag_train.report.markdown import table

BEGIN, END = "<!-- faithful -->\n", "<!-- /faithful -->"
ROWS = ("occlusion", "gradient", "attention", "position", "chance")
WAYS = {"averaged": "become the slice's average frame", "silenced": "fall silent"}
TENTH = 4  # frames of 39
CLEAR = 2.0  # standard errors


def section(record: Mapping[str, Any]) -> str:
    """Return the record as a section of ``RESULTS.md``."""
    lines = [
        "## Is an explanation faithful?",
        "",
        f"{record['bundle']} on {record['tracks']} test tracks ({record['slices']:,} slices). In every slice",
        "the frames of most weight are removed, and the probability of the genre that the track voted for",
        f"is watched; chance is the mean of {record['draws']} random orders. *Position* is the mean",
        "attention of all slices, the same for each: where it does as well as attention does, attention",
        "knows a place in the slice, not the sound.",
    ]
    for removal, text in WAYS.items():
        lines += ["", f"Removed frames {text}:", "", *_table(record, removal)]
    counts = sorted(((better(record, method), method) for method in METHODS), reverse=True)
    lines += [
        "",
        "Areas lie under the curve of probability over the share removed (deletion) or brought back",
        "(insertion), with their distance from chance ± its standard error over tracks. Of these four",
        f"comparisons, better than chance by more than {CLEAR:g} standard errors: "
        + ", ".join(f"{method} in {count}" for count, method in counts)
        + ".",
        "The default, `occlusion`, is the best that needs no torch.",
        "",
        "`mgtag lab faithfulness` measures this; the record is `train/records/faithful.json`.",
    ]
    return "\n".join(lines) + "\n"


def better(record: Mapping[str, Any], method: str) -> int:
    """Count the comparisons, of four, in which a method is clearly better than chance."""
    found = 0
    for areas in record["areas"].values():
        for way, sign in (("deletion", -1), ("insertion", 1)):
            area = areas[method][way]
            found += sign * area["from_chance"] > CLEAR * area["error"]
    return found


def sentence(record: Mapping[str, Any]) -> str:
    """Return the record as one sentence for the user guide."""
    at = list(record["counts"]).index(TENTH)
    falls = {
        name: f"{100 * (curve['deletion'][0] - curve['deletion'][at]):.0f}"
        for name, curve in record["curves"]["silenced"].items()
    }
    return (
        f"Measured on {record['tracks']} test tracks: silencing the tenth of every slice that weighs most\n"
        f"takes {falls['occlusion']} points off the genre's probability if `occlusion` chooses it, "
        f"{falls['gradient']} with `gradient`, {falls['attention']} with `attention`,\n"
        f"and {falls['chance']} if it is chosen at random; more in [RESULTS](../train/RESULTS.md).\n"
    )


def _table(record: Mapping[str, Any], removal: str) -> list[str]:
    curves, areas, counts = record["curves"][removal], record["areas"][removal], record["counts"]
    middle = range(1, len(counts) - 1)
    names = [f"{counts[n]} of {counts[-1]} removed" for n in middle]
    head = ["weights", *names, "deletion (low is good)", "insertion (high is good)"]
    rows = []
    for name in ROWS:
        rows.append(
            [name]
            + [f"{curves[name]['deletion'][n]:.3f}" for n in middle]
            + [_area(areas[name][way], name) for way in ("deletion", "insertion")]
        )
    return table(head, rows)


def _area(area: Mapping[str, float], name: str) -> str:
    shown = f"{area['area']:.3f}"
    return shown if name == "chance" else f"{shown} ({area['from_chance']:+.3f} ± {area['error']:.3f})"
