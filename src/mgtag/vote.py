"""From the probabilities of a track's slices to one answer, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32

TINY = 1e-6  # a slice may doubt a label, not veto it


@dataclass(frozen=True)
class Vote:
    """What the slices of one track say together.

    Attributes
    ----------
    labels : tuple of str
    probabilities : F32
        Shape ``(len(labels),)``, calibrated; sums to 1.
    """

    labels: tuple[str, ...]
    probabilities: F32

    @property
    def confidence(self) -> float:
        """Probability of the best label, 0..1."""
        return float(self.probabilities.max())

    def best(self, top: int = 1) -> tuple[str, ...]:
        """Return the `top` most probable labels, best first.

        All but the first must beat chance, ``1 / len(labels)``; ties keep the order of the labels.
        """
        order = np.argsort(-self.probabilities, kind="stable")[:top]
        chance = 1 / len(self.labels)
        return tuple(self.labels[i] for n, i in enumerate(order) if n == 0 or self.probabilities[i] > chance)


def vote(labels: tuple[str, ...], probabilities: F32, temperature: float) -> Vote:
    """Pool slices by the mean of their log-probabilities, then calibrate.

    Parameters
    ----------
    labels : tuple of str
    probabilities : F32
        Shape ``(w, len(labels))``, of `w` slices.
    temperature : float
        Of the pooled log-probabilities, as fitted on validation tracks (Guo et al., 2017,
        "On Calibration of Modern Neural Networks"); above 1 it takes confidence away.
    """
    pooled = np.log(np.maximum(probabilities, TINY)).mean(axis=0) / temperature
    shares = np.exp(pooled - pooled.max())
    return Vote(labels, (shares / shares.sum()).astype(np.float32))
