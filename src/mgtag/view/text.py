"""Names and numbers as text that any terminal can show."""

from __future__ import annotations

import json
import re
import sys
from unicodedata import category

from rich.console import Console

MARK = "\N{REPLACEMENT CHARACTER}"

# Colours that read on light and dark alike; a genre keeps its own everywhere.
COLOURS = {
    "Blues": "blue",
    "Classical": "yellow",
    "Country": "dark_orange3",
    "Disco": "magenta",
    "Hip-Hop": "cyan",
    "Jazz": "green",
    "Metal": "red",
    "Pop": "deep_pink3",
    "Reggae": "chartreuse4",
    "Rock": "medium_purple",
    "Electronic": "dark_cyan",
    "Folk": "orange4",
    "Latin": "red3",
    "Punk": "deep_pink4",
    "R&B": "purple4",
    "Happy": "yellow",
    "Tense": "red",
    "Sad": "blue",
    "Calm": "green",
}
# The same hues for pages and pictures, which know their background; in the order of a bundle's genres.
HEX = (
    "#3b82f6",
    "#d9a90b",
    "#d9730d",
    "#c04be0",
    "#0fa3b8",
    "#1fa653",
    "#dd3a3a",
    "#ec4f9c",
    "#7f9f16",
    "#7c6cf0",
    "#8a5a3c",
    "#2f6f6a",
    "#b8336a",
    "#4a7c2f",
    "#a88bd4",
    "#8c8c94",
)


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
