"""How a scan ended: tables by genre, the counts and their reasons, and what can be done next."""

from __future__ import annotations

from collections import Counter, defaultdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mgtag.library.events import Answered, FileEvent, Tagged
from mgtag.library.outcome import Outcome
from mgtag.tags import BPM, SINGLE
from mgtag.view.outcomes import STYLES, outcome_name
from mgtag.view.text import CARE, COLOURS, TITLES, printable

BAR = 24  # columns of the longest bar in the table
RARE = {Outcome.TOO_SHORT}  # not counted where there is none


class ScanEnd:
    """Counts the events of one scan.

    Parameters
    ----------
    dry_run : bool

    Attributes
    ----------
    run : int
        The number of the scan.
    counts : Counter of str
        How many events of each outcome.
    """

    def __init__(self, dry_run: bool) -> None:
        self.run = 0
        self._dry_run = dry_run
        self.counts: Counter[str] = Counter()
        self._whys: defaultdict[Outcome, Counter[str]] = defaultdict(Counter)
        self._written: dict[str, dict[str, list[float]]] = {}  # field -> value -> confidences

    def add(self, event: FileEvent) -> None:
        """Count an event."""
        self.counts[event.outcome] += 1
        if isinstance(event, Tagged):
            for field in event.written:
                group = _group(field, event.values[field][0])
                confidences = self._written.setdefault(field, {}).setdefault(group, [])
                confidences.append(event.votes[field].confidence)
        elif isinstance(event, Answered) and event.why:
            self._whys[event.outcome][event.why] += 1

    def show(self, console: Console, interrupted: bool, program: str, again: str, options: str) -> None:
        """Print the tables, the counts, and what can be done next.

        Parameters
        ----------
        interrupted : bool
            Whether Ctrl-C ended it.
        program : str
            How mgtag was called.
        again : str
            The words behind it that write what a dry run told; "" if they are unknown.
        options : str
            What other commands need to find the same index.
        """
        for field, found in self._written.items():
            console.print(_table(field, found, self._dry_run))
        console.print(self._totals())
        for outcome, whys in self._whys.items():
            told = ", ".join(
                f"{count:,} {why}" for why, count in sorted(whys.items(), key=lambda i: (-i[1], i[0]))
            )
            console.print(Text.assemble((f"{outcome_name(outcome)}: ", STYLES[outcome]), told))
        if interrupted:
            console.print(
                Text("Interrupted; every file is whole, and the same command goes on from here.", CARE)
            )
        for hint in self._hints(program, again, options):
            console.print(Text(hint, "dim"))

    def _hints(self, program: str, again: str, options: str) -> list[str]:
        tagged, hints = self.counts[Outcome.TAGGED], []
        if self._dry_run:
            next_ = (
                f" `{program} {again}` writes these genres; nothing is heard twice."
                if tagged and again
                else ""
            )
            hints.append(f"No file was changed.{next_}")
        elif tagged:
            run = f"{self.run}{options}"
            hints.append(f"`{program} log {run}` names the files, `{program} undo {run}` takes it back.")
        if self.counts[Outcome.UNSURE]:
            hints.append(f"`{program} list --event unsure{options}` shows what was unsure.")
        if self.counts[Outcome.TOO_SHORT]:
            hints.append("Too short is what has less than 3 s to hear; nothing is wrong with it.")
        return hints

    def _totals(self) -> Text:
        line = Text()
        for name, style in STYLES.items():
            count = self.counts[name]
            if name in RARE and not count:
                continue
            shown = "would be tagged" if self._dry_run and name is Outcome.TAGGED else outcome_name(name)
            line.append(", " if line else "")
            line.append(f"{count:,} {shown}", style if count else "dim")
        return line


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
