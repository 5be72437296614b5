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

# A genre keeps its colour everywhere. In a terminal it must read on light and on dark; pages and pictures
# know their background.
COLOURS = {
    "Blues": "blue",
    "Classical": "dark_goldenrod",
    "Country": "dark_orange3",
    "Disco": "magenta",
    "Electronic": "dark_cyan",
    "Folk": "yellow4",
    "Hip-Hop": "deep_sky_blue4",
    "Jazz": "green",
    "Latin": "orange_red1",
    "Metal": "red",
    "Pop": "deep_pink3",
    "Punk": "dark_red",
    "Reggae": "chartreuse4",
    "R&B": "purple",
    "Rock": "medium_purple",
    "Happy": "dark_goldenrod",
    "Tense": "red",
    "Sad": "blue",
    "Calm": "green",
}
TITLES = {"bpm": "BPM"}  # of fields that are not written as they are called
_HEX = {
    "Blues": "#3b82f6",
    "Classical": "#d9a90b",
    "Country": "#d9730d",
    "Disco": "#c04be0",
    "Electronic": "#0d9488",
    "Folk": "#8a7340",
    "Hip-Hop": "#0fa3b8",
    "Jazz": "#1fa653",
    "Latin": "#f2643d",
    "Metal": "#dd3a3a",
    "Pop": "#ec4f9c",
    "Punk": "#9f1239",
    "Reggae": "#7f9f16",
    "R&B": "#8b2fc9",
    "Rock": "#7c6cf0",
}


def hex_colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each genre or mood on a page: its own, or the next that none of them has."""
    asked = list(names)
    free = (colour for name, colour in _HEX.items() if name not in asked)
    return {name: _HEX.get(name) or next(free, "#8b8b93") for name in asked}


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
        return str(path).removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118 (fast, and with a last slash)
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
