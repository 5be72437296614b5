"""A scan as it goes on: progress bar, lines, JSON; its end is `mgtag.view.scan_end`'s."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mgtag.card import GENRE
from mgtag.library.decisions import WORDS
from mgtag.library.events import (
    Answered,
    Event,
    Failed,
    FileEvent,
    Found,
    Fresh,
    Tagged,
    TooShort,
)
from mgtag.library.outcome import NOT_MUSIC, SILENT, Outcome
from mgtag.view.outcomes import STYLES, outcome_name
from mgtag.view.scan_end import ScanEnd
from mgtag.view.text import CARE, COLOURS, TITLES, dumps, joined, nearby, printable, stderr, stdout
from mgtag.vote import Vote


class ScanView:
    """Shows the events of one scan, beneath which `progress` is to be entered.

    Parameters
    ----------
    as_json : bool
        One JSON object a line on stdout; the table then goes to stderr.
    verbosity : int
        -1: failures only; 0: progress and table; 1: a line a file.
    dry_run : bool
    """

    def __init__(self, as_json: bool = False, verbosity: int = 0, dry_run: bool = False) -> None:
        self._end = ScanEnd(dry_run)
        self.counts = self._end.counts
        self._json, self._verbosity, self._dry_run = as_json, verbosity, dry_run
        self._err = stderr()
        self.progress = progress_bar(self._err, quiet=verbosity < 0)
        self._task = self.progress.add_task("looking for music", total=None)

    @property
    def run(self) -> int:
        """The number of the scan."""
        return self._end.run

    def warn(self, sentences: Iterable[str]) -> None:
        """Say what must be known before a file is tagged."""
        for sentence in sentences if self._verbosity >= 0 else ():
            self._err.print(Text.assemble(("warning  ", CARE), printable(sentence)))

    def show(self, event: Event) -> None:
        """Count an event and tell it."""
        if isinstance(event, Found):
            self._end.run = event.run
            self.progress.update(self._task, total=event.count, description="listening")
            if not event.count:
                self._err.print("There is no music there that mgtag could listen to.")
            return
        self._end.add(event)
        self.progress.done += 1
        if isinstance(event, Fresh) and not self._json and self._verbosity <= 0:
            return
        if self._json:
            print(as_json(event), flush=True)  # noqa: T201
        if isinstance(event, Failed):
            self._err.print(Text.assemble(("failed     ", STYLES[Outcome.FAILED]), printable(event.error)))
        elif isinstance(event, TooShort):
            if self._verbosity > 0 and not self._json:
                self._err.print(
                    Text.assemble(("too short  ", STYLES[event.outcome]), printable(event.reason))
                )
        elif self._verbosity > 0 and not self._json:
            self._err.print(self._line(event))
        elif not isinstance(event, Fresh):
            self.progress.latest = Text.assemble(_told(event), "  ", (printable(event.path.name), "dim"))

    def summary(
        self, interrupted: bool = False, program: str = "mgtag", again: str = "", options: str = ""
    ) -> None:
        """Print the tables, the counts, and what can be done next; see `ScanEnd.show`."""
        if self._verbosity >= 0:
            self._end.show(self._err if self._json else stdout(), interrupted, program, again, options)

    def _line(self, event: Answered | Fresh) -> Text:
        name = "would tag" if self._dry_run and isinstance(event, Tagged) else outcome_name(event.outcome)
        path = nearby(event.path) if self._err.is_terminal else event.path
        return Text.assemble((f"{name:<11}", STYLES[event.outcome]), _told(event, 28), "  ", printable(path))


def as_json(event: FileEvent) -> str:
    """Return an event as one line of JSON (the schema is in the user guide)."""
    row: dict[str, object] = {"path": str(event.path), "event": event.outcome}
    if isinstance(event, Answered):
        row |= {"genres": event.genres, **_shares(event.vote)}
        row |= {"reason": event.reason or None, "error": None}
        others = (name for name in event.votes if name != GENRE)
        row |= {name: {"values": event.values[name], **_shares(event.votes[name])} for name in others}
    elif isinstance(event, Fresh):
        row |= {"genres": [event.heard] if event.heard else [], "confidence": round(event.confidence, 4)}
        row |= {"probabilities": {}, "reason": event.reason or None, "error": None}
    else:
        row |= {"genres": [], "confidence": None, "probabilities": {}, "reason": None, "error": None}
        row |= {"reason": event.reason} if isinstance(event, TooShort) else {"error": event.error}
    row["written"] = event.written if isinstance(event, Answered) else ()
    return dumps(row)


def _shares(vote: Vote) -> dict[str, object]:
    shares = zip(vote.labels, vote.probabilities, strict=True)
    return {
        "confidence": round(vote.confidence, 4),
        "probabilities": {label: round(float(share), 4) for label, share in shares},
    }


def _told(event: Answered | Fresh, width: int = 0) -> Text:
    """Return what was heard and, where nothing is written, why."""
    if isinstance(event, Fresh):
        told = [(event.heard, event.confidence)]
    else:
        others = [name for name in event.written if name != GENRE]
        told = [(_value(n, event.values[n]), event.votes[n].confidence) for n in (GENRE, *others)]
    reason = "" if isinstance(event, Tagged) else printable(event.reason)
    line = Text()
    if reason in (NOT_MUSIC, SILENT):
        line.append(reason, "dim")
    elif reason[:1].isdigit():  # so much of so much
        line.append(f"{printable(told[0][0])} ", COLOURS.get(told[0][0], "")).append(reason)
    else:
        for n, (name, confidence) in enumerate(told):
            line.append(", " if n else "").append(f"{printable(name)} ", COLOURS.get(name, ""))
            line.append(f"{confidence:.0%}")
        if isinstance(event, Answered) and WORDS in event.votes:
            line.append(", with its words", "dim")
        line.append(f"; {reason}" if reason else "", "dim")
    return line.append(" " * max(0, width - line.cell_len))


def _value(field: str, values: tuple[str, ...]) -> str:
    return f"{joined(values)} {TITLES[field]}" if field in TITLES else joined(values)


def progress_bar(console: Console, quiet: bool = False) -> _Progress:
    """Return what shows how many files of how many are done, on a terminal."""
    return _Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=console,
        transient=True,
        expand=True,
        disable=quiet or not console.is_terminal,
    )


class _Progress(Progress):
    """Tells beneath its bar what was heard last; counts what is done, and looks at that when it draws."""

    latest = Text()
    done = 0

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.task_ids[:1]:
            self.update(task, completed=self.done)
        yield self.make_tasks_table(self.tasks)
        if self.latest:
            yield Text.assemble("  ", self.latest, no_wrap=True, overflow="ellipsis")


class _Rate(ProgressColumn):
    """Files a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} files/s" if task.speed else "", "dim")
