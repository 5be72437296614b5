"""Multinomial logistic regression on embeddings, with partial labels and out-of-fold fits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mgtag.arrays import F32, I64

STEPS = 150  # of L-BFGS
FOLDS = 5
EXCLUDED = -30.0  # added to the logit of a label that a row could not have had


@dataclass(frozen=True)
class LinearProbe:
    """A linear head on raw embeddings.

    Attributes
    ----------
    weight : F32
        Shape ``(labels, d)``.
    bias : F32
        Shape ``(labels,)``.
    """

    weight: F32
    bias: F32

    def logits(self, embedding: F32) -> F32:
        """Shape ``(..., d)`` to ``(..., labels)``."""
        answer: F32 = embedding @ self.weight.T + self.bias
        return answer


def fit(embedding: F32, labels: I64, possible: F32, penalty: float) -> LinearProbe:
    """Fit a head.

    Parameters
    ----------
    embedding : F32
        Shape ``(n, d)``.
    labels : I64
        Shape ``(n,)``; rows of -1 are left out.
    possible : F32
        Shape ``(n, labels)``, 1 for the labels that a row could have had: a missing label is no negative.
    penalty : float
        Half of it times the squared weights, of standardised embeddings, joins the sum of the losses.
    """
    known = labels >= 0
    mean, deviation = embedding[known].mean(axis=0), embedding[known].std(axis=0) + 1e-6
    inputs = torch.from_numpy((embedding[known] - mean) / deviation)
    excluded = torch.from_numpy(EXCLUDED * (1 - possible[known]))
    truth = torch.from_numpy(labels[known])
    weight = torch.zeros(possible.shape[1], inputs.shape[1], requires_grad=True)
    bias = torch.zeros(possible.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        logits = inputs @ weight.T + bias + excluded
        loss = nn.functional.cross_entropy(logits, truth, reduction="sum") + penalty / 2 * (weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    raw = (weight.detach().numpy() / deviation).astype(np.float32)
    return LinearProbe(raw, (bias.detach().numpy() - raw @ mean).astype(np.float32))


def folds_of(groups: Sequence[Hashable], seed: int = 0) -> I64:
    """Draw a fold for every row so that rows of one group, such as an artist, share it."""
    names = sorted(set(groups), key=str)
    drawn = dict(zip(names, np.random.default_rng(seed).integers(FOLDS, size=len(names)), strict=True))
    return np.array([drawn[group] for group in groups])


def cross_fit(embedding: F32, labels: I64, possible: F32, penalty: float, fold: I64) -> list[LinearProbe]:
    """Fit a head for every fold, without the rows in it."""
    return [fit(embedding, np.where(fold == n, -1, labels), possible, penalty) for n in range(FOLDS)]
