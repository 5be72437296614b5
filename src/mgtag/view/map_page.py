"""The library as one web page that needs nothing but itself: a map to search, zoom, play and choose from."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np

from mgtag.arrays import F32
from mgtag.explore.space import Space
from mgtag.library.paths import from_text
from mgtag.view.assets import asset
from mgtag.view.targets import writing
from mgtag.view.text import dumps, hex_colours

STEPS = 65_535  # of an axis, as the page has it


def write_map(target: Path, space: Space, points: F32, method: str) -> None:
    """Write the page.

    Parameters
    ----------
    points : F32
        Shape ``(n, 2)``, 0..1; see `mgtag.explore.layout.positions`.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    genres, of_genre = _numbered([track.genre for track in space.tracks])
    moods, of_mood = _numbered([track.mood for track in space.tracks])
    data = {
        "model": space.bundle,
        "method": {"tsne": "t-SNE", "pca": "principal components"}[method],
        "points": _packed(np.round(points * STEPS).astype("<u2")),
        "groups": [
            {"name": "genre", "names": genres, "colours": [*hex_colours(genres).values()], "of": of_genre},
            {"name": "mood", "names": moods, "colours": [*hex_colours(moods).values()], "of": of_mood},
        ],
        "songs": [
            [from_text(t.path), t.artist or "", t.title or Path(t.path).name, round(t.duration_s)]
            for t in space.tracks
        ],
    }
    parts = {
        "style": asset("map.css"),
        "script": asset("map.js"),
        # Inside a script only "</" could end it early, and "<!--" change what it means.
        "data": dumps(data).replace("<", "\\u003c"),
    }
    page = re.sub(f"@({'|'.join(parts)})@", lambda found: parts[found[1]], asset("map.html"))
    with writing(target):
        target.write_text(page, encoding="utf-8", errors="replace")


def _numbered(values: list[str]) -> tuple[list[str], str]:
    """Return the different values, most frequent first, and which of them each is."""
    names, where, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(names), np.uint8 if len(names) < 256 else np.uint16)
    rank[order] = np.arange(len(names))
    return [str(name) or "none" for name in names[order]], _packed(rank[where].astype(np.uint8))


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
