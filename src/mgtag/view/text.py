"""Names and numbers as text that any terminal can show."""

from __future__ import annotations

import json
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
}


def printable(text: object) -> str:
    """Return text for a terminal: undecodable bytes and control characters become marks.

    A file's name may hold a line break, an escape sequence, or bytes that are no text.
    """
    return "".join(c if c.isprintable() or category(c) == "Zs" else MARK for c in str(text))


def dumps(value: object) -> str:
    """Return JSON; where stdout cannot spell it, and for bytes that are no text, with escapes."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def minutes(seconds: float) -> str:
    """Return a length of time as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


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
