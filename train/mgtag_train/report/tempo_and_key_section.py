"""The section of ``RESULTS.md`` on tempo and key, from its record."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from mgtag_train.report.markdown import table

RECORD = "tempo-and-key.json"
BEGIN, END = "<!-- tempo and key -->\n", "<!-- /tempo and key -->"
COLUMNS = {
    "accuracy_1": "accuracy 1",
    "accuracy_2": "accuracy 2",
    "double": "the double",
    "half": "the half",
    "triple": "the triple",
    "third": "the third",
}
PARTS = {
    "chosen": "train and validation, all",
    "chosen, written": "of these, written",
    "test": "test, all",
    "test, written": "of these, written",
}


def sentence(record: Mapping[str, Any]) -> str:
    """Return the record as a sentence of the user guide."""
    tempo, key = record["tempo"]["rows"]["test, written"], record["key"]["rows"]["test, written"]
    told = (
        f"On {record['clips']['test']} clips of GTZAN that nothing was chosen on, a tempo was written to "
        f"{tempo['coverage']:.2f}: {tempo['accuracy_1']:.2f} of them the one that people tap, "
        f"{tempo['accuracy_2']:.2f} that or its half, double, third or triple. A key was written to "
        f"{key['coverage']:.2f}, and only checked for being the same in both halves of a clip: in "
        f"{key['same']:.2f} of these it was."
    )
    return "\n".join([*wrap(told, 108), ""])


def section(record: Mapping[str, Any]) -> str:
    """Return the record as a section of ``RESULTS.md``."""
    constants, tempo, key = record["constants"], record["tempo"], record["key"]
    versions, synthetic = record["versions"], key["synthetic"]
    best = max(tempo["priors"], key=lambda row: row["accuracy"])
    lines = [
        "## Tempo and key",
        "",
        f"What `scan --bpm --key` hears (`mgtag.analysis`; librosa {versions['librosa']}), on the",
        f"{sum(record['clips'].values())} clips of GTZAN's filtered lists whose audio is at hand. Prior,",
        "weights of the confidence and thresholds are of training and validation; test was heard once.",
        "",
        f"**Tempo**, by mir_eval {versions['mir_eval']} on tapped beats. Accuracy 1: within 4 % of the",
        "tapped tempo; accuracy 2: of it, its double, triple, half or third, whose shares are beside it.",
        f"The confidence promises accuracy 1. It is written above {constants['bpm']['threshold']:.2f}, from",
        "where on accuracy 2 was 0.95 on the clips that it was chosen on: what is written is a pulse of the",
        "song, though not always the one that people tap.",
        "",
        *table(
            ["clips", "n", "written", *COLUMNS.values()],
            [
                [
                    title,
                    str(tempo["rows"][part]["clips"]),
                    f"{tempo['rows'][part]['coverage']:.2f}" if "written" in part else "",
                    *(f"{tempo['rows'][part][column]:.3f}" for column in COLUMNS),
                ]
                for part, title in PARTS.items()
            ],
            1,
        ),
        "",
        f"Mean confidence of what is written of test: {tempo['mean_confidence']:.3f}. The best of "
        f"{len(tempo['priors'])} priors, by accuracy 1 of the",
        f"autocorrelation alone: {best['likely']} BPM, {best['spread']} octaves ({best['accuracy']:.3f}).",
        "",
        *table(
            ["genre, test", "n", "written", "accuracy 1", "accuracy 2"],
            [
                [genre, str(row["clips"]), str(row["written"])]
                + [f"{row[name]:.2f}" if row["written"] else "" for name in ("accuracy_1", "accuracy_2")]
                for genre, row in tempo["by_genre"].items()
            ],
            1,
        ),
        "",
        "**Key**: no music with labelled keys is at hand, so this is no accuracy. Counted is how often",
        "the two halves of a clip (15 s each) name the same key; the confidence promises that, by the",
        "margin of the best correlation over the next. A key is written above",
        f"{constants['key']['threshold']:.2f}. Songs do change their key, and a finder may be wrong twice.",
        "",
        *table(
            ["clips", "n", "written", "halves agree"],
            [
                [
                    title,
                    str(key["rows"][part]["clips"]),
                    f"{key['rows'][part]['coverage']:.2f}" if "written" in part else "",
                    f"{key['rows'][part]['same']:.3f}",
                ]
                for part, title in PARTS.items()
            ],
            1,
        ),
        "",
        f"Of {synthetic['pieces']} synthetic cadences (`mgtag_train.data.cadences`), whose key is known, "
        f"{synthetic['right']:.3f} are told right;",
        f"{synthetic['written']} would be written, {synthetic['right_of_written']:.3f} of them right.",
        "",
    ]
    return "\n".join(lines)
