"""``RESULTS.md``: every figure of the laboratory beside the report's, written from the run records alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgtag_train.data.splitting import DESCRIPTIONS
from mgtag_train.lab.experiment import Experiment
from mgtag_train.lab.experiments import EXPERIMENTS, REPORTS
from mgtag_train.lab.search import FOUND
from mgtag_train.learn.jobs import RECORD
from mgtag_train.report import faithfulness_page, paper_tables, pictures, tokens_section

HERE = Path(__file__).parents[2]
PAGE, RECORDS = HERE / "RESULTS.md", HERE / "records"
Record = Mapping[str, Any]
Records = Mapping[str, Mapping[str, Sequence[Record]]]  # [experiment][protocol], one a seed
COLUMNS = {"accuracy": "accuracy", "macro_f1": "macro-F1", "auc": "AUC", "log_loss": "log loss"}
PICTURES = {  # under the tables of each report, where they have been drawn
    "queens-parallel-bgru-cnn": {
        "confusion-queens": "Confusions of queens-parallel beside Table IV",
        "curves": "Validation accuracy over the epochs of each system",
    },
    "kth-attention-cnn": {
        "confusion-kth": "Confusions of kth-attention",
        "tsne": "t-SNE of slices before training and of kth-attention's embeddings",
    },
    "spectrogram-sequence-attention": {
        "pca-2d": "Clips in two principal components, with the means of the genres",
        "pca-3d": "Clips in three principal components",
        "attention": "Mean attention of each genre over the twenty steps",
    },
    "upc-mfcc-cnn": {"confusion-mfcc": "Confusions of mfcc-26 beside the deck's"},
    "mgtag": {
        "confusion-best": "Confusions of the best system",
        "reliability": "Confidence against accuracy of the best system",
    },
}
HEAD = """\
# Results

Every figure stands in a run record under `records/`, and this page is written from them by `mgtag train
--report`; not one is typed by hand. `mgtag train NAME --features mel.npz` repeats a row, with `--lyrics
genre.csv.gz` or `--audio DIR` where a row needs them; `mgtag train --all --resume` makes them all.

**Splits.** A report's own comes first, the honest one under it:

{splits}

Temperatures are fitted, epochs and settings chosen on validation; test was heard once by each network.
Six rows are a second look at it: `lyrics-tfidf` (plain counts came first; validation prefers their
logarithms), `kth-attention`, `lyrics-han` and `lyrics-cnn` (see "Measured, and then trained otherwise"),
and `queens-parallel-mixed` and `lyrics-both`, which were added because `queens-parallel` and `lyrics-han`
had been measured and fell short of what was asked of them.
Figures are means over the seeds ± their standard deviation (n − 1); a row without ± is one seed.
Minutes are of training one network, on one CPU core.

**What stands in for what.** Log-mel windows (128 bands, 39 frames, 3 s) for the reports' spectrograms.
Networks of the Queen's report and the poster have batch norm after each convolution, AdamW, half a
cosine of learning rate, and the running mean of their weights is what is measured; early stopping,
dropout and slices are the reports'. The poster's 75 clips a genre from the Free Music Archive are
GTZAN's 100 here. Its valence follows from the genre, here by terciles of the ten genres' mean valence.
VGG-16 has windows of 64 × 32 and no ImageNet weights, which are not to be had here; it takes torchvision's
from a file or the torch cache (`pretrained`). The lyrics report's songs with both audio and words are
not at hand: its words are measured on a table of lyrics, split by artist, in the six genres that have
enough songs, and the fusion on pairs of a song's words and a GTZAN clip of the same genre, artists
disjoint, which says what two weak hints are worth together and not what a real song's two sides are.
The Garageband set of Homburg and others, and FMA, are not at hand either: their loaders are tested on
trees of their layout, and `mgtag train homburg-parallel --homburg DIR` fills a row that is empty here.
"""


SUPERSEDED = """\
## Measured, and then trained otherwise

