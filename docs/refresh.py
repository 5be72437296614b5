"""Write measured figures into README and model card; a test compares them.

Not one is typed by hand: they stand in the shipped bundle's ``card.json`` and in the run records of
``train/``, where training put them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from mgtag import bundle
from mgtag.bundle import Card

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "train" / "records" / "queens-parallel"
ROWS = {
    "track_accuracy": "Tracks right",
    "slice_accuracy": "3-second slices right",
    "tagged_share": "Tracks it dares to tag, at the default threshold",
    "tagged_precision": "Right among those",
    "calibration_error": "Calibration error (15 bins)",
    "track_log_loss": "Log loss of tracks, nats",
}
GTZAN, WIDE = "gtzan-parallel-1", "wide-parallel-4"
WIDE_ROWS = {
    "genre_accuracy": "Fifteen genres, best answer right",
    "coverage": "Music of any genre that is tagged, at the default threshold",
    "accepted": "Accepted among the tags (the genre, or its parent)",
    "precision": "Of the very genre among the tags",
    "not_music_tagged": "Sounds that are not music tagged, of {not_music:.0f}",
    "calibration_error": "Calibration error (15 bins), fifteen genres",
    "mood_accuracy": "Moods, best of four right",
    "gtzan_track_accuracy": "GTZAN's 290 test tracks right, within its ten genres",
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


def outside(card: Card) -> str:
    """Return what was measured on music outside GTZAN, as Markdown."""
    shipped, over = card.measured["shipped"]["test"], card.measured["test_over_seeds"]
    seeds = len(over["seeds"])
    lines = [
        f"On {shipped['pieces']:.0f} pieces of music of any genre and {shipped['not_music']:.0f} of speech,",
        "streets and animals, 6 to 10 seconds long, whose artists were neither learned from nor chosen on:",
        "",
        f"| | shipped | {seeds} seeds, mean ± deviation |",
        "|---|---|---|",
    ]
    for key, title in WIDE_ROWS.items():
        told = f"{shipped[key]:.0f}" if key == "not_music_tagged" else f"{shipped[key]:.3f}"
        lines.append(f"| {title.format(**shipped)} | {told} | {_spread(over, key)} |")
    return "\n".join(lines) + "\n"


def leak() -> str:
    """Return what a split that leaks is worth, as a sentence."""

    def mean(protocol: str, of: str) -> float:
        runs = [json.loads(path.read_text()) for path in RECORDS.glob(f"{protocol}-*.json")]
        return sum(run["measured"]["test"][of]["accuracy"] for run in runs) / len(runs)

    leaking, apart = (f"{100 * mean(*of):.0f} %" for of in (("leaking", "slices"), ("filtered", "tracks")))
    return (
        "Many published figures for GTZAN are far higher, since slices of one song were on both sides of\n"
        f"their split. The Queen's paper's network, trained here on its five genres, is right for {leaking}\n"
        f"of slices under such a split, and for {apart} of tracks where songs, repeats and artists are held\n"
        "apart.\n"
    )


def refreshed(text: str) -> str:
    """Return a page with its blocks of figures made anew."""
    blocks = {"figures": figures(_card(GTZAN)), "outside": outside(_card(WIDE)), "leak": leak()}
    for name, made in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = block.sub(lambda found, made=made: found[1] + made + found[2], text)
    return text


def _card(name: str) -> Card:
    return bundle.load(bundle.SHIPPED / name).card


def _spread(over: Mapping[str, Mapping[str, float]], key: str) -> str:
    return f"{over['mean'][key]:.3f} ± {over['deviation'][key]:.3f}"


if __name__ == "__main__":
    for page in (ROOT / "README.md", ROOT / "docs" / "model-card.md"):
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
