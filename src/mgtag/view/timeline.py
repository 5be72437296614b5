"""A track from left to right, in as many columns as a terminal has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.style import Style
from rich.text import Text

from mgtag.arrays import F32
from mgtag.explain.explanation import Explanation
from mgtag.view.text import COLOURS, clock

BLOCKS = " ▁▂▃▄▅▆▇█"
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
TICK_COLUMNS = 9  # at least, from one time mark to the next


def columns(values: F32, count: int) -> F32:
    """Mean of evenly spaced values in each of `count` columns, shape ``(count,)``."""
    edges = np.linspace(0, len(values), count + 1)
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    at_edges = np.interp(edges, np.arange(len(total)), total)
    means: F32 = (np.diff(at_edges) / np.diff(edges)).astype(np.float32)
    return means


def bars(values: F32, rows: int) -> list[str]:
    """Draw values as columns of blocks, the highest filling all `rows`; from the top row down."""
    steps = len(BLOCKS) - 1
    highest = float(values.max(initial=0.0))
    eighths = (
        np.round(values / highest * rows * steps).astype(int) if highest > 0 else np.zeros(len(values), int)
    )
    return [
        "".join(BLOCKS[int(np.clip(n - row * steps, 0, steps))] for n in eighths)
        for row in reversed(range(rows))
    ]


def keys(genres: tuple[str, ...]) -> dict[str, str]:
    """Give every genre a letter of its own name that no other genre has: its first, if it is free."""
    found: dict[str, str] = {}
    for genre in genres:
        letters = [c.upper() for c in genre if c.isalnum()] + [chr(c) for c in range(ord("0"), ord("z"))]
        found[genre] = next(c for c in letters if c not in found.values())
    return found


def strip(made: Explanation, count: int, colour: bool) -> Text:
    """Draw the winning genre of every column: its name where there is room, else its letter.

    Without colour a line runs from the name to where the next genre begins.
    """
    letters, line = keys(made.genres), Text()
    for genre, width in _runs(_column_genres(made, count)):
        if genre is None:
            line.append(" " * width)
            continue
        name = genre if width > len(genre) else letters[genre]
        line.append(name.ljust(width, " " if colour else "─"), genre_style(genre, colour))
    return line


def genre_style(genre: str, reverse: bool = False) -> Style:
    """Return a genre's colour; reversed, its background, with text in the terminal's own."""
    return Style(color=COLOURS.get(genre), reverse=reverse, bold=reverse)


def sure(made: Explanation, count: int) -> str:
    """Draw how probable the genre of every column is, in one row."""
    shares = _column_shares(made, count).max(axis=1)
    return "".join(BLOCKS[round(float(share) * (len(BLOCKS) - 1))] for share in shares)


def times(length_s: float, most: float = 16) -> list[float]:
    """Return where to put time marks: round seconds, at most so many."""
    step_s = next((s for s in TICKS_S if s * most >= length_s), TICKS_S[-1])
    return [float(t) for t in np.arange(0, length_s, step_s)]


def axis(length_s: float, count: int) -> list[str]:
    """Draw a time axis: a ruler, and the times under its marks."""
    ruler, told = list("─" * count), [" "] * count
    for time_s in times(length_s, count / TICK_COLUMNS):
        at, name = int(time_s / length_s * count), clock(time_s)
        ruler[at] = "┬" if at else "┌"
        if at + len(name) <= count:
            told[at : at + len(name)] = name
    return ["".join(ruler), "".join(told).rstrip()]


def _column_shares(made: Explanation, count: int) -> F32:
    shares = made.probabilities
    frames = np.repeat(shares, made.spec.n_frames, axis=0)
    return np.stack([columns(frames[:, n], count) for n in range(shares.shape[1])], axis=1)


def _column_genres(made: Explanation, count: int) -> list[str | None]:
    shares = _column_shares(made, count)
    silent = np.ptp(shares, axis=1) < 1e-6
    return [None if s else made.genres[i] for i, s in zip(shares.argmax(axis=1), silent, strict=True)]


def _runs(genres: list[str | None]) -> Iterator[tuple[str | None, int]]:
    begin = 0
    for end in range(1, len(genres) + 1):
        if end == len(genres) or genres[end] != genres[begin]:
            yield genres[begin], end - begin
            begin = end
