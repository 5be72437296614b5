"""The runs of the index, and what each wrote: tables and JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from mgtag.library.records import Entry, Run
from mgtag.view.text import COLOURS, dumps, joined, printable, stdout

MOST = 4  # values that a line names


def show_runs(runs: Iterable[Run], entries: Iterable[Entry], as_json: bool) -> None:
    """Print the runs, latest first, with what each wrote."""
    wrote: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        wrote[entry.run].update(value for values in entry.added.values() for value in values)
    if as_json:
        for run in runs:
            print(dumps(vars(run) | {"wrote": wrote[run.id]}))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    listed = list(runs)
    undone = any(run.undone for run in listed)
    for name in ("Run", "Began (UTC)", "Changed", *(("Undone",) if undone else ())):
        table.add_column(name, justify="left" if name.startswith("Began") else "right", no_wrap=True)
    table.add_column("Wrote")
    table.add_column("Of", overflow="fold")
    for run in listed:
        table.add_row(
            str(run.id),
            run.started[:16].replace("T", " "),
            Text("dry run", "dim") if run.dry_run else f"{run.changed:,}",
            *([("" if run.dry_run else f"{run.undone:,}")] if undone else ()),
            _wrote(wrote[run.id]),
            printable(run.command),
        )
    stdout().print(table if table.row_count else "There was no run yet.")


def show_entries(entries: Iterable[Entry], as_json: bool) -> None:
    """Print every file that a run changed: its values before and after."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "Before", "After", "File"):
        table.add_column(name, overflow="fold", no_wrap=name != "File")
    for entry in entries:
        if as_json:
            print(dumps(entry._asdict() | {"path": str(entry.path)}))  # noqa: T201
        else:
            before, after = (
                " · ".join(joined(values) for values in values.values())
                for values in (entry.before, entry.after)
            )
            style = "dim" if entry.state == "undone" else ""
            shown = "" if entry.state == "done" else entry.state
            table.add_row(shown, before, after, printable(entry.path), style=style)
    if not as_json:
        stdout().print(table if table.row_count else "This run changed no file.")


def _wrote(counts: Counter[str]) -> Text:
    line = Text()
    for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]:
        line.append(", " if line else "").append(
            f"{printable(value)}\N{NO-BREAK SPACE}", COLOURS.get(value, "")
        )
        line.append(f"{count:,}")
    return line.append(", …" if len(counts) > MOST else "")
