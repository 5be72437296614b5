"""A training as it goes on: one bar a network, with what it last measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from mgtag.view.text import printable, stderr, stdout


class TrainingView:
    """Shows how several networks do while it is entered; a line an epoch where stderr is no terminal.

    Parameters
    ----------
    shown : bool
        False for a process that trains together with one that shows it.
    """

    def __init__(self, shown: bool = True) -> None:
        self._err = stderr()
        self._err.quiet = not shown
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", style="dim"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._err,
            disable=not self._err.is_terminal,
        )

    def __enter__(self) -> TrainingView:
        self._progress.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._progress.stop()
        if kind is KeyboardInterrupt:
            self.tell("Interrupted; the same command with --resume goes on from the last whole epoch.")

    def progress(self, run: str, epoch: int, epochs: int, row: Mapping[str, float]) -> None:
        """Tell how a network did in its latest epoch, or, without figures, how far something is."""
        told = "  ".join(
            f"{name.removesuffix('_accuracy').replace('_', ' ')} {value:.3f}"
            for name, value in row.items()
            if name != "seconds"
        )
        if not self._err.is_terminal:
            if told:
                self._err.print(f"{run}  epoch {epoch} of {epochs}  {told}")
            elif epoch == epochs:
                self._err.print(f"{run}  {epochs}")
            return
        if run not in self._bars:
            self._bars[run] = self._progress.add_task(run, total=epochs, told="")
        self._progress.update(self._bars[run], completed=epoch, total=epochs or None, told=told)

    def tell(self, sentence: str) -> None:
        """Say something that is no progress."""
        self._err.print(printable(sentence), highlight=False, soft_wrap=True)


def show_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Show rows that have the same columns."""
    table = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        table.add_row(*row.values())
    stdout().print(table)


def show_written(paths: Sequence[Path]) -> None:
    """Tell which files were written."""
    for path in paths:
        stdout().print(str(path), highlight=False, soft_wrap=True)
