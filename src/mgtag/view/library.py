"""Files and runs of the index: tables, JSON, CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import Literal

import numpy as np
from rich.table import Table
from rich.text import Text

from mgtag.card import GENRE
from mgtag.library.lookup import FileInfo
from mgtag.library.records import Run, Track
from mgtag.prediction import Prediction
from mgtag.view.scanning import STYLES
from mgtag.view.text import COLOURS, dumps, escaped, joined, minutes, printable, stdout

BAR = 30  # columns of a probability of 1
FIELDS = ("path", "genres", "heard", "confidence", "event", "duration_s", "bundle", "run", "error")


def show_tracks(tracks: Sequence[Track], form: Literal["table", "json", "csv"]) -> None:
    """Print files, one a line."""
    if form == "json":
        for track in tracks:
            print(dumps(_row(track)))  # noqa: T201
    elif form == "csv":
        # UTF-8 wherever it goes; names that are no text keep their bytes.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")  # type: ignore[union-attr]
        writer = csv.DictWriter(sys.stdout, FIELDS)
        writer.writeheader()
        for track in tracks:
            row = _row(track) | {"genres": "; ".join(track.genres)}
            writer.writerow({k: escaped(v) if isinstance(v, str) else v for k, v in row.items()})
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name, right in (
            ("Heard", False),
            ("sure", True),
            ("In the file", False),
            ("", False),
            ("Length", True),
        ):
            table.add_column(name, justify="right" if right else "left", no_wrap=True)
        table.add_column("File", overflow="fold")
        for track in tracks:
            table.add_row(
                Text(printable(track.heard) or "–", COLOURS.get(track.heard, "")),
                f"{track.confidence:.0%}" if track.heard else "",
                joined(track.genres),
                Text(printable(track.event), STYLES.get(track.event, "dim")),
                minutes(track.duration_s) if track.duration_s else "",
                printable(track.path),
            )
        console = stdout()
        console.print(table if tracks else "No file of the index matches.")
        if tracks:
            console.print(Text(f"{len(tracks):,} files", "dim"))


def show_track(info: FileInfo, as_json: bool) -> None:
    """Print what one file's tags say, and what was heard in it."""
    tags, track, console = info.tags, info.track, stdout()
    mean = None if info.prediction is None else _mean(info.prediction)
    if as_json:
        row: dict[str, object] = {
            "path": str(info.path),
            "container": tags.container,
            "title": tags.title,
            "artist": tags.artist,
            "album": tags.album,
            "genres": tags.genres,
            "mood": tags.mood,
            "mgtag": vars(tags.provenance) if tags.provenance else None,
            "index": _row(track) if track else None,
            "slices": mean,
        }
        print(dumps(row))  # noqa: T201
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column(overflow="fold")
    for name, value in (
        ("file", info.path),
        ("title", tags.title),
        ("artist", tags.artist),
        ("album", tags.album),
    ):
        if value:
            grid.add_row(name, printable(value))
    grid.add_row("genre", Text(joined(tags.genres), "bold") + Text(f"  ({tags.container})", "dim"))
    if tags.mood:
        grid.add_row("mood", joined(tags.mood))
    if tags.provenance:
        ours = tags.provenance
        told = f"{joined(ours.genres)}, {ours.confidence:.0%} sure, by {printable(ours.bundle)}"
        grid.add_row("written by mgtag", told if tags.ours else f"{told}; changed since")
    if track is None:
        grid.add_row("index", "not scanned yet")
    elif track.error:
        grid.add_row("index", Text(printable(track.error), STYLES["failed"]))
    if track is not None and track.heard:
        told = f"{track.heard}, {track.confidence:.0%} sure, in run {track.run} ({track.event})"
        grid.add_row("mgtag heard", printable(told))
    console.print(grid)
    if mean is not None and info.prediction is not None:
        console.print(Text(f"\nmean over {len(info.prediction.starts_s)} slices of 3 s", "dim"))
        console.print(_bars(mean))


def show_runs(runs: Sequence[Run], as_json: bool) -> None:
    """Print the runs, latest first."""
    if as_json:
        for run in runs:
            print(dumps(vars(run)))  # noqa: T201
        return
    table = Table(
        "Run", "Began (UTC)", "Changed", "Undone", "Of", box=None, pad_edge=False, header_style="bold"
    )
    for run in runs:
        began = run.started[:19].replace("T", " ")
        table.add_row(str(run.id), began, f"{run.changed:,}", f"{run.undone:,}", printable(run.command))
    stdout().print(table if runs else "There was no run yet.")


def _bars(shares: dict[str, float]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for label, share in sorted(shares.items(), key=lambda item: -item[1]):
        if share >= 0.01:
            style = next((c for name, c in COLOURS.items() if name.casefold().replace("-", "") == label), "")
            grid.add_row(
                Text(printable(label), style), f"{share:4.0%}", Text("█" * max(1, round(share * BAR)), style)
            )
    return grid


def _mean(prediction: Prediction) -> dict[str, float]:
    head = prediction.heads[GENRE]
    means = np.asarray(head.probabilities).mean(axis=0)
    return {label: round(float(mean), 4) for label, mean in zip(head.labels, means, strict=True)}


def _row(track: Track) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(track, name) for name in FIELDS}
    return row | {"path": str(track.path), "confidence": round(track.confidence, 4)}
