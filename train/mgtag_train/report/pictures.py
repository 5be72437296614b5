"""The pictures of ``RESULTS.md``, drawn from the run records and the analyses alone.

A picture whose records are missing is left out. Colours are matplotlib's own: one hue a genre
(``tab10``), blues for shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from mgtag.arrays import F64
from mgtag_train.data.outside import LABELS, NOT_MUSIC, SILENT_GENRES
from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report import analysis_pictures
from mgtag_train.report.drawing import GRID, INK, SOFT, bare, blank, matrices
from mgtag_train.report.paper_figures import MFCC_CLIPS, MFCC_DIAGONAL, QUEENS_CONFUSION, QUEENS_LABELS
from mgtag_train.report.paper_tables import confusion
from mgtag_train.report.records import Analysis, Runs

DPI = 110
SPLITS = {"leaking": "#c0504d", "tracks": "#e0a030", "filtered": "#2b6cb0"}


def write(
    records: Runs, analyses: Mapping[str, Analysis], outside: Mapping[str, Any], folder: Path
) -> list[Path]:
    """Draw every picture whose records are there.

    Parameters
    ----------
    outside : mapping
        Tables of the default bundle on music outside GTZAN; may be empty.

    Returns
    -------
    list of Path
        The pictures, PNG.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    figures = {name: make(records) for name, make in OF_RUNS.items()}
    figures |= {name: make(analyses[of]) for name, (of, make) in OF_ANALYSES.items() if of in analyses}
    if outside:
        figures["reliability-outside"] = reliability_outside(outside["reliability"])
        figures["confusion-outside"] = confusion_outside(outside["confusion"])
    for name, figure in figures.items():
        if figure is not None:
            path = folder / f"{name}.png"
            _save(figure, path)
            drawn.append(path)
    return drawn


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG of 256 colours, a third as large and no different to see; the same for the same records."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI, format="png")
    few = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def best(records: Runs) -> str:
    """Return the ten-genre system of the lowest validation log loss on tracks; empty where there is none."""

    def loss(name: str) -> float:
        runs = records[name]["filtered"]
        return float(np.mean([run.measured["valid"].tracks.log_loss for run in runs]))

    names = [
        name for name, runs in records.items() if "filtered" in runs and len(runs["filtered"][0].labels) == 10
    ]
    names = [
        name
        for name in names
        if not (name.startswith("lyrics") or "valid" not in records[name]["filtered"][0].measured)
    ]
    return min(names, key=loss, default="")


def queens(records: Runs) -> Figure | None:
    """Draw Table IV beside `queens-parallel`."""
    runs = records.get("queens-parallel", {})
    panels = {"the paper, Table IV": (QUEENS_LABELS, QUEENS_CONFUSION)} | _panels(runs)
    return matrices(panels) if runs else None


def kth(records: Runs) -> Figure | None:
    """`kth-attention` under both splits; the paper's own matrix is a picture without numbers."""
    runs = records.get("kth-attention", {})
    return matrices(_panels(runs)) if runs else None


def best_system(records: Runs) -> Figure | None:
    """Draw the best system on the honest split."""
    name = best(records)
    return matrices(_panels({"filtered": records[name]["filtered"]}, name)) if name else None


def mfcc(records: Runs) -> Figure | None:
    """`mfcc-26`: its matrix on the paper's kind of split, and each genre's share found beside the paper's."""
    runs = records.get("mfcc-26", {})
    if "tracks" not in runs:
        return None
    figure = matrices({"mfcc-26, tracks": _panels({"tracks": runs["tracks"]})["tracks"]})
    figure.set_size_inches(8.2, 4.5)
    left = figure.axes[0]
    left.set_position((0.09, 0.19, 0.42, 0.68))
    ax = figure.add_axes((0.64, 0.19, 0.34, 0.68))
    labels = runs["tracks"][0].labels
    order = sorted(labels, key=lambda label: MFCC_DIAGONAL["mfcc-26"][label])
    published = [MFCC_DIAGONAL["mfcc-26"][label] / MFCC_CLIPS for label in order]
    ax.scatter(published, range(len(order)), color=INK, marker="D", s=26, label="the paper", zorder=3)
    for split, found in runs.items():
        ours = [np.mean([run.by_genre[label]["recall"] for run in found]) for label in order]
        ax.scatter(ours, range(len(order)), color=SPLITS[split], s=34, label=split, zorder=3)
    ax.set_yticks(range(len(order)), order)
    ax.set_xlim(0, 1.02)
    ax.grid(axis="both", color=GRID, linewidth=0.8)
    ax.set_xlabel("share of the genre's clips found")
    ax.set_title("by genre", fontsize=10)
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.4, -0.31),
        ncols=3,
        frameon=False,
        columnspacing=0.9,
        handletextpad=0.2,
    )
    ax.tick_params(length=0)
    bare(ax, "left", "bottom")
    figure.set_layout_engine("none")
    return figure