These networks fell short on validation, so that their settings were changed, but their figures on test had
been seen by then: the rows above of the same names are a second look. Their configs stand in
`records/superseded/`.
"""


def write(out: Path) -> list[Path]:
    """Take over the finished records of `out`, and write the page and its pictures anew.

    Returns
    -------
    list of Path
        What was written.
    """
    for found in sorted(out.glob(f"*/*/{RECORD}")):
        experiment, run = found.parts[-3:-1]
        if experiment in EXPERIMENTS:
            (RECORDS / experiment).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, RECORDS / experiment / f"{run}.json")
    for found in sorted(out.glob(f"*/{FOUND}")):
        shutil.copyfile(found, RECORDS / "analysis" / f"{paper_tables.SEARCH}{found.parent.name}.json")
    records, analyses = read(), paper_tables.read_analyses(RECORDS / "analysis")
    drawn = pictures.write(records, analyses, pictures.PICTURES)
    PAGE.write_text(page(records, analyses), encoding="utf-8")
    return [PAGE, *drawn]


def read(folder: Path | None = None) -> Records:
    """Read the records that are kept with the code, in the order of the table."""
    found: dict[str, dict[str, list[Record]]] = {}
    for name, experiment in EXPERIMENTS.items():
        for protocol in experiment.protocols:
            if paths := sorted(((folder or RECORDS) / name).glob(f"{protocol}-*.json")):
                found.setdefault(name, {})[protocol] = [json.loads(p.read_text()) for p in paths]
    return found


def page(records: Records, analyses: Mapping[str, Record]) -> str:
    """Return the whole page."""
    used = dict.fromkeys(protocol for runs in records.values() for protocol in runs)
    lines = [HEAD.format(splits="\n".join(f"- *{name}*: {DESCRIPTIONS[name]}." for name in used))]
    for report, title in REPORTS.items():
        ours = [e for e in EXPERIMENTS.values() if e.report == report]
        if any(e.name in records for e in ours):
            lines += [f"## {title}", "", *table(ours, records), ""]
            for name, told in PICTURES.get(report, {}).items():
                if (pictures.PICTURES / f"{name}.png").is_file():
                    lines += [f"![{told}](pictures/{name}.png)", ""]
            lines += paper_tables.after(report, records, analyses)
    if old := [json.loads(p.read_text()) for p in sorted((RECORDS / "superseded").glob("*.json"))]:
        lines += [SUPERSEDED, *superseded(old), ""]
    faithful = json.loads((RECORDS / "faithful.json").read_text())
    lines += [
        faithfulness_page.BEGIN.rstrip(),
        faithfulness_page.section(faithful).rstrip(),
        faithfulness_page.END,
        "",
    ]
    return "\n".join(lines)


def table(experiments: Sequence[Experiment], records: Records) -> list[str]:
    """Return a row for what a report claims of each experiment, and one for each split of ours.

    Where nobody has run it, the claim stands alone.
    """
    head = ["system", "split", "of", *COLUMNS.values(), "seeds", "minutes"]
    rows = [head, ["---"] * 3 + ["---:"] * (len(head) - 3)]
    for experiment in experiments:
        found = records.get(experiment.name, {})
        if found or (experiment.claim and experiment.claim.figures):
            rows += list(_rows(experiment, found))
    return [f"| {' | '.join(row)} |" for row in rows]


def superseded(records: Sequence[Record]) -> list[str]:
    """Return a row for each network that was measured on test before its settings were changed."""
    rows = []
    for record in records:
        figures = record["measured"]["test"]["slices" if record["protocol"] == "leaking" else "tracks"]
        shown = [f"{figures[key]:.3f}" for key in COLUMNS]
        rows.append([f"`{record['name']}`", record["commit"], str(len(record["history"])), *shown])
    return tokens_section.table(["run", "commit", "epochs", *COLUMNS.values()], rows)


def _rows(experiment: Experiment, found: Mapping[str, Sequence[Record]]) -> Iterator[list[str]]:
    yield [f"`{experiment.name}`", experiment.told, *[""] * (len(COLUMNS) + 3)]
    if (claim := experiment.claim) and claim.figures:
        told = [f"{claim.figures[key]:.3g}" if key in claim.figures else "" for key in COLUMNS]
        yield ["", f"*the report, {claim.where}: {claim.conditions}*", "", *told, "", ""]
    if not found:
        yield ["", "*not measured*", *[""] * (len(COLUMNS) + 3)]
    for protocol, runs in found.items():
        minutes = np.mean([run["seconds"] for run in runs]) / 60
        for of in ("slices",) if protocol == "leaking" else ("slices", "tracks"):
            measured = [run["measured"]["test"][of] for run in runs]
            if of == "slices" and measured[0]["n"] == runs[0]["measured"]["test"]["tracks"]["n"]:
                continue  # whole clips: a slice is the track
            figures = [_spread([one[key] for one in measured]) for key in COLUMNS]
            yield ["", protocol, of, *figures, str(len(runs)), f"{minutes:.1f}"]


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else mean
