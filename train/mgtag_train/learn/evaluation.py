"""Every figure of a finished network, for its run record.

Probabilities are calibrated on validation first (a temperature for slices, one for the votes of
tracks), so that a log loss tells how good the answers are and not how far training ran on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import classification_report, confusion_matrix, f1_score, roc_auc_score
from sklearn.preprocessing import label_binarize

from mgtag.arrays import F32, I64
from mgtag_train.learn import calibration, metrics
from mgtag_train.learn.metrics import BINS

Figures = dict[str, float]


@dataclass(frozen=True)
class Predictions:
    """What a network said of one part of the data.

    Attributes
    ----------
    logits : F32
        Shape ``(slices, labels)``.
    owner : I64
        Shape ``(slices,)``: which track each is of.
    truth : I64
        Shape ``(tracks,)``.
    """

    logits: F32
    owner: I64
    truth: I64


def evaluate(
    parts: Mapping[str, Predictions], labels: tuple[str, ...], by: str, temperatures: Figures | None = None
) -> dict[str, Any]:
    """Measure a network.

    Parameters
    ----------
    parts : mapping of str to Predictions
        ``"train"``, ``"valid"`` and ``"test"``, the last one last.
    by : {"slices", "tracks"}
        What the confusion matrix counts.
    temperatures : dict, optional
        Of ``"slices"`` and of the votes of ``"tracks"``; otherwise they are fitted on validation.

    Returns
    -------
    dict
        ``measured``, ``temperatures``, ``confusion``, ``by_genre`` and ``reliability``, as
        `mgtag_train.learn.run_record.Record` has them.
    """
    if temperatures is None:
        valid = parts["valid"]
        fitted = calibration.temperatures(valid.logits, valid.owner, valid.truth)
        temperatures = dict(zip(("slices", "tracks"), fitted, strict=True))
    temperature, vote_temperature = temperatures["slices"], temperatures["tracks"]
    measured: dict[str, dict[str, Figures]] = {}
    for part, said in parts.items():
        slices = metrics.softmax(said.logits, temperature)
        tracks = metrics.votes(slices, said.owner, vote_temperature)
        measured[part] = {
            "slices": figures(slices, said.truth[said.owner]),
            "tracks": figures(tracks, said.truth),
        }
        measured[part]["tracks"]["calibration_error"] = metrics.calibration_error(tracks, said.truth)
    truth = said.truth[said.owner] if by == "slices" else said.truth
    answered = (slices if by == "slices" else tracks).argmax(axis=1)
    report = classification_report(
        truth, answered, labels=range(len(labels)), target_names=labels, output_dict=True, zero_division=0
    )
    return {
        "measured": measured,
        "temperatures": temperatures,
        "confusion": confusion_matrix(truth, answered, labels=range(len(labels))).tolist(),
        "by_genre": {label: report[label] for label in labels},
        "reliability": reliability(tracks, said.truth),
    }


def figures(probabilities: F32, truth: I64) -> Figures:
    """Count, accuracy, macro-F1, one-vs-rest AUC (mean of the labels) and log loss."""
    n_labels = probabilities.shape[1]
    present = np.unique(truth)
    columns = label_binarize(truth, classes=range(n_labels)) if n_labels > 2 else np.eye(2)[truth]
    return {
        "n": len(truth),
        "accuracy": metrics.accuracy(probabilities, truth),
        "macro_f1": float(f1_score(truth, probabilities.argmax(axis=1), average="macro", labels=present)),
        "auc": float(roc_auc_score(columns[:, present], probabilities[:, present], average="macro")),
        "log_loss": metrics.log_loss(probabilities, truth),
    }


def reliability(probabilities: F32, truth: I64) -> dict[str, list[float]]:
    """Count, mean confidence and accuracy in equal bins of confidence; zeros in an empty bin."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    each = np.maximum(count, 1)
    return {
        "count": count.tolist(),
        "confidence": (np.bincount(bins, confidence, BINS) / each).tolist(),
        "accuracy": (np.bincount(bins, right, BINS) / each).tolist(),
    }
