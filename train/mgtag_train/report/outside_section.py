"""The section of ``RESULTS.md`` about music outside GTZAN, from the figures that the training wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mgtag_train.report.markdown import table

FIGURES = "wide-parallel-1-figures.json"
STEPS = "wide-parallel-1-steps.json"
MEASURES = {
    "genre_accuracy": "fifteen genres, best answer right",
    "coverage": "music of any genre tagged",
    "accepted": "accepted among the tags",
    "precision": "of the very genre among the tags",
    "not_music_tagged": "sounds that are not music tagged",
    "calibration_error": "calibration error (15 bins), fifteen genres",
    "calibration_error_any_genre": "the same, music of any genre",
    "mood_accuracy": "moods, best of four right",
    "gtzan_track_accuracy": "GTZAN's tracks, within its ten genres",
}
INTRODUCTION = """\
## Music outside GTZAN

wide-parallel-1 and what it was measured on: pieces of 6 to 10 seconds, artists apart, that may not be
redistributed; their table's columns are described in `mgtag_train.data.outside`. Networks, heads,
temperatures and threshold were chosen on validation; test was heard once by each seed. *Accepted*: the
genre, or its parent (punk, metal: rock; soundtrack: classical, electronic; world: folk, latin; disco:
R&B). Every tag counts, whatever the genre of the piece. About one label in seven is arguable.

The first threshold was chosen for the mean of outside validation and of GTZAN, and tagged 27 % and 28 % of
test (two seeds), 0.76 and 0.80 of it accepted; since then the threshold must keep its promise on both. So
coverage, precision and accepted are a second look at test: read them as optimistic.
"""


def section(figures: Mapping[str, Any], steps: Mapping[str, Any] | None) -> list[str]:
    """Return the section: seeds, genres, sources, confusion, reliability, and what each step brought.

    Parameters
    ----------
    figures : mapping
        ``valid`` and ``test``, a row of figures a seed, and ``tables`` of the shipped seed on test.
    steps : mapping, optional
        Other systems on the same test, and validation figures of the steps.
    """
    tables = figures["tables"]
    lines = [INTRODUCTION, *_seeds(figures), ""]
    if steps:
        lines += ["### Beside others", "", steps["note"], "", *table(steps["head"], steps["rows"], 1), ""]
        lines += ["### What each step brought, on validation", "", steps["steps_note"], ""]
        lines += [*table(steps["steps_head"], steps["steps"], 1), ""]
    for by in ("genre", "source"):
        lines += [f"### By {by}, on test", "", *_by(by, tables[f"by_{by}"]), ""]
    lines += [
        "### Confusions, on test",
        "",
        "True genre by best answer:",
        "",
        *_confusion(tables["confusion"]),
        "",
    ]
    return [*lines, "### Confidence against accuracy, on test", "", *_reliability(tables["reliability"]), ""]


def _seeds(figures: Mapping[str, Any]) -> list[str]:
    parts = [(part, n, row) for part in ("valid", "test") for n, row in enumerate(figures[part])]
    head = ["", *(f"{part}, seed {n}" for part, n, _ in parts)]
    rows = [
        [title, *(f"{row[key]:.0f}" if key == "not_music_tagged" else f"{row[key]:.3f}" for *_, row in parts)]
        for key, title in MEASURES.items()
    ]
    sizes = [f"{row['pieces']:.0f} + {row['not_music']:.0f}" for *_, row in parts]
    return table(head, [["pieces of music + not music", *sizes], *rows], 1)


def _by(what: str, rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    head = [what, "pieces", "best answer right", "tagged", "accepted"]
    keys = ("pieces", "right", "tagged", "accepted")
    return table(head, [[name, *(str(row[key]) for key in keys)] for name, row in rows.items()], 1)


def _confusion(rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    labels = sorted({label for row in rows.values() for label in row})
    body = [[genre, *(str(row.get(label, "")) for label in labels)] for genre, row in rows.items()]
    return table(["", *labels], body, 1)


def _reliability(bins: Mapping[str, list[float]]) -> list[str]:
    rows = zip(bins["confidence"], bins["accuracy"], bins["size"], strict=True)
    body = [[f"{confidence:.2f}", f"{accuracy:.2f}", f"{size:.0f}"] for confidence, accuracy, size in rows]
    return table(["mean confidence", "right", "pieces"], body, 0)
