"""A paper's other figures beside ours, and the analyses of its networks, as sections of ``RESULTS.md``.

Every function takes run records or an analysis as `mgtag_train.report.records` reads them, and returns
Markdown lines; none where there is nothing to show yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.learn.run_record import RunRecord
from mgtag_train.report import tokens_section
from mgtag_train.report.markdown import table
from mgtag_train.report.own_tables import SEARCH, frames, search, steps
from mgtag_train.report.paper_figures import (
    BLOCK_GENRES,
    FUSION_F1,
    KTH_VALENCE,
    MFCC_CLIPS,
    MFCC_DIAGONAL,
    QUEENS_CONFUSION,
    QUEENS_LABELS,
    QUEENS_REPORT,
)
from mgtag_train.report.records import Analysis, Runs

SCORES = ("precision", "recall", "f1-score")


def after(report: str, records: Runs, analyses: Mapping[str, Analysis]) -> list[str]:
    """Return what stands under the table of a report, ending with an empty line; empty where nothing does."""
    found = [part for part in (make(records, analyses) for make in PARTS.get(report, ())) if part]
    return [line for part in found for line in (*part, "")]


def queens(records: Runs) -> list[str]:
    """Table V and Table IV of the Queen's paper, beside `queens-parallel`."""
    runs = records.get("queens-parallel", {})
    if not runs:
        return []
    head = ["genre", "Table V: precision", "recall", "F1", "clips"]
    rows = [[genre, *(f"{x:.2f}" for x in row[:3]), str(row[3])] for genre, row in QUEENS_REPORT.items()]
    for split, found in runs.items():
        head += [f"{split}: precision", "recall", "F1", "of"]
        for row in rows:
            each = [run.by_genre[row[0]] for run in found]
            row += [f"{np.mean([one[score] for one in each]):.2f}" for score in SCORES]
            row += [f"{each[0]['support']:.0f}"]
    lines = ["### `queens-parallel` by genre", "", *table(head, rows), ""]
    lines += ["Slices under *leaking*, tracks under *filtered*; means over the seeds. Confusions, true by"]
    lines += ["answered, ours summed over the seeds:", ""]
    matrices = {"Table IV": np.array(QUEENS_CONFUSION)}
    matrices |= {split: confusion(found) for split, found in runs.items()}
    for name, matrix in matrices.items():
        counts = [[genre, *map(str, row)] for genre, row in zip(QUEENS_LABELS, matrix.tolist(), strict=True)]
        lines += [*table([f"{name}: true", *QUEENS_LABELS], counts), ""]
    return lines[:-1]


def mfcc(records: Runs) -> list[str]:
    """Both diagonals of the UPC paper, as shares of a genre's clips, beside ours."""
    names = [name for name in MFCC_DIAGONAL if name in records]
    if not names:
        return []
    labels = next(iter(records[names[0]].values()))[0].labels
    head, rows = ["genre"], [[label] for label in (*labels, "all")]
    for name in names:
        correct = MFCC_DIAGONAL[name]
        head.append(f"`{name}`, the paper")
        paper_shares = [correct[label] / MFCC_CLIPS for label in labels]
        for row, share in zip(rows, [*paper_shares, float(np.mean(paper_shares))], strict=True):
            row.append(f"{share:.2f}")
        for split, found in records[name].items():
            head.append(split)
            ours = [float(np.mean([run.by_genre[label]["recall"] for run in found])) for label in labels]
            accuracy = float(np.mean([run.measured["test"].tracks.accuracy for run in found]))
            for row, share in zip(rows, [*ours, accuracy], strict=True):
                row.append(f"{share:.2f}")
    return [
        "### Genres found by cepstral coefficients",
        "",
        f"The share of each genre's test clips that is found: the paper's two matrices ({MFCC_CLIPS} clips a",
        "genre), and ours, means over the seeds; *all* is accuracy.",
        "",
        *table(head, rows),
    ]


def valence(records: Runs) -> list[str]:
    """Return the KTH paper's table of valence beside ours."""
    rows = []
    for name, (train, test) in KTH_VALENCE.items():
        if name not in records:
            continue
        row = [f"`{name}`", "" if train is None else f"{train:.3f}", f"{test:.3f}"]
        runs = records[name]
        for split, of in (("leaking", "slices"), ("filtered", "slices"), ("filtered", "tracks")):
            for part in ("train", "test") if of == "slices" else ("test",):
                found = [getattr(run.valence[part], of).accuracy for run in runs.get(split, ())]
                row.append(f"{np.mean(found):.3f}" if found else "")
        rows.append(row)
    if not rows:
        return []
    head = ["system", "paper: train", "test", "leaking slices: train", "test"]
    return [
        "### Valence",
        "",
        "Accuracy on sad, neutral and happy, from the same network as the genre; the paper's split is not",
        "stated.",
        "",
        *table([*head, "filtered slices: train", "test", "tracks: test"], rows),
    ]


