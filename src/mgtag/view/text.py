"""Names and numbers as text that any terminal can show."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from unicodedata import category

from rich.console import Console

MARK = "\N{REPLACEMENT CHARACTER}"

# A genre keeps its colour everywhere. Each reads on white and on black, is one of the 256 of a terminal, and
# no two look alike, to the colour-blind either; a test measures it.
COLOURS = {
    "Blues": "#005fff",
    "Classical": "#af5f00",
    "Country": "#ff5f00",
    "Disco": "#d700d7",
    "Electronic": "#5f8787",
    "Folk": "#875f87",
    "Hip-Hop": "#0087ff",
    "Jazz": "#00875f",
    "Latin": "#d75f87",
    "Metal": "#d7005f",
    "Pop": "#d75fd7",
    "Punk": "#ff00af",
    "Reggae": "#af875f",
    "R&B": "#af00ff",
    "Rock": "#875fd7",
    "Happy": "#ff5f00",
    "Tense": "#d7005f",
    "Sad": "#005fff",
    "Calm": "#00875f",
}
GOOD, CARE, BAD = "#008700", "#af8700", "#d70000"  # of what went well, wants a look, went wrong
MOODS = ("Happy", "Tense", "Sad", "Calm")
TITLES = {"bpm": "BPM"}  # of fields that are not written as they are called


def hex_colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each genre or mood on a page: its own, or the next that none of them has."""
    asked = list(names)
    taken = {COLOURS[name] for name in asked if name in COLOURS}
    free = (colour for name, colour in COLOURS.items() if colour not in taken and name not in MOODS)
    return {name: COLOURS.get(name) or next(free, "#8b8b93") for name in asked}


# Control characters, ends of lines and paragraphs, and the marks that turn the direction of writing.
_OBEYED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]")


def printable(text: object) -> str:
    """Return text for a terminal: undecodable bytes and control characters become marks.

    A file's name may hold a line break, an escape sequence, or bytes that are no text.
    """
    told = str(text)
    if told.isprintable():
        return told
    return "".join(c if c.isprintable() or category(c) == "Zs" else MARK for c in told)


def nearby(path: Path) -> str:
    """Return a path as it is called from the working folder, where it lies below that."""
    try:
        return str(path).removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118
    except OSError:  # which is gone
        return str(path)


def escaped(text: str) -> str:
    r"""Return text in which what a terminal or an editor would obey is spelt as in JSON: ``\\u001b``."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def dumps(value: object) -> str:
    """Return JSON; with escapes for what stdout cannot spell, what is no text, and what is obeyed."""
    text = escaped(json.dumps(value, ensure_ascii=False))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def minutes(seconds: float) -> str:
    """Return a length of time as ``m:ss`` or ``h:mm:ss``."""
    return clock(seconds)


def clock(seconds: float, digits: int = 0) -> str:
    """Return a point in time as ``m:ss`` or ``h:mm:ss``, with as many digits of a second as asked for."""
    units = round(seconds * 10**digits)
    whole, rest = divmod(units, 10**digits)
    hours, left = divmod(whole, 3600)
    told = f"{hours}:{left // 60:02}:{left % 60:02}" if hours else f"{left // 60}:{left % 60:02}"
    return f"{told}.{rest:0{digits}}" if digits else told


def joined(genres: tuple[str, ...]) -> str:
    """Return genres for reading; files hold them as several values."""
    return " · ".join(map(printable, genres)) or "–"


def stdout() -> Console:
    """Where data goes; in a pipe it is as wide as it needs to be."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 1000
    return console


def stderr() -> Console:
    """Where messages and progress go."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