def curves(records: Runs) -> Figure | None:
    """Accuracy on validation slices after each epoch, a line a seed, a dot where weights were kept.

    A network that was trained on the validation tracks too has no such curve.
    """
    first = {name: next(iter(by_split.values()))[0] for name, by_split in records.items()}
    names = [name for name, run in first.items() if run.history and "valid" in run.measured]
    if not names:
        return None
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = blank(8.2 if columns > 2 else 4.4, 1.7 * rows + 0.6)
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    seen: dict[str, Line2D] = {}
    for ax, name in zip(axes, names, strict=False):
        for split, runs in records[name].items():
            colour = SPLITS.get(split, SOFT)
            for run in runs:
                accuracy = [row["slice_accuracy"] for row in run.history]
                (seen[split],) = ax.plot(range(1, len(accuracy) + 1), accuracy, color=colour, linewidth=1.1)
                if 0 < run.best_epoch <= len(accuracy):
                    ax.plot(run.best_epoch, accuracy[run.best_epoch - 1], "o", color=colour, markersize=3.5)
        ax.set_title(name, fontsize=9)
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 0.5, 1])
        ax.grid(axis="y", color=GRID, linewidth=0.8)
        ax.tick_params(labelsize=7.5, length=2, color=SOFT)
        bare(ax, "left")
    for ax in axes[len(names) :]:
        ax.axis("off")
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("accuracy on validation slices", fontsize=9)
    figure.legend(seen.values(), seen, loc="outside upper right", ncols=len(seen), frameon=False)
    return figure


def reliability(records: Runs) -> Figure | None:
    """How often the best system is right when it is so confident, on test tracks."""
    name = best(records)
    if not name:
        return None
    found = [run.reliability for run in records[name]["filtered"]]
    count = np.array([one["count"] for one in found], float)
    total = np.maximum(count.sum(axis=0), 1)
    confidence, accuracy = (
        (count * np.array([one[key] for one in found])).sum(axis=0) / total
        for key in ("confidence", "accuracy")
    )
    error = np.mean([run.measured["test"].tracks.calibration_error for run in records[name]["filtered"]])
    title = f"{name}: expected calibration error {error:.3f}\nareas are numbers of tracks"
    return _calibration(confidence, accuracy, count.sum(axis=0), title)


def reliability_outside(bins: Mapping[str, Sequence[float]]) -> Figure:
    """How often the default bundle's best of fifteen genres is right when it is so confident."""
    confidence, accuracy, size = (np.array(bins[key]) for key in ("confidence", "accuracy", "size"))
    return _calibration(
        confidence, accuracy, size, "music of fifteen genres, outside GTZAN\nareas are numbers of pieces"
    )


def confusion_outside(rows: Mapping[str, Mapping[str, int]]) -> Figure:
    """Best answers for music of the fifteen genres, and for sounds that are not music."""
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for genre, answers in rows.items():
        label = NOT_MUSIC if genre in SILENT_GENRES else genre
        if label in LABELS:
            for answer, count in answers.items():
                counts[LABELS.index(label), LABELS.index(answer)] += count
    return matrices({"outside GTZAN, test": (LABELS, counts)}, side=6.4)


def _calibration(confidence: F64, accuracy: F64, count: F64, title: str) -> Figure:
    some = count > 0
    confidence, accuracy, count = confidence[some], accuracy[some], count[some]
    figure = blank(4.9, 4.6)
    ax = figure.subplots()
    ax.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    # One standard error of a share, over the answers of the bin.
    spread = np.sqrt(accuracy * (1 - accuracy) / count)
    ax.errorbar(confidence, accuracy, spread, fmt="none", ecolor="#9bbbdd", elinewidth=2)
    ax.scatter(confidence, accuracy, s=10 + 220 * count / count.sum(), color=SPLITS["filtered"], zorder=3)
    ax.set(xlim=(0, 1), ylim=(0, 1.03), aspect="equal", xlabel="confidence", ylabel="share that is right")
    ax.set_title(title, fontsize=10)
    ax.grid(color=GRID, linewidth=0.8)
    ax.tick_params(length=0)
    bare(ax, "left", "bottom")
    return figure


def _panels(runs: Mapping[str, Sequence[RunRecord]], name: str = "") -> dict[str, tuple[Sequence[str], Any]]:
    return {
        f"{name}, {split}" if name else split: (found[0].labels, confusion(found))
        for split, found in runs.items()
    }


OF_RUNS: Mapping[str, Callable[[Runs], Figure | None]] = {
    "confusion-queens": queens,
    "confusion-kth": kth,
    "confusion-mfcc": mfcc,
    "confusion-best": best_system,
    "reliability": reliability,
    "curves": curves,
}
OF_ANALYSES: Mapping[str, tuple[str, Callable[[Analysis], Figure]]] = {
    "pca-2d": ("tokens", analysis_pictures.pca_2d),
    "pca-3d": ("tokens", analysis_pictures.pca_3d),
    "attention": ("tokens", analysis_pictures.attention),
    "tsne": ("tsne", analysis_pictures.tsne),
}
