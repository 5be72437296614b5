"""Nearest tracks and playlists: table and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from mgtag.explore.space import Space
from mgtag.library.paths import from_text
from mgtag.library.records import Located
from mgtag.view.text import COLOURS, dumps, minutes, printable, stdout


def show_near(space: Space, numbers: Sequence[int], nearness: Sequence[float] | None, as_json: bool) -> None:
    """Print tracks in the order given, with their nearness (a cosine, -1..1) where it is known."""
    if as_json:
        for place, number in enumerate(numbers):
            track = space.tracks[number]
            row = track._asdict() | {"path": from_text(track.path), "place": place + 1}
            if nearness is not None:
                row["nearness"] = round(nearness[place], 4)
            print(dumps(row))  # noqa: T201
        return
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("", justify="right", style="dim")
    if nearness is not None:
        table.add_column("near", justify="right")
    table.add_column("Song", overflow="fold", ratio=1)
    if console.width >= 60:
        table.add_column("Heard", no_wrap=True)
        table.add_column("Length", justify="right", style="dim")
    for place, number in enumerate(numbers):
        track = space.tracks[number]
        cells = [str(place + 1), *([f"{nearness[place]:.2f}"] if nearness is not None else ()), _name(track)]
        if console.width >= 60:
            cells += [Text(printable(track.genre), COLOURS.get(track.genre, "")), minutes(track.duration_s)]
        table.add_row(*cells)
    console.print(table)


def total_s(space: Space, numbers: Sequence[int]) -> float:
    """Return how long tracks last together, in seconds."""
    return sum(space.tracks[number].duration_s for number in numbers)


def _name(track: Located) -> str:
    return printable(" – ".join(filter(None, (track.artist, track.title))) or Path(track.path).name)
