"""One file of the index: a table and JSON."""

from __future__ import annotations

import shlex

from rich.table import Table
from rich.text import Text

from mgtag.library.lookup import FileInfo
from mgtag.library.records import Track
from mgtag.prediction import Prediction
from mgtag.tags import WRITABLE
from mgtag.view.listing import track_row
from mgtag.view.outcomes import STYLES, outcome_name
from mgtag.view.text import COLOURS, TITLES, dumps, joined, printable, stdout

BAR = 30  # columns of a probability of 1


def show_track(info: FileInfo, as_json: bool) -> None:
    """Print what one file's tags say, and what was heard in it."""
    tags, track, console = info.tags, info.track, stdout()
    means = {} if info.prediction is None else _means(info.prediction)
    if as_json:
        row: dict[str, object] = {
            "path": str(info.path),
            "container": tags.container,
            "title": tags.title,
            "artist": tags.artist,
            "album": tags.album,
            "genres": tags.genres,
            **{field: tags.values[field] for field in WRITABLE[1:]},
            "mgtag": {field: vars(written) for field, written in tags.provenance.items()},
            "index": track_row(track) if track else None,
            "slices": means or None,
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
    grid.add_row("genre", Text.assemble((joined(tags.genres), "bold"), (f"  ({tags.container})", "dim")))
    for field in WRITABLE[1:]:
        if tags.values[field]:
            grid.add_row(TITLES.get(field, field), joined(tags.values[field]))
    for field, ours in tags.provenance.items():
        told = f"{joined(ours.added)}, {ours.confidence:.0%} sure, by {printable(ours.bundle)}"
        grid.add_row("written by mgtag", told if tags.ours(field) else f"{told}; changed since")
    if track is None:
        again = f"mgtag scan --dry-run {shlex.quote(printable(info.path))}"
        grid.add_row("mgtag heard", f"not scanned yet; `{again}` listens")
    elif track.heard and not track.silent:
        heard = (
            f"{TITLES.get(head, head)} {best.label}, {best.confidence:.0%} sure"
            for head, best in track.heard_by_head()
        )
        grid.add_row("mgtag heard", printable("; ".join(heard)))
        if info.wider:
            grid.add_row("more surely", printable(f"{info.wider.label}, {info.wider.confidence:.0%} sure"))
    if track is not None:
        grid.add_row("last scan", _ended(track))
    console.print(grid)
    for head, mean in means.items() if track is None or not track.silent else ():
        count = 0 if info.prediction is None else len(info.prediction.starts_s)
        console.print(Text(f"\n{head}, mean over {count} slices", "dim"))
        names = info.names.get(head, {})
        console.print(_bars({names.get(label, label): share for label, share in mean.items()}))


def _ended(track: Track) -> Text:
    """Say how the last scan ended for a file, and why."""
    name = outcome_name(track.outcome)
    why = printable(track.reason.removeprefix(f"{track.path}: ").removeprefix(f"{name}: "))
    told = Text.assemble((name, STYLES.get(track.outcome, "")), f": {why}" if why else "")
    return told + Text(f"  (run {track.run})", "dim")


def _bars(shares: dict[str, float]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for label, share in sorted(shares.items(), key=lambda item: -item[1]):
        if share >= 0.01:
            style = COLOURS.get(label, "")
            grid.add_row(
                Text(printable(label), style), f"{share:4.0%}", Text("█" * max(1, round(share * BAR)), style)
            )
    return grid


def _means(prediction: Prediction) -> dict[str, dict[str, float]]:
    return {
        name: {
            label: round(float(mean), 4)
            for label, mean in zip(head.labels, head.probabilities.mean(axis=0), strict=True)
        }
        for name, head in prediction.heads.items()
    }
