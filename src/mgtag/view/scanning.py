"""A scan as it goes on: progress bar, lines, JSON, and the table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
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
from rich.table import Table
from rich.text import Text

from mgtag.card import GENRE
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
from mgtag.library.outcome import Outcome
from mgtag.tags import BPM, SINGLE
from mgtag.view.text import COLOURS, TITLES, dumps, joined, printable, stderr, stdout
from mgtag.vote import Vote

STYLES = {  # of what a scan tells, in this order
    Outcome.TAGGED: "bold green",
    Outcome.KEPT: "",
    Outcome.UNSURE: "yellow",
    Outcome.TOO_SHORT: "yellow",
    Outcome.FRESH: "dim",
    Outcome.FAILED: "bold red",
}
RARE = {Outcome.TOO_SHORT}  # not counted where there is none
BAR = 24  # columns of the longest bar in the table


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
        self.counts: Counter[str] = Counter()
        self._run = 0
        self._written: dict[str, dict[str, list[float]]] = {}  # field -> value -> confidences
        self._json, self._verbosity, self._dry_run = as_json, verbosity, dry_run
        self._err = stderr()
        self.progress = progress_bar(self._err, quiet=verbosity < 0)
        self._task = self.progress.add_task("looking for music", total=None)

    def warn(self, sentences: Iterable[str]) -> None:
        """Say what must be known before a file is tagged."""
        for sentence in sentences if self._verbosity >= 0 else ():
            self._err.print(Text("warning  ", "yellow") + Text(printable(sentence)))

    def show(self, event: Event) -> None:
        """Count an event and tell it."""
        if isinstance(event, Found):
            self._run = event.run
            self.progress.update(self._task, total=event.count, description="listening")
            if not event.count:
                self._err.print("There is no music there that mgtag could listen to.")
            return
        self.counts[event.outcome] += 1
        if isinstance(event, Tagged):
            for field in event.written:
                group = _group(field, event.values[field][0])
                confidences = self._written.setdefault(field, {}).setdefault(group, [])
                confidences.append(event.votes[field].confidence)
        if self._json:
            print(as_json(event), flush=True)  # noqa: T201
        if isinstance(event, Failed):
            self._err.print(Text("failed  ", STYLES[Outcome.FAILED]) + Text(printable(event.error)))
        elif isinstance(event, TooShort):
            if self._verbosity > 0 and not self._json:
                self._err.print(Text("too short ", STYLES[event.outcome]) + Text(printable(event.reason)))
        elif self._verbosity > 0 and not self._json:
            self._err.print(_line(event))
        self.progress.advance(self._task)

    def summary(self, interrupted: bool = False) -> None:
        """Print the table by genre, the counts, and what can be done next."""
        if self._verbosity < 0:
            return
        console = self._err if self._json else stdout()
        for field, found in self._written.items():
            console.print(_table(field, found, self._dry_run))
        console.print(_totals(self.counts, self._dry_run))
        if interrupted:
            console.print(
                Text("Interrupted; every file is whole, and the same command goes on from here.", "yellow")
            )
        if self.counts["tagged"] and not self._dry_run:
            console.print(Text(f"`mgtag undo {self._run}` takes it back.", "dim"))


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


def _line(event: Answered | Fresh) -> Text:
    line = Text(f"{event.outcome:<8}", STYLES[event.outcome])
    if isinstance(event, Fresh):
        told = [(event.heard or "–", event.confidence)]
    else:
        others = [name for name in event.written if name != GENRE]
        told = [(_told(n, event.values[n]), event.votes[n].confidence) for n in (GENRE, *others)]
    for name, confidence in told:
        line.append(f"{printable(name):<12} {confidence:4.0%}  ")
    line.append(printable(event.path))
    if event.reason:
        line.append(f"  ({event.reason})", "dim")
    return line


def _told(field: str, values: tuple[str, ...]) -> str:
    return f"{joined(values)} {TITLES[field]}" if field in TITLES else joined(values)


def _group(field: str, value: str) -> str:
    """Return under what a written value is counted: itself, or, of a tempo, its ten."""
    ten = int(value) // 10 * 10 if field == BPM else 0
    return f"{ten:>3}–{ten + 9}" if field == BPM else value


def _table(field: str, genres: dict[str, list[float]], dry_run: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(TITLES.get(field, field.capitalize()))
    table.add_column("would be tagged" if dry_run else "tagged", justify="right")
    table.add_column("confidence", justify="right")
    table.add_column("")
    most = max(map(len, genres.values()))
    by_count = field not in SINGLE  # tempi and keys stand in their own order
    for genre, confidences in sorted(genres.items(), key=lambda i: (-len(i[1]) if by_count else 0, i[0])):
        count = len(confidences)
        style = COLOURS.get(genre, "")
        bar = "█" * max(1, round(BAR * count / most))
        table.add_row(
            Text(printable(genre), style), f"{count:,}", f"{sum(confidences) / count:.0%}", Text(bar, style)
        )
    return table


def _totals(counts: Counter[str], dry_run: bool) -> Text:
    line = Text()
    for name in STYLES:
        count = counts[name]
        if name in RARE and not count:
            continue
        shown = "would be tagged" if dry_run and name is Outcome.TAGGED else name.replace("_", " ")
        line.append(", " if line else "")
        line.append(f"{count:,} {shown}", STYLES[name] if count else "dim")
    return line


def progress_bar(console: Console, quiet: bool = False) -> Progress:
    """Return what shows how many files of how many are done, on a terminal."""
    return Progress(
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


class _Rate(ProgressColumn):
    """Files a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} files/s" if task.speed else "", "dim")
