"""What learning own genres shows: progress while songs are heard, and the table of what can be promised."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mgtag.learn.learning import Outcome, Settings
from mgtag.learn.promise import PROMISE, Learned, Row
from mgtag.library.events import Event, Failed, Found, TooShort
from mgtag.view.scanning import progress_bar
from mgtag.view.text import CARE, COLOURS, dumps, printable, stderr, stdout

MOST_REFUSED = 12  # named on the screen


class LearnView:
    """Shows one `mgtag learn`, beneath which `progress` is to be entered."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json
        self._err = stderr()
        self.progress = progress_bar(self._err)
        self._task = self.progress.add_task("looking for songs with a genre", total=None)

    def follow(self, events: Generator[Event, None, Outcome]) -> Outcome:
        """Show progress until the outcome is there, and return it."""
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            if isinstance(event, Found):
                self.progress.update(self._task, total=event.count, description="listening")
                continue
            self.progress.done += 1
            if self.progress.done == self.progress.tasks[0].total:
                self.progress.update(self._task, description="fitting")
            if isinstance(event, Failed | TooShort):
                reason = event.error if isinstance(event, Failed) else event.reason
                self.progress.console.print(Text.assemble(("left out  ", CARE), printable(reason)))

    def show(self, outcome: Outcome, settings: Settings) -> None:
        """Print the table, what is refused and why, and what can be done next."""
        if self._json:
            print(dumps(_as_json(outcome)))  # noqa: T201
            return
        console = stdout()
        told = [row for row in outcome.rows if not row.refused]
        if told:
            console.print(_table(told, outcome.learned is not None and outcome.learned.threshold is not None))
        _show_refused(console, [row for row in outcome.rows if row.refused])
        if outcome.unheard:
            console.print(Text(f"{outcome.unheard:,} songs could not be heard, and were left out.", "dim"))
        if outcome.learned is None:
            console.print("No model was made: it takes two genres that can be told apart.")
            return
        console.print(_promise(outcome.learned, outcome.songs))
        console.print(Text(_next(outcome, settings), "dim"))


def _table(rows: list[Row], with_threshold: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Genre", overflow="fold")
    for title in ("songs", "artists", "found", *(("tagged", "right of those") if with_threshold else ())):
        table.add_column(title, justify="right")
    for row in rows:
        precision = "–" if row.precision is None else f"{row.precision:.0%} of {row.tags:,}"
        sure = (f"{row.coverage:.0%}", precision) if with_threshold else ()
        name = Text(printable(row.genre), COLOURS.get(row.genre, ""))
        table.add_row(name, f"{row.songs:,}", f"{row.groups:,}", f"{row.recall:.0%}", *sure)
    return table


def _show_refused(console: Console, rows: list[Row]) -> None:
    for row in rows[:MOST_REFUSED]:
        told = f"{printable(row.genre)} ({row.songs:,}): {row.refused}."
        console.print(Text.assemble(("left out  ", CARE), told))
    if more := rows[MOST_REFUSED:]:
        console.print(Text(f"and {len(more):,} genres more, for the same reasons.", "dim"))


def _promise(learned: Learned, songs: int) -> str:
    right = f"Measured on songs of artists it had not heard: right for {learned.accuracy:.0%} of {songs:,}."
    if learned.threshold is None:
        return (
            f"{right} That is too little to promise that {PROMISE:.0%} of its tags are right, so it never "
            "writes a genre by itself; tag more songs by hand, then mgtag learn --update."
        )
    return (
        f"{right} From {learned.threshold:.0%} confidence on it tags {learned.coverage:.0%} of them, and is "
        f"right for {learned.precision:.0%} of those."
    )


def _next(outcome: Outcome, settings: Settings) -> str:
    if outcome.bundle is None:
        return "Nothing was written; without --dry-run the model is made."
    name = printable(settings.name)
    return (
        f"`mgtag scan --dry-run --model {name} PATH` shows what it would write; `mgtag models {name}` all "
        "of this."
    )


def _as_json(outcome: Outcome) -> dict[str, object]:
    learned = outcome.learned
    return {
        "model": outcome.bundle.id if outcome.bundle else None,
        "folder": str(outcome.bundle.folder) if outcome.bundle else None,
        "songs": outcome.songs,
        "unheard": outcome.unheard,
        "genres": learned.genres if learned else (),
        "threshold": learned.threshold if learned else None,
        "accuracy": learned.accuracy if learned else None,
        "coverage": learned.coverage if learned else None,
        "precision": learned.precision if learned else None,
        "by_genre": [asdict(row) for row in outcome.rows],
    }
