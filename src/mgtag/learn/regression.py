"""Multinomial logistic regression in numpy, and the answers that it gives to songs it was not fitted to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32, F64, I64
from mgtag.vote import softmax

PENALTY = 100.0  # chosen on validation pieces outside GTZAN; see RESULTS, "The listener's own genres"
FOLDS = 5
STEPS = 400
TOLERANCE = 1e-4  # of the largest change of a weight in one step
TINY = 1e-6  # of a standard deviation


@dataclass(frozen=True)
class Linear:
    """A head on raw embeddings.

    Attributes
    ----------
    weight : F64
        Shape ``(d, labels)``.
    bias : F64
        Shape ``(labels,)``.
    """

    weight: F64
    bias: F64

    def logits(self, embedding: F32 | F64) -> F64:
        """Shape ``(n, d)`` to ``(n, labels)``."""
        answer: F64 = embedding @ self.weight + self.bias
        return answer


def fit(embedding: F32 | F64, label: I64, n_labels: int, penalty: float = PENALTY) -> Linear:
    """Fit a head to standardised embeddings.

    The curvature of the loss is at most half of X'X in every direction (Böhning, 1992, "Multinomial
    logistic regression algorithm"), so one matrix is inverted once, and every step goes downhill. Steps
    look ahead as Nesterov's do, and stop looking where that went uphill.

    Parameters
    ----------
    embedding : F32 or F64
        Shape ``(n, d)``.
    label : I64
        Shape ``(n,)``; rows of -1 are left out.
    penalty : float
        Half of it times the squared weights joins the sum of the losses.
    """
    known = label >= 0
    x, truth = np.asarray(embedding[known], np.float64), np.eye(n_labels)[label[known]]
    mean, deviation = x.mean(axis=0), x.std(axis=0) + TINY
    x = np.column_stack([(x - mean) / deviation, np.ones(len(x))])
    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = TINY  # the bias may go where it likes
    inverse = np.linalg.inv(x.T @ x / 2 + np.diag(ridge))
    w = ahead = np.zeros((x.shape[1], n_labels))
    momentum = 1.0
    for _ in range(STEPS):
        step = inverse @ (x.T @ (softmax(x @ ahead) - truth) + ridge[:, None] * ahead)
        new = ahead - step
        if (step * (new - w)).sum() > 0:
            momentum = 1.0
        further = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / further * (new - w)
        w, momentum = new, further
        if np.abs(step).max() < TOLERANCE:
            break
    weight = w[:-1] / deviation[:, None]
    return Linear(weight, w[-1] - mean @ weight)


def folds_of(groups: Sequence[Hashable], label: I64) -> I64:
    """Share groups, such as artists, out over `FOLDS` folds: the groups of each label evenly, largest first.

    Parameters
    ----------
    groups : sequence
        Of each row; rows of one group share a fold.
    label : I64
        Of each row; a group counts as of its most frequent one.
    """
    rows: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    main = {group: int(np.bincount(label[of] + 1).argmax()) for group, of in rows.items()}
    fold = np.zeros(len(label), np.int64)
    for n, group in enumerate(sorted(rows, key=lambda g: (main[g], -len(rows[g]), str(g)))):
        fold[rows[group]] = n % FOLDS
    return fold


def out_of_fold(embedding: F32 | F64, label: I64, n_labels: int, fold: I64, penalty: float = PENALTY) -> F64:
    """Return the logits of every row by a head that was fitted without the row's fold, ``(n, n_labels)``.

    A label of which the fold holds much is rarer without it than in the whole, and is given that back.
    """
    logits, all_of = np.zeros((len(label), n_labels)), _counts(label, n_labels)
    for n in np.unique(fold):
        rest = np.where(fold == n, -1, label)
        head = fit(embedding, rest, n_labels, penalty)
        logits[fold == n] = head.logits(embedding[fold == n]) + np.log(all_of / _counts(rest, n_labels))
    return logits


def _counts(label: I64, n_labels: int) -> F64:
    return np.maximum(np.bincount(label[label >= 0], minlength=n_labels), 1).astype(np.float64)