def blocks(record: Analysis) -> list[str]:
    """Return the genres that excite each convolution block, beside the UPC paper's three examples."""
    rows = []
    for number, block in enumerate(record["blocks"]):
        theirs = BLOCK_GENRES[number] if number < len(BLOCK_GENRES) else ""
        ranked = sorted(block["share"].items(), key=lambda item: -item[1])
        favourites = ", ".join(f"{genre} {100 * share:.0f} %" for genre, share in ranked[:3])
        most, verdict = block["most"], "**yes**" if theirs == ranked[0][0] else "no"
        example = f"{most['channel']}: {most['genre']}, {most['ratio']:.1f}; {most['track']}"
        row = [str(number + 1), theirs, favourites, verdict if theirs else "", f"{block['ratio']:.2f}"]
        row += [f"{100 * block['explained']:.0f} %", f"{block['alive']} of {block['channels']}", example]
        rows.append(row)
    head = ["block", "the paper", "channels that prefer", "holds", "selectivity", "explained", "alive"]
    return [
        "### Genres that excite each convolution block",
        "",
        f"Of `{record['run']}`, over {record['tracks']} test tracks: the genres that excite most channels",
        "most (the paper's example holds where its genre is first); *selectivity*, the median over channels",
        "of the favourite genre's mean answer over that of all genres; *explained*, the median share of a",
        "channel's variance over tracks that lies between genres; and the most selective channel with its",
        "genre, selectivity, and the clip that excites it most.",
        "",
        *table([*head, "most selective"], rows),
    ]


def tsne(record: Analysis) -> list[str]:
    """Return the neighbour shares of the t-SNE pictures."""
    before, after_training = record["before"]["like"], record["after"]["like"]
    return [
        "### Slices before and after training",
        "",
        f"t-SNE of {len(record['label'])} test slices (`{record['run']}`): of a slice's ten nearest",
        f"neighbours from other tracks, {100 * before:.0f} % are of its genre as the slices are, and",
        f"{100 * after_training:.0f} % as the network sees them; 10 % would be chance.",
    ]


def lyrics(records: Runs) -> list[str]:
    """Return Table 2 of the lyrics paper beside ours, for the genres that were measured here."""
    columns: dict[str, Mapping[str, float]] = {}
    for name in (name for name in records if name.startswith("lyrics-")):
        runs = records[name][EXPERIMENTS[name].task.honest_split]
        columns[f"`{name}`"] = {
            label: float(np.mean([run.by_genre[label]["f1-score"] for run in runs]))
            for label in runs[0].labels
        }
    if not columns:
        return []
    genres = dict.fromkeys(genre for found in columns.values() for genre in found)
    columns = {"Table 2": FUSION_F1, **columns}
    rows = [[g, *(f"{found[g]:.2f}" if g in found else "" for found in columns.values())] for g in genres]
    return [
        "### F1 by genre",
        "",
        "Table 2 is of the paper's fusion on sixteen genres; those are shown that were measured here. Ours",
        "are means over the seeds, those of `lyrics-cnn` under *filtered*.",
        "",
        *table(["genre", *columns], rows),
    ]


def confusion(runs: Sequence[RunRecord]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Sum the confusion matrices of the seeds."""
    return np.sum([run.confusion for run in runs], axis=0)  # type: ignore[no-any-return]


Part = Callable[[Runs, Mapping[str, Analysis]], list[str]]


def _of(name: str, make: Callable[[Analysis], list[str]]) -> Part:
    return lambda records, analyses: make(analyses[name]) if name in analyses else []


PARTS: Mapping[str, Sequence[Part]] = {
    "queens-parallel-bgru-cnn": (lambda records, analyses: queens(records),),
    "kth-attention-cnn": (
        lambda records, analyses: valence(records),
        _of("tsne", tsne),
        _of(f"{SEARCH}kth-4layer", search),
    ),
    "spectrogram-sequence-attention": (
        _of("tokens", tokens_section.section),
        _of(f"{SEARCH}tokens", search),
    ),
    "iitkgp-lyrics-han-cnn": (
        lambda records, analyses: lyrics(records),
        _of(f"{SEARCH}lyrics-han", search),
    ),
    "mgtag": (
        lambda records, analyses: steps(records),
        lambda records, analyses: frames(records),
    ),
    "upc-mfcc-cnn": (lambda records, analyses: mfcc(records), _of("blocks", blocks)),
}
