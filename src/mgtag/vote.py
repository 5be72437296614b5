"""From the probabilities of a track's slices to one answer a head, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32
from mgtag.card import Head

TINY = 1e-6  # a slice may doubt a label, not veto it


@dataclass(frozen=True)
class Vote:
    """What the slices of one track say together.

    Attributes
    ----------
    labels : tuple of str
        As they are written to a tag.
    probabilities : F32
        Shape ``(len(labels),)``, calibrated; sums to 1.
    writable : tuple of bool
        Which of the labels may be written; the others, such as *not music*, are heard and never written.
    """

    labels: tuple[str, ...]
    probabilities: F32
    writable: tuple[bool, ...]

    @property
    def confidence(self) -> float:
        """Probability of the best label that may be written, 0..1."""
        return float(self.probabilities[list(self.writable)].max())

    @property
    def not_music(self) -> bool:
        """Whether the best label of all is one that is never written."""
        return not self.writable[int(self.probabilities.argmax())]

    def best(self, top: int = 1) -> tuple[str, ...]:
        """Return the `top` most probable labels, best first; none for what is not music.

        All but the first must beat chance, ``1 / len(labels)``; ties keep the order of the labels.
        """
        if self.not_music:
            return ()
        order = [i for i in np.argsort(-self.probabilities, kind="stable") if self.writable[i]][:top]
        chance = 1 / len(self.labels)
        return tuple(self.labels[i] for n, i in enumerate(order) if n == 0 or self.probabilities[i] > chance)

    def passes(self, threshold: float | None) -> bool:
        """Whether the answer may be written: more sure than the threshold, of which None is never passed."""
        return threshold is not None and not self.not_music and self.confidence > threshold


def vote(head: Head, probabilities: F32) -> Vote:
    """Pool the slices of one track, shape ``(w, len(head.labels))``, as a head's card says."""
    return Vote(head.names, pool(probabilities, head.vote_temperature), head.writable)


def pool(probabilities: F32, temperature: float) -> F32:
    """Pool slices by the mean of their log-probabilities, then calibrate.

    Parameters
    ----------
    probabilities : F32
        Shape ``(w, labels)``, of `w` slices.
    temperature : float
        Of the pooled log-probabilities, as fitted on validation tracks (Guo et al., 2017,
        "On Calibration of Modern Neural Networks"); above 1 it takes confidence away.

    Returns
    -------
    F32
        Shape ``(labels,)``; sums to 1.
    """
    pooled = np.log(np.maximum(probabilities, TINY)).mean(axis=0) / temperature
    shares = np.exp(pooled - pooled.max())
    return np.asarray(shares / shares.sum(), np.float32)
