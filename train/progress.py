"""A progress bar a training run, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@contextmanager
def bars(console: Console | None = None) -> Iterator[Callable[[str, int, int, Mapping[str, float]], None]]:
    """Show bars for the runs that report to the function this yields."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("valid {task.fields[tracks]:.3f} tracks, {task.fields[loss]:.3f} log loss"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console or Console(stderr=True)) as progress:

        def report(run: str, epoch: int, epochs: int, row: Mapping[str, float]) -> None:
            if run not in tasks:
                tasks[run] = progress.add_task(run, total=epochs, tracks=0.0, loss=0.0)
            progress.update(tasks[run], completed=epoch, tracks=row["track_accuracy"], loss=row["log_loss"])

        yield report
