"""The section of ``RESULTS.md`` about own genres, from what `mgtag_train.report.own_genres` measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mgtag_train.report.markdown import table

RECORD = "own-genres.json"
FIGURES = {
    "genres": "genres kept, of 17",
    "accuracy_out_of_fold": "right, out of fold",
    "accuracy": "right, of arrivals",
    "coverage_out_of_fold": "tagged, out of fold",
    "coverage": "tagged, of arrivals",
    "precision": "right of those",
    "accepted": "accepted of those",
}
INTRODUCTION = """\
## The listener's own genres

`mgtag learn` on the table of [music outside GTZAN](#music-outside-gtzan): some songs of each of its 17
genres are the library that somebody tagged, the test pieces (artists apart) are what arrives; the threshold
is the one that `learn` chooses for 85 %. Two of the genres, soundtrack and world, no model knew before. Every
test piece counts, those of genres that were left out too. Means ± standard deviations over {draws} random
draws of the songs (all: one draw). *Right of those* is the mean over the draws in which there were enough
songs to promise anything; *accepted*: the genre, or its parent. The last columns count tags, a draw, of
{not_music} test sounds that are not music (speech, streets, animals, machines), and of {made_up} that were
made up (noise, hum, tones, clicks, babble, speech and more).

The penalty of the regression ({penalty:g}) and how the threshold is chosen were fixed on validation; test was
asked then. The library has equally many songs of each genre and the arrivals have not, so the promise is
tested harder than by arrivals that are like the library. **{default} was trained on the training pieces
with these very labels**: what is promised out of fold on them is too much, as the first table shows, and no
test of `learn`. The validation pieces, which it was not trained on, are the library of the second table;
musicnn's embedding was trained on neither. That a confidence is weighed by the base's probability of music
was added after a first look at test, where up to two of all these sounds were tagged: the last columns are a
second look.

`python -m mgtag_train.report.own_genres --outside DIR --musicnn WHEEL --keep DIR` measures and writes this
section.
"""
PER_ARTIST = """\
## One genre an artist

`mgtag scan --per artist` on the artists of whom there are several pieces of music: each piece's own answer,
and the vote of all (`mgtag.vote.common_vote`), at the model's own threshold. How the vote is sharpened was
chosen on validation. These labels are of the artist mostly, so an album is not easier than this.
"""
LIBRARIES = {"train": "Training pieces as the library", "valid": "Validation pieces as the library"}


def section(record: Mapping[str, Any]) -> list[str]:
    """Return the section: a table for each library, and the penalties on validation.

    Parameters
    ----------
    record : mapping
        Of `mgtag_train.report.own_genres`; the first model is the one that mgtag shipped as its default.
    """
    models = record["models"]
    some = next(iter(models.values()))["train"]
    told = {
        "draws": some["5"]["draws"],
        **{k: round(some["50"][k]["mean"]) for k in ("not_music", "made_up")},
    }
    lines = [INTRODUCTION.format(**told, penalty=record["penalty"], default=next(iter(models)))]
    for library, title in LIBRARIES.items():
        lines += [f"### {title}", "", *_table(models, library), ""]
    lines += ["### The penalty, on validation", "", "Log loss of heads learned from training pieces:", ""]
    lines += [*_penalties(models), ""]
    return (
        [*lines, PER_ARTIST, *_per_artist(models), ""]
        if "per_artist" in next(iter(models.values()))
        else lines
    )


def _per_artist(models: Mapping[str, Any]) -> list[str]:
    head = ["model", "pieces", "vote", "of", "best answer right", "tagged", "accepted of those"]
    rows = []
    for name, measured in models.items():
        for part, by in measured["per_artist"].items():
            for kind, row in by.items():
                accepted = f"{row['accepted']:.3f}" if row["tags"] else ""
                pieces = f"{row['pieces']} of {by['together']['artists']} artists"
                shares = (f"{row['right']:.3f}", f"{row['coverage']:.3f}", accepted)
                rows.append([name, part, kind, pieces, *shares])
    return table(head, rows, 4)


def _table(models: Mapping[str, Any], library: str) -> list[str]:
    head = ["model", "songs a genre", *FIGURES.values(), "with a threshold", "not music tagged", "made-up"]
    rows = []
    for name, measured in models.items():
        for size, row in measured[library].items():
            if "genres" not in row:
                rows.append([name, size, "no model", *[""] * (len(FIGURES) + 2)])
                continue
            silent = (f"{row[key]['mean']:.1f}" for key in ("not_music_tagged", "made_up_tagged"))
            rows.append(
                [
                    *(name, size, *(_spread(row[key], 1 if key == "genres" else 3) for key in FIGURES)),
                    *(f"{row['threshold']['n']} of {row['draws']}", *silent),
                ]
            )
    return table(head, rows, 1)


def _spread(figure: Mapping[str, Any], digits: int) -> str:
    if figure["mean"] is None:
        return ""
    told = f"{figure['mean']:.{digits}f}"
    return told if figure["sd"] is None else f"{told} ± {figure['sd']:.{digits}f}"


def _penalties(models: Mapping[str, Any]) -> list[str]:
    head = ["penalty", *(f"{name}, {what}" for name in models for what in ("10 a genre", "all"))]
    keys = ("log_loss_10", "log_loss_all")
    columns = zip(*(measured["penalties"] for measured in models.values()), strict=True)
    rows = [[f"{row[0]['penalty']:g}", *(f"{of[key]:.3f}" for of in row for key in keys)] for row in columns]
    return table(head, rows, 0)
