"""The index's files, one a line, each as soon as it is read: table, JSON, CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from string import Template
from typing import Literal

from rich.color import ColorSystem
from rich.console import Console

from mgtag.errors import UsageError
from mgtag.library.outcome import NOT_MUSIC, Outcome
from mgtag.library.records import Track
from mgtag.view.m3u import write_m3u
from mgtag.view.outcomes import STYLES, outcome_name
from mgtag.view.text import COLOURS, dumps, escaped, joined, minutes, nearby, printable, stderr, stdout

FIELDS = "path genres heard confidence event duration_s bundle run reason".split()
FIELDS += (
    "artist album title year moods mood mood_confidence bpm bpm_confidence key key_confidence added".split()
)

Paint = Callable[[str, str], str]  # text, style -> text with escapes
_TOLD: Collection[Outcome] = (Outcome.FAILED, Outcome.TOO_SHORT)  # in a sentence; `mgtag show` has it
# Name, columns, from which width of the terminal on it is shown, cell.
_COLUMNS: tuple[tuple[str, int, int, Callable[[Track], tuple[str, str]]], ...] = (
    ("Heard", 12, 0, lambda t: (_heard(t) or "–", COLOURS.get(t.heard, ""))),
    ("sure", 4, 0, lambda t: (f"{t.confidence:4.0%}" if _heard(t) else "", "")),
    ("Mood", 8, 120, lambda t: (_mood(t), COLOURS.get(_mood(t), ""))),
    ("In the file", 16, 80, lambda t: (joined(t.genres), "")),
    ("", 9, 60, lambda t: (outcome_name(t.outcome), STYLES.get(t.outcome, "dim"))),
    ("Why", 18, 150, lambda t: ("" if t.outcome in _TOLD else printable(t.reason), "dim")),
    ("BPM", 4, 180, lambda t: (f"{t.bpm:>4.0f}" if t.bpm else "", "")),
    ("Key", 4, 180, lambda t: (printable(t.key), "")),
    ("Length", 7, 100, lambda t: (f"{minutes(t.duration_s) if t.duration_s else '':>7}", "")),
)


def show_tracks(
    tracks: Iterable[Track], form: Literal["table", "json", "csv"], template: str | None = None
) -> None:
    """Print files, one a line; in words of one's own where there is a template.

    Raises
    ------
    UsageError
        If the template names a field that there is not.
    """
    if template is not None:
        line = _template(template)
        for track in tracks:
            print(line.safe_substitute(_told(track)))  # noqa: T201
    elif form == "json":
        for track in tracks:
            print(dumps(track_row(track)))  # noqa: T201
    elif form == "csv":
        # UTF-8 wherever it goes; names that are no text keep their bytes.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")  # type: ignore[union-attr]
        writer = csv.DictWriter(sys.stdout, FIELDS)
        writer.writeheader()
        for track in tracks:
            row = track_row(track) | {"genres": "; ".join(track.genres), "moods": "; ".join(track.moods)}
            writer.writerow({k: escaped(v) if isinstance(v, str) else v for k, v in row.items()})
    else:
        _show_table(tracks)


def write_playlist(target: Path, tracks: Iterable[Track]) -> None:
    """Write files as a playlist, and say how many they are."""
    count = write_m3u(target, ((track.path, track) for track in tracks))
    stderr().print(f"{target}: {count:,} songs.")


def _template(text: str) -> Template:
    made = Template(text)
    unknown = set(made.get_identifiers()) - set(FIELDS)
    if unknown or not made.is_valid():
        wrong = f"there is no field {sorted(unknown)[0]!r}" if unknown else "a $ stands alone ($$ is one)"
        raise UsageError(f"{text!r}: {wrong}; fields are {', '.join(FIELDS)}.")
    return made


def _told(track: Track) -> dict[str, str]:
    row = track_row(track) | {
        "confidence": f"{track.confidence:.0%}",
        **{f"{f}_confidence": f"{track.best(f).confidence:.0%}" for f in ("mood", "bpm", "key")},
        "duration_s": minutes(track.duration_s),
        "genres": ", ".join(track.genres),
        "moods": ", ".join(track.moods),
    }
    return {name: printable("" if value is None else value) for name, value in row.items()}


def track_row(track: Track) -> dict[str, object]:
    """Return what is told of a file in JSON and CSV."""
    mood = track.best("mood")
    return {
        "path": str(track.path),
        **{name: getattr(track, name) for name in ("artist", "album", "title")},
        "year": track.year or None,
        "genres": track.genres,
        "moods": track.moods,
        "heard": track.heard,
        "confidence": round(track.confidence, 4),
        "mood": mood.label,
        "mood_confidence": round(mood.confidence, 4),
        "bpm": track.bpm or None,
        "bpm_confidence": round(track.best("bpm").confidence, 4),
        "key": track.key,
        "key_confidence": round(track.best("key").confidence, 4),
        "event": track.outcome,
        **{name: getattr(track, name) for name in ("reason", "duration_s", "bundle", "run", "added")},
    }


def _heard(track: Track) -> str:
    return "" if track.silent else printable(track.heard)


def _mood(track: Track) -> str:
    return printable(track.best("mood").label) if track.reason != NOT_MUSIC and not track.silent else ""


def _show_table(tracks: Iterable[Track]) -> None:
    """Print a table whose columns are as wide as they are, so that no row waits for another."""
    console = stdout()
    paint, columns = _painter(console), [c for c in _COLUMNS if c[2] <= console.width]
    count = 0
    for count, track in enumerate(tracks, 1):
        if count == 1:
            names = " ".join(f"{name:<{width}}" for name, width, _, _ in columns)
            print(paint(f"{names} File", "bold"))  # noqa: T201
        cells = []
        for _, width, _, cell in columns:
            text, style = cell(track)
            cells.append(paint(text[:width].ljust(width), style))
        print(*cells, printable(nearby(track.path) if console.is_terminal else track.path))  # noqa: T201
    print(paint(f"{count:,} files", "dim") if count else "No file of the index matches.")  # noqa: T201


def _painter(console: Console) -> Paint:
    """Return a function that colours a text as the terminal can; rich itself would take far longer a line."""
    if not console.color_system or console.no_color or console.legacy_windows:
        return lambda text, style: text
    system = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}.get(
        console.color_system, ColorSystem.TRUECOLOR
    )
    escapes: dict[str, list[str]] = {}

    def paint(text: str, style: str) -> str:
        if style not in escapes:
            escapes[style] = console.get_style(style or "none").render("\0", color_system=system).split("\0")
        before, after = escapes[style]
        return f"{before}{text}{after}"

    return paint
