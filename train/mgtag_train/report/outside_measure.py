"""What ``mgtag lab outside`` does: measure bundles as they tag, on a table of music of any genre."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgtag.arrays import F32
from mgtag.bundle import Bundle, find
from mgtag.card import GENRE
from mgtag.errors import UsageError
from mgtag.inference import Tagger
from mgtag.vote import vote
from mgtag_train.data.outside import GENRES, LABELS, NOT_MUSIC, of_split, read_pieces
from mgtag_train.learn.outside_evaluation import WIDER, by, figures, reliability
from mgtag_train.report.records import ReportFolder

NEVER = 1.0  # no confidence is over it
ITSELF = tuple(range(len(LABELS)))
Progress = Callable[[str, int, int], None]


def write(models: Sequence[str], outside: Path, folder: ReportFolder, progress: Progress) -> list[Path]:
    """Measure bundles on the test pieces, a record each.

    Parameters
    ----------
    models : sequence of str
        Names or folders.
    outside : Path
        Folder of the table.

    Returns
    -------
    list of Path
        The records, which the report is written from.
    """
    written = []
    for bundle in map(find, models):
        name = bundle.card.name

        def told(done: int, of: int, name: str = name) -> None:
            progress(name, done, of)

        record = folder.outside / f"{name}.json"
        record.parent.mkdir(parents=True, exist_ok=True)
        found = measure(bundle, outside, "test", told)
        record.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        written.append(record)
    return written


def measure(
    model: Bundle, folder: Path, split: str, progress: Callable[[int, int], None] = lambda done, of: None
) -> dict[str, Any]:
    """Predict every piece of a split from its file, by every slice, and compare with the table.

    A label that the model does not have has probability 0.

    Parameters
    ----------
    folder : Path
        Of the table, see `mgtag_train.data.outside`.
    split : str
        "valid" or "test".

    Returns
    -------
    dict
        ``figures``, as `mgtag_train.learn.outside_evaluation.figures` has them; ``by_genre``, ``by_source``
        and ``reliability``.

    Raises
    ------
    UsageError
        If the table cannot be read, or the model has a genre that it lacks.
    """
    head = model.card.heads[GENRE]
    if unknown := [label for label in head.labels if label not in LABELS]:
        raise UsageError(
            f"{model.card.name}: the table has no genre {unknown[0]!r}; it has {', '.join(GENRES)} and "
            f"{NOT_MUSIC}, as a model's labels are spelled."
        )
    pieces = [piece for piece in of_split(read_pieces(folder), split) if not piece.gtzan]
    tagger = Tagger(model, "cpu")
    columns, votes = [LABELS.index(label) for label in head.labels], []
    for done, piece in enumerate(pieces, 1):
        answer = vote(head, tagger.predict(piece.path, "all").heads[GENRE].probabilities)
        votes.append(_placed(answer.probabilities, columns))
        progress(done, len(pieces))
    probabilities, threshold = np.stack(votes), NEVER if head.threshold is None else head.threshold
    found = figures(probabilities, pieces, threshold, WIDER if head.parents else ITSELF)
    return {
        "model": model.id,
        "split": split,
        "threshold": head.threshold,
        "figures": {name: round(value, 4) for name, value in found.items()},
        "by_genre": by(lambda piece: piece.genre, probabilities, pieces, threshold),
        "by_source": by(lambda piece: piece.source, probabilities, pieces, threshold),
        "reliability": reliability(probabilities, pieces),
    }


def _placed(shares: F32, columns: Sequence[int]) -> F32:
    row = np.zeros(len(LABELS), np.float32)
    row[list(columns)] = shares
    return row
