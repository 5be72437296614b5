"""An explanation in the terminal."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mgtag.bundle import Bundle
from mgtag.explain.explanation import Explanation
from mgtag.view.methods import means
from mgtag.view.text import clock, minutes, printable, stdout
from mgtag.view.timeline import axis, bars, columns, genre_style, keys, strip, sure
from mgtag.words import Words

GUTTER = 8  # columns of the rows' names
HEIGHT = 3  # rows of the weights
PIPE_COLUMNS = 100  # where nobody says how wide it is
BAR = 12  # columns of the longest bar in the table


def print_explanation(path: Path, made: Explanation, duration_s: float, bundle: Bundle) -> None:
    """Print one track, as wide as the terminal."""
    console = stdout()
    console.width = max(40, shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns)
    console.print(_head(path, made, duration_s, bundle))
    colour = console.color_system is not None and not console.no_color
    console.print(_timeline(made, console.width - GUTTER, colour))
    console.print(_legend(made, console.width))
    console.print(_moments(made))
    console.print(Text(f"weight: {means(made.method, made.head)}; 1 × is average\n", "dim"))
    if made.words is not None:
        console.print(_words(made, made.words))


def _head(path: Path, made: Explanation, duration_s: float, bundle: Bundle) -> RenderableType:
    (genre, confidence), *others = made.ranking()
    verdict = Text.assemble((genre, genre_style(genre)), (f", {confidence:.0%} sure", "bold"))
    for other, share in others:
        verdict.append(f"; then {other}, {share:.0%}")
    threshold = bundle.card.heads[made.head].threshold
    not_music = any(vote.not_music for vote in made.votes.values())
    if not_music or not made.vote.passes(threshold):
        asked = "never writes it" if threshold is None else f"asks for {threshold:.0%}"
        never = "This is never written" if not_music else f"Not sure enough to be written: the model {asked}"
        verdict.append(f". {never}", "dim")
    for name, vote in made.votes.items():
        if name != made.head:
            found = int(vote.probabilities.argmax())
            verdict.append(
                f"\n{name}: {printable(vote.labels[found])}, {vote.probabilities[found]:.0%} sure", "dim"
            )
    title = Text.assemble((printable(path.name), "bold"), (f"  {minutes(duration_s)}", "dim"))
    return Group(title, verdict, Text())


def _timeline(made: Explanation, width: int, colour: bool) -> RenderableType:
    heights = bars(columns(made.weights.ravel(), width), HEIGHT)
    names = ["weight", *[""] * (HEIGHT - 1)]
    rows = [Text.assemble((name.ljust(GUTTER), "dim"), row) for name, row in zip(names, heights, strict=True)]
    rows.append(Text.assemble((made.head.ljust(GUTTER), "dim"), strip(made, width, colour)))
    rows.append(Text.assemble(("sure".ljust(GUTTER), "dim"), sure(made, width)))
    covered_s = len(made.weights) * made.spec.slice_s
    rows += [Text(" " * GUTTER + line, "dim") for line in axis(covered_s, width)]
    return Group(*rows)


def _legend(made: Explanation, width: int) -> RenderableType:
    """List the genres that were heard; a line ends between two of them, never within one."""
    letters = keys(made.genres)
    heard = Counter(made.genres[i] for i in made.heard if i >= 0)
    lines = [Text()]
    for genre, count in [*heard.most_common(), ("", len(made.heard))]:
        item = Text(f"of {count} slices", "dim")
        if genre:
            item = Text.assemble((f"{letters[genre]} {genre}", genre_style(genre)), (f" {count}", "dim"))
        gap = (" · " if genre else "  ") if lines[-1] else ""
        if lines[-1].cell_len + len(gap) + item.cell_len > width:
            lines.append(item)
        else:
            lines[-1].append(gap, "dim").append_text(item)
    return Group(Text(), *lines, Text())


def _words(made: Explanation, words: Words) -> RenderableType:
    """Tell what the words say alone, and the lines that counted."""
    best = int(words.probabilities.argmax())
    names = dict(zip(made.prediction.heads[made.head].labels, made.genres, strict=True))
    label = words.labels[best]
    share = f"{words.probabilities[best]:.0%}"
    told = f"The words voted, too: {names.get(label, label)}, {share} among the genres they know."
    if not made.lines:
        return Text(told + "\n", "dim")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"Lines that counted for {made.ranking(1)[0][0]}", overflow="fold")
    table.add_column("Weight", justify="right", no_wrap=True)
    for line in made.lines:
        table.add_row(printable(line.text), f"{line.weight:.2f}")
    return Group(table, Text(told + " A weight is what the line adds to the genre's logit.\n", "dim"))


def _moments(made: Explanation) -> RenderableType:
    if not made.moments:
        return Text("No moment stands out.")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "From", "To"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Genre", no_wrap=True)
    for name in ("Probability", "Weight"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", max_width=BAR)
    most = max(moment.weight for moment in made.moments)
    for n, moment in enumerate(made.moments, 1):
        style = genre_style(moment.genre)
        table.add_row(
            Text(str(n), "dim"),
            clock(moment.start_s, 1),
            clock(moment.end_s, 1),
            Text(printable(moment.genre), style),
            f"{moment.probability:.0%}",
            f"{moment.weight:.1f} ×",
            Bar(most, 0, moment.weight, color=style.color or "default"),
        )
    return table
