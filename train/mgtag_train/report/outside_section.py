"""The section of ``RESULTS.md`` about music outside GTZAN, from the figures that the training wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report.markdown import table

NAMES = ("wide-parallel-1", "wide-parallel-2", "wide-parallel-3", "wide-parallel-4")  # the last is shipped
FIGURES, RUNS = "{}-figures.json", "{}-[0-9].json"
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
RELIABILITY = "![Confidence against accuracy](pictures/reliability-outside.png)"
COUNT = "not_music_tagged"
BESIDE = """\
### Beside others

Bundles as they tag, every slice of a test piece heard from its file; `mgtag lab outside` repeats a row.
gtzan-parallel-1 has ten of the genres. What musicnn's heads were chosen on is under their own title.
"""
STEPS = """\
### What each step brought, on validation

Best of fifteen right, and log loss over the sixteen labels; means over the seeds. A difference under 0.03 is
within chance.
"""
EARLIER = """\
### The networks before, on test

Means and deviations over seeds, each calibrated by the rules of its day. wide-parallel-1 learned from
36,000 slices with one teacher, and was shipped. wide-parallel-2 had a second teacher (the VGG of musicnn's
package), 96,000 slices, more channels, and temperatures of music alone; a threshold with a margin of one
point kept less than was promised, and it was not shipped. wide-parallel-3 is wide-parallel-2 trained twice
as long (a second cycle of the learning rate), its convolutions in integers of eight bits. Its threshold was
first chosen with a margin of two points: 0.34 ± 0.02 of the music of test was tagged, and 0.80 ± 0.03 of the
tags accepted. With the three points of wide-parallel-1 this was a second look at test, in the careful
direction. wide-parallel-4 goes on from the networks of wide-parallel-3 with a third cycle, in which musicnn's
two networks of MagnaTagATune's clips teach beside those of Last.fm's songs. At the threshold of the shipped
seed alone 0.36 of the music of test was tagged, and 0.80 of the tags accepted; now one threshold must keep
the promise over the three seeds, since the one that ships is the best of them on the same tracks. That, too,
is a second look at test, in the careful direction.
"""
INTRODUCTION = """\
## Music outside GTZAN

wide-parallel-4 and what it was measured on: pieces of 6 to 10 seconds, artists apart, that may not be
redistributed; their table's columns are described in `mgtag_train.data.outside`. Networks, heads,
temperatures and threshold were chosen on validation; test was heard once by each seed. *Accepted*: the
genre, or its parent (punk, metal: rock; soundtrack: classical, electronic; world: folk, latin; disco:
R&B). Every tag counts, whatever the genre of the piece. About one label in seven is arguable.
"""


@dataclass(frozen=True)
class Measured:
    """What the training of a network wrote.

    Attributes
    ----------
    figures : mapping
        ``valid`` and ``test``, a row of figures a seed, and ``tables`` of the chosen seed on test.
    runs : sequence of RunRecord
        Of each seed, followed on validation.
    """

    figures: Mapping[str, Any]
    runs: Sequence[RunRecord]


def section(networks: Mapping[str, Measured], bundles: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the section: seeds, other bundles, steps, genres, sources, confusion, reliability.

    Parameters
    ----------
    networks : mapping of str to Measured
        By name, in the order in which they were made; the last is shipped.
    bundles : sequence of mapping
        What `mgtag_train.report.outside_measure` found of each bundle on test.
    """
    figures = [*networks.values()][-1].figures
    tables = figures["tables"]
    lines = [INTRODUCTION, *_seeds(figures), ""]
    if bundles:
        lines += [BESIDE, *_bundles(bundles), ""]
    lines += [STEPS, *_steps(networks), "", EARLIER, *_over_seeds(networks), ""]
    for by in ("genre", "source"):
        lines += [f"### By {by}, on test", "", *_by(by, tables[f"by_{by}"]), ""]
    return [
        *lines,
        "### Confusions, on test",
        "",
        "![True genre by best answer](pictures/confusion-outside.png)",
        "",
        "True genre by best answer:",
        "",
        *_confusion(tables["confusion"]),
        "",
        "### Confidence against accuracy, on test",
        "",
        RELIABILITY,
        "",
        *_reliability(tables["reliability"]),
        "",
    ]


def _seeds(figures: Mapping[str, Any]) -> list[str]:
    parts = [(part, n, row) for part in ("valid", "test") for n, row in enumerate(figures[part])]
    head = ["", *(f"{part}, seed {n}" for part, n, _ in parts)]
    rows = [
        [title, *(f"{row[key]:.0f}" if key == COUNT else f"{row[key]:.3f}" for *_, row in parts)]
        for key, title in MEASURES.items()
    ]
    sizes = [f"{row['pieces']:.0f} + {row['not_music']:.0f}" for *_, row in parts]
    return table(head, [["pieces of music + not music", *sizes], *rows], 1)


def _bundles(bundles: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = ("genre_accuracy", "coverage", "accepted", "precision", "not_music_tagged", "calibration_error")
    rows = [
        [one["model"], *(f"{one['figures'][key]:{'.0f' if key == COUNT else '.3f'}}" for key in keys)]
        for one in sorted(bundles, key=lambda one: float(one["figures"]["genre_accuracy"]))
    ]
    return table(["", *(MEASURES[key] for key in keys)], rows, 1)


def _steps(networks: Mapping[str, Measured]) -> list[str]:
    rows = []
    for name, network in networks.items():
        if network.runs:
            last = [run.history[-1] for run in network.runs]
            epochs = len(network.runs[0].history)
            rows.append([f"{name} after epoch {epochs}", *_mean(last, "track_accuracy", "log_loss")])
        row = _mean(network.figures["valid"], "genre_accuracy", "log_loss")
        rows.append([f"{name}, heads averaged with linear probes, calibrated", *row])
    return table(["", "fifteen genres", "log loss"], rows, 1)


def _over_seeds(networks: Mapping[str, Measured]) -> list[str]:
    rows = []
    for name, network in networks.items():
        tests = network.figures["test"]
        values = [[test[key] for test in tests] for key in MEASURES]
        spread = [f"{np.mean(v):.3f} ± {np.std(v, ddof=1) if len(v) > 1 else 0:.3f}" for v in values]
        rows.append([f"{name}, {len(tests)} seeds", *spread])
    return table(["", *MEASURES.values()], rows, 1)


def _mean(rows: Sequence[Mapping[str, float]], *keys: str) -> list[str]:
    return [f"{np.mean([row[key] for row in rows]):.3f}" for key in keys]


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
