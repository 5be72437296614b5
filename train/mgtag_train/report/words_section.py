"""The section of ``RESULTS.md`` on words beside sound, from its record."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from mgtag_train.report.markdown import table

RECORD = "words.json"
WIDTH = 108
BEGIN, END = "<!-- words -->\n", "<!-- /words -->"
SETS = {
    "of one genre, valid": "words of its genre, validation",
    "of one genre, test": "words of its genre, test",
    "own words, valid": "its own words, validation",
    "own words, test": "its own words, test",
}
COLUMNS = ("accuracy", "log_loss", "calibration_error", "tagged", "accepted")


def section(record: Mapping[str, Any]) -> str:
    """Return the record as a section of ``RESULTS.md``."""
    words = record["words"]
    about = (
        f"What `scan` makes of a song's lyrics (`mgtag.words`): {words['terms']:,} words and pairs, TF-IDF, "
        f"one linear layer, learned from {words['songs']['train']:,} songs of six genres. Alone it is right "
        f"for {words['accuracy']:.3f} of the table's test songs of which it speaks, {words['speaks']:.3f} of "
        f"all (enough words, and English). With the weight {record['weight']:g} its log-probabilities are "
        f"added to those of the sound, {record['bundle']}, among the labels that both know; the weight was "
        "chosen by log loss on the first row."
    )
    pairs = (
        "Songs with sound and words are few: pieces of outside music whose artist and title stand in the "
        "tables of lyrics too. So pieces are also paired with the words of five other songs of their genre, "
        "which errs in favour of words: a song's own words and sound may mislead together. The artists of "
        "all these pieces were kept out of what the words model learned. Test was looked at once."
    )
    columns = (
        "*Right*: best of all labels, the genres that words do not know included. *Tagged* and *accepted* at "
        "the bundle's threshold, as in [music outside GTZAN](#music-outside-gtzan)."
    )
    lines = ["## Words beside sound", "", *wrap(about, WIDTH), "", *wrap(pairs, WIDTH), ""]
    return "\n".join([*lines, *_table(record["rows"]), "", *wrap(columns, WIDTH), ""])


def sentence(record: Mapping[str, Any]) -> str:
    """Return the record as a sentence of the user guide."""
    row = record["rows"]["of one genre, test"]
    sound, both = row["sound"], row["both"]
    told = (
        f"On {row['pieces']} pieces, each with the words of "
        f"{row['pairs'] // row['pieces']} other songs of its genre, right answers "
        f"went from {sound['accuracy']:.2f} to {both['accuracy']:.2f}, tags from "
        f"{sound['tagged']:.2f} to {both['tagged']:.2f}, of which {sound['accepted']:.2f} and then "
        f"{both['accepted']:.2f} were accepted."
    )
    return "\n".join([*wrap(told, WIDTH), ""])


def _table(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    head = ["pieces with", "pairs", "heard", "right", "log loss", "calibration error", "tagged", "accepted"]
    body = []
    for name, title in SETS.items():
        if row := rows.get(name):
            body.append([title, str(row["pairs"]), "words alone", f"{row['words']:.3f}", *[""] * 4])
            for how, told in (("sound", "sound alone"), ("both", "both")):
                cells = ["" if row[how][c] is None else f"{row[how][c]:.3f}" for c in COLUMNS]
                body.append(["", "", told, *cells])
    return table(head, body, 3)
