"""``RESULTS.md``: the papers' figures and ours, written from the run records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mgtag_train.data.splitting import DESCRIPTIONS
from mgtag_train.lab.experiment import Experiment
from mgtag_train.lab.experiments import EXPERIMENTS, OWN, PAPERS
from mgtag_train.lab.search import FOUND
from mgtag_train.learn.jobs import RECORD
from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report import (
    faithfulness_page,
    markdown,
    outside_section,
    own_genres_section,
    paper_tables,
    pictures,
    tempo_and_key_section,
    words_section,
)
from mgtag_train.report.own_tables import SEARCH
from mgtag_train.report.records import ReportFolder, Runs

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
    "upc-mfcc-cnn": {"confusion-mfcc": "Confusions of mfcc-26 beside the paper's"},
    "mgtag": {
        "confusion-best": "Confusions of the best system",
        "reliability": "Confidence against accuracy of the best system",
    },
}
HEAD = """\
# Results

Each system of the five papers: the accuracy that the paper states, ours under the paper's own split, and
ours under the honest split, where whole tracks, repeats and artists are held apart.

{overview}

Means over the seeds ± their standard deviation (n − 1); a figure without ± is one seed. Accuracy is of
tracks, under *leaking* of slices, since slices were split there; [the splits](#splits) are described below.
An empty cell: the paper states no accuracy, or no split that could be repeated here; *not measured*: the
data is not at hand.

## How this page is made

Every figure is in a run record under `records/`, and `mgtag lab report` writes this page from them; none is
typed by hand. `mgtag lab run NAME --features mel.npz` repeats a row, with `--lyrics genre.csv.gz` or
`--audio DIR` where a row needs them; `mgtag lab run --all --resume` runs every experiment whose data is
given.

### Splits

In each table a paper's own split comes first, the honest one below it:

{splits}

Temperatures are fitted, and epochs and settings chosen, on validation; test was used once by each network,
but for six rows, which were trained again after their test scores were known: read them as optimistic.
`lyrics-tfidf` had plain counts first (validation prefers their logarithms); `kth-attention`, `lyrics-han`
and `lyrics-cnn` are under [superseded runs](#superseded-runs); `queens-parallel-mixed` and `lyrics-both`
were added because `queens-parallel` and `lyrics-han` had fallen short on test. Minutes are of training one
network, on one CPU core.

### What differs from the papers

- Inputs are log-mel windows (128 bands, 39 frames, 3 s) where the papers have other spectrograms.
- The Queen's and KTH networks have batch norm after each convolution, AdamW, and a cosine schedule, and the
  running mean of their weights is measured; early stopping, dropout and slices are the papers'.
- The KTH paper's 75 clips per genre from the Free Music Archive are GTZAN's 100 here. Its valence follows
  from the genre, here by terciles of the ten genres' mean valence.
- VGG-16 has windows of 64 × 32 and no ImageNet weights; with them at hand, `pretrained` loads torchvision's
  from a file or the torch cache.
- Songs with both audio and lyrics are not at hand. The words are measured on a table of lyrics, split by
  artist, in the six genres that have enough songs, and the fusion on pairs of a song's words and a GTZAN
  clip of the same genre, artists disjoint. That shows what two weak predictions are worth together, not how
  a song's own words and sound complement each other.
- The Garageband set of Homburg and others, and FMA, are not at hand: their loaders are tested on trees of
  their layout, and `mgtag lab run homburg-parallel --homburg DIR` fills a row that is empty here.
"""


SUPERSEDED = """\
## Superseded runs

These networks fell short on validation, and their settings were changed after their test scores were known;
the rows of the same names above are the later runs. The settings of these are in `records/superseded/`.
"""


def write(runs: Path, folder: ReportFolder) -> list[Path]:
    """Copy the finished records of `runs`, and write the page and its pictures anew.

    Returns
    -------
    list of Path
        What was written.
    """
    for found in sorted(runs.glob(f"*/*/{RECORD}")):
        experiment, run = found.parts[-3:-1]
        if experiment in EXPERIMENTS:
            (folder.records / experiment).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, folder.records / experiment / f"{run}.json")
    for found in sorted(runs.glob(f"*/{FOUND}")):
        folder.analyses.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, folder.analyses / f"{SEARCH}{found.parent.name}.json")
    networks = [*measured_outside(folder).values()]
    tables = networks[-1].figures["tables"] if networks else {}
    drawn = pictures.write(folder.runs(), folder.read_analyses(), tables, folder.pictures)
    folder.page.write_text(page(folder), encoding="utf-8")
    return [folder.page, *drawn]


def measured_outside(folder: ReportFolder) -> dict[str, outside_section.Measured]:
    """Return what there is of each network for music outside GTZAN."""
    of, found = outside_section, {}
    for name in of.NAMES:
        figures = folder.records / of.FIGURES.format(name)
        if figures.is_file():
            runs = [RunRecord.read(path) for path in sorted(folder.records.glob(of.RUNS.format(name)))]
            found[name] = of.Measured(json.loads(figures.read_text()), runs)
    return found


def outside(folder: ReportFolder) -> list[str]:
    """Return the section about music outside GTZAN; nothing where it has not been measured."""
    networks = measured_outside(folder)
    if not networks:
        return []
    bundles = [json.loads(path.read_text()) for path in sorted(folder.outside.glob("*.json"))]
    return outside_section.section(networks, bundles)


def own_genres(folder: ReportFolder) -> list[str]:
    """Return the section about own genres; nothing where they have not been measured."""
    record = folder.records / own_genres_section.RECORD
    return own_genres_section.section(json.loads(record.read_text())) if record.is_file() else []


def page(folder: ReportFolder) -> str:
    """Return the whole page."""
    records, analyses = folder.runs(), folder.read_analyses()
    used = dict.fromkeys(split for runs in records.values() for split in runs)
    splits = "\n".join(f"- *{name}*: {DESCRIPTIONS[name]}." for name in used)
    lines = [HEAD.format(overview="\n".join(overview(records)), splits=splits)]
    for paper, title in PAPERS.items():
        ours = [e for e in EXPERIMENTS.values() if e.paper == paper]
        if any(e.name in records for e in ours):
            lines += [f"## {title}", "", *table(ours, records), ""]
            for name, caption in PICTURES.get(paper, {}).items():
                if (folder.pictures / f"{name}.png").is_file():
                    lines += [f"![{caption}](pictures/{name}.png)", ""]
            lines += paper_tables.after(paper, records, analyses)
    lines += [*outside(folder), *own_genres(folder)]
    if old := folder.superseded():
        lines += [SUPERSEDED, *superseded(old), ""]
    if folder.faithfulness.is_file():
        faithful = faithfulness_page.section(json.loads(folder.faithfulness.read_text()))
        lines += [faithfulness_page.BEGIN.rstrip(), faithful.rstrip(), faithfulness_page.END, ""]
    for of in (tempo_and_key_section, words_section):
        if (record := folder.records / of.RECORD).is_file():
            lines += [of.BEGIN.rstrip(), of.section(json.loads(record.read_text())).rstrip(), of.END, ""]
    return "\n".join(lines)


def overview(records: Runs) -> list[str]:
    """Return a row for each system of a paper: its accuracy there, and ours under both splits."""
    rows = []
    order = list(PAPERS)
    of_papers = [experiment for experiment in EXPERIMENTS.values() if experiment.paper != OWN]
    for experiment in sorted(of_papers, key=lambda experiment: order.index(experiment.paper)):
        found, task = records.get(experiment.name, {}), experiment.task
        stated = experiment.published.figures.get("accuracy") if experiment.published else None
        rows.append(
            [
                f"`{experiment.name}`",
                PAPERS[experiment.paper].split(":")[0],
                "" if stated is None else f"{stated:.3g}",
                *(_accuracy(found.get(split, ())) for split in (task.paper_split, task.honest_split)),
            ]
        )
        if not found:
            rows[-1][-2:] = ["*not measured*"] * 2
    head = ["system", "paper", "the paper's accuracy", "ours, the paper's split", "ours, the honest split"]
    return markdown.table(head, rows, left=2)


def table(experiments: Sequence[Experiment], records: Runs) -> list[str]:
    """Return a row for a paper's figures of each experiment, and one for each split of ours."""
    head = ["system", "split", "of", *COLUMNS.values(), "seeds", "minutes"]
    rows: list[list[str]] = []
    for experiment in experiments:
        found = records.get(experiment.name, {})
        if found or (experiment.published and experiment.published.figures):
            rows += _rows(experiment, found)
    return markdown.table(head, rows, left=3)


def superseded(records: Sequence[RunRecord]) -> list[str]:
    """Return a row for each network that was measured on test before its settings were changed."""
    rows = []
    for record in records:
        test = record.measured["test"]
        figures = test.slices if record.split == "leaking" else test.tracks
        shown = [f"{getattr(figures, key):.3f}" for key in COLUMNS]
        rows.append([f"`{record.name}`", record.commit, str(len(record.history)), *shown])
    return markdown.table(["run", "commit", "epochs", *COLUMNS.values()], rows)


def _rows(experiment: Experiment, found: Mapping[str, Sequence[RunRecord]]) -> Iterator[list[str]]:
    yield [f"`{experiment.name}`", experiment.description, *[""] * (len(COLUMNS) + 3)]
    if (published := experiment.published) and published.figures:
        shown = [f"{published.figures[key]:.3g}" if key in published.figures else "" for key in COLUMNS]
        yield ["", f"*the paper, {published.where}: {published.conditions}*", "", *shown, "", ""]
    if not found:
        yield ["", "*not measured*", *[""] * (len(COLUMNS) + 3)]
    for split, runs in found.items():
        minutes = np.mean([run.seconds for run in runs]) / 60
        for of in ("slices",) if split == "leaking" else ("slices", "tracks"):
            measured = [getattr(run.measured["test"], of) for run in runs]
            if of == "slices" and measured[0].n == runs[0].measured["test"].tracks.n:
                continue  # whole clips: a slice is the track
            figures = [_spread([getattr(one, key) for one in measured]) for key in COLUMNS]
            yield ["", split, of, *figures, str(len(runs)), f"{minutes:.1f}"]


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else mean


def _accuracy(runs: Sequence[RunRecord]) -> str:
    of = "slices" if runs and runs[0].split == "leaking" else "tracks"
    return _spread([getattr(run.measured["test"], of).accuracy for run in runs]) if runs else ""
