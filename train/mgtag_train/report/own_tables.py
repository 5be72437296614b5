"""What each step to our best system brought, what coarse frames cost, and what searches found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report.markdown import table
from mgtag_train.report.records import Analysis, Runs

SEARCH = "search-"  # before an experiment's name, in the name of its search among the analyses
SHOWN = 5  # trials of a search
STEPS = {  # systems of our own, and what each is a step from
    "best-plain": "",
    "best-augmented": "best-plain",
    "best-averaged": "best-augmented",
    "best-cnn": "best-averaged",
    "best-ensemble": "best-averaged",
    "best": "best-averaged",
    "best-shallow": "best-averaged",
    "best-whole": "best-shallow",
}


def steps(records: Runs) -> list[str]:
    """Return what each step from the plain network to the best system brought, on tracks held apart."""
    names = [name for name in STEPS if name in records]
    if len(names) < 2:
        return []
    rows = []
    for name in names:
        runs = records[name]["filtered"]
        slices, tracks = (_accuracy(runs, "test", of) for of in ("slices", "tracks"))
        against = STEPS[name]
        gain = f"{tracks - _accuracy(records[against]['filtered'], 'test'):+.3f}" if against in names else ""
        chosen = f"{_accuracy(runs, 'valid'):.3f}" if "valid" in runs[0].measured else "trained on"
        row = [f"`{name}`", f"`{against}`" if gain else "", gain, f"{tracks:.3f}", chosen]
        rows.append([*row, f"{slices:.3f}", f"{tracks - slices:+.3f}", str(len(runs))])
    head = ["system", "against", "gain", "test tracks", "validation tracks", "test slices", "voting brings"]
    return [
        "### What each step contributes",
        "",
        "Accuracy under *filtered*, means over the seeds. With 290 test tracks one standard error is 0.027,",
        "so that only the largest steps here are more than chance; validation chose between systems, not",
        "test.",
        "",
        *table([*head, "seeds"], rows),
    ]


def frames(records: Runs) -> list[str]:
    """Return what frames as coarse as those of ``mel.npz`` cost, in a sentence."""
    if not {"hop-1708", "hop-512"} <= set(records):
        return []
    coarse, fine = (records[name]["filtered"] for name in ("hop-1708", "hop-512"))
    gain = _accuracy(fine, "test") - _accuracy(coarse, "test")
    found = [[run.measured["test"].tracks.accuracy for run in runs] for runs in (coarse, fine)]
    spread = [np.std(each, ddof=1) for each in found]
    epoch = [np.mean([run.seconds / len(run.history) for run in runs]) for runs in (coarse, fine)]
    return [
        "### What the coarse frames cost",
        "",
        f"Frames every 512 samples instead of 1,708 change the accuracy of tracks by {gain:+.3f}",
        f"(deviations over the seeds {spread[0]:.3f} and {spread[1]:.3f}); an epoch takes",
        f"{epoch[1] / epoch[0]:.1f} times as long.",
    ]


def _accuracy(runs: Sequence[RunRecord], part: str, of: str = "tracks") -> float:
    return float(np.mean([getattr(run.measured[part], of).accuracy for run in runs]))


def search(record: Analysis) -> list[str]:
    """Return the best trials of a search, beside the middle one and the worst that ran to its end."""
    ended = [trial for trial in record["trials"] if trial["state"] == "COMPLETE"]
    ranks = [*range(min(SHOWN, len(ended))), *{len(ended) // 2, len(ended) - 1} - set(range(SHOWN))]
    settings = list(record["grid"])
    shown = [(rank, ended[rank]) for rank in sorted(ranks)]
    rows = [
        [str(rank + 1), *(str(trial[key]) for key in settings)]
        + [f"{trial[key]:.3f}" for key in ("log_loss", "track_accuracy")]
        for rank, trial in shown
    ]
    split = record.get("split") or record["protocol"]  # what records were called before
    size = math.prod(len(choices) for choices in record["grid"].values())
    return [
        f"### Settings of `{record['experiment']}`",
        "",
        f"{len(record['trials'])} of the {size} points of a grid, in random order, one seed each, under",
        f"*{split}*; {record['pruned']} were pruned. On validation, never on test:",
        "",
        *table(["rank", *settings, "log loss", "accuracy"], rows),
    ]
