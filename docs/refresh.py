"""Write the figures of the shipped bundle into README and model card; a test compares them.

Not one is typed by hand: they stand in the bundle's ``card.json``, where training put them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mgtag import bundle
from mgtag.bundle import Card

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
ROWS = {
    "track_accuracy": "Tracks right",
    "slice_accuracy": "3-second slices right",
    "tagged_share": "Tracks it dares to tag, at the default threshold",
    "tagged_precision": "Right among those",
    "calibration_error": "Calibration error (15 bins)",
    "track_log_loss": "Log loss of tracks, nats",
}


def figures(card: Card) -> str:
    """Return the table of what was measured, as Markdown."""
    shipped, over = card.measured["shipped"]["test"], card.measured["test_over_seeds"]
    split = card.split
    seeds = len(over["seeds"])
    lines = [
        f"On the {split['test']} test tracks of GTZAN's fault-filtered, artist-aware split, heard once,",
        f"after training on {split['train']} tracks and choosing everything on {split['valid']} others (the",
        f"shipped network is the best of {seeds} seeds on validation):",
        "",
        f"| | shipped | {seeds} seeds, mean ± deviation |",
        "|---|---|---|",
    ]
    for key, title in ROWS.items():
        lines.append(f"| {title} | {shipped[key]:.3f} | {_spread(over, key)} |")
    lines += [
        "",
        f"The {seeds} networks had the same teachers, so the deviation understates the spread a little.",
    ]
    return "\n".join(lines) + "\n"


def refreshed(text: str, card: Card) -> str:
    """Return a page with its block of figures made anew."""
    return BLOCK.sub(lambda found: found[1] + figures(card) + found[2], text)


def _spread(over: Mapping[str, Mapping[str, float]], key: str) -> str:
    return f"{over['mean'][key]:.3f} ± {over['deviation'][key]:.3f}"


if __name__ == "__main__":
    card = bundle.find(bundle.DEFAULT).card
    for page in (ROOT / "README.md", ROOT / "docs" / "model-card.md"):
        page.write_text(refreshed(page.read_text(encoding="utf-8"), card), encoding="utf-8")
