"""How good predictions are; the figures themselves are scikit-learn's and torchmetrics'.

Conventions: probabilities have shape ``(n, labels)`` and rows that sum to 1; truth has shape
``(n,)`` and holds indices; every figure is a share, 0..1, except log loss, in nats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.metrics import accuracy_score
from sklearn.metrics import log_loss as _log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from mgtag.arrays import F32, I64
from mgtag.vote import pool, softmax

BINS = 15  # of the calibration error, as in Guo et al. (2017)


@dataclass(frozen=True)
class Predictions:
    """The outputs for one part of the data, and the truth.

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

    def averaged_with(self, other: Predictions) -> Predictions:
        """Return the mean of both models' probabilities, as log-probabilities."""
        return replace(self, logits=np.log((softmax(self.logits) + softmax(other.logits)) / 2))


def votes(probabilities: F32, owner: I64, temperature: float = 1.0) -> F32:
    """Pool slices into tracks, exactly as tagging does.

    Parameters
    ----------
    probabilities : F32
        Shape ``(slices, labels)``.
    owner : I64
        Shape ``(slices,)``: which track each is of, 0..tracks-1.

    Returns
    -------
    F32
        Shape ``(tracks, labels)``.
    """
    return np.stack([pool(probabilities[owner == i], temperature) for i in range(owner.max() + 1)])


def accuracy(probabilities: F32, truth: I64) -> float:
    """Share of rows whose most probable label is the true one."""
    return float(accuracy_score(truth, probabilities.argmax(axis=1)))


def log_loss(probabilities: F32, truth: I64) -> float:
    """Mean negative log-probability of the true label, in nats."""
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return float(_log_loss(truth, exact, labels=np.arange(exact.shape[1])))


def calibration_error(probabilities: F32, truth: I64, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equal bins of confidence, weighted by size."""
    error = multiclass_calibration_error(
        torch.from_numpy(probabilities),
        torch.from_numpy(truth),
        probabilities.shape[1],
        n_bins=bins,
        norm="l1",
    )
    return float(error)


def tagged(probabilities: F32, truth: I64, threshold: float) -> tuple[float, float]:
    """Say what a threshold does, as tagging does it: what it is passed by is written.

    Returns
    -------
    share : float
        Of the rows whose confidence is above the threshold.
    precision : float
        Share of those that are right; 1 where nothing is tagged.
    """
    sure = probabilities.max(axis=1) > threshold
    return float(sure.mean()), accuracy(probabilities[sure], truth[sure]) if sure.any() else 1.0
