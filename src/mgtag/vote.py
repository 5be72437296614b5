"""From the probabilities of a track's slices to one answer a head, or none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32, Real
from mgtag.card import Head

TINY = 1e-6  # a slice may doubt a label, not veto it

AGREE = 0.75  # of an album's sure tracks; with fewer of one genre it is mixed
SHARPEST = 2.0  # power to which the mean of an album's tracks is raised, at most

# Of the sequential test, chosen on validation by `python -m bench.quick_vote`; see bench/RESULTS.md.
SURE = 2.5  # standard errors
SURE_OF_WRITING = 0.75
PRIOR_DEVIATION = 1.0  # of the lead of one label over another from slice to slice, in nats: the median track
PRIOR_WEIGHT = 2  # slices that the prior counts for


@dataclass(frozen=True)
class Vote:
    """The pooled answer of the slices of one track.

    Attributes
    ----------
    labels : tuple of str
        As they are written to a tag.
    probabilities : F32
        Shape ``(len(labels),)``, calibrated; sums to 1.
    writable : tuple of bool
        Which of the labels may be written; the others, such as *not music*, are heard and never written.
    wider : tuple of int
        For each label the index of a wider one that is right for it too, such as rock for punk; its own
        index where there is none.
    """

    labels: tuple[str, ...]
    probabilities: F32
    writable: tuple[bool, ...]
    wider: tuple[int, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of the best label that may be written, 0..1."""
        return float(self.probabilities[list(self.writable)].max())

    @property
    def not_music(self) -> bool:
        """Whether the best label of all is one that is never written."""
        return not self.writable[int(self.probabilities.argmax())]

    @property
    def silent(self) -> bool:
        """Whether all labels are equally probable: there was nothing to hear."""
        return len(self.labels) > 1 and float(np.ptp(self.probabilities)) < TINY

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

    def decided(self, threshold: float | None) -> Vote:
        """Return the vote to act on: where no label is sure, the wider labels may be.

        Punk 0.4, metal 0.2 and rock 0.3 are no sure punk, and a rather sure rock. What is not music stays so.
        """
        shares = np.bincount(self.wider, self.probabilities, len(self.labels)) if self.wider else None
        if shares is None or self.not_music or self.passes(threshold):
            return self
        wider = replace(self, probabilities=shares.astype(np.float32))
        return wider if wider.passes(threshold) else self


def vote(head: Head, probabilities: F32) -> Vote:
    """Pool the slices of one track, shape ``(w, len(head.labels))``, by the head's settings."""
    return Vote(head.names, pool(probabilities, head.vote_temperature), head.writable, head.wider)


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
    return softmax(np.log(np.maximum(probabilities, TINY)).mean(axis=0), temperature)


def softmax(logits: NDArray[Real], temperature: float = 1.0) -> NDArray[Real]:
    """Probabilities along the last axis, of logits divided by a temperature."""
    shares = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), logits.dtype)


def common_vote(votes: Sequence[Vote], limit: float | None) -> tuple[Vote, bool]:
    """Pool the votes of an album's tracks, and tell whether they are mixed.

    The genre is that of the highest mean probability. Tracks of an album are better evidence than one, and
    worse than as many unrelated ones, so the mean is raised to the square root of their number, `SHARPEST` at
    most, and made a probability again. They are mixed where fewer than `AGREE` of those that are sure by
    themselves have that genre.

    Parameters
    ----------
    votes : sequence of Vote
        Of each track that is music; at least one.
    limit : float or None
        Confidence from which one is sure.
    """
    shares = np.mean([vote.probabilities for vote in votes], axis=0) ** min(len(votes) ** 0.5, SHARPEST)
    common = replace(votes[0], probabilities=(shares / shares.sum()).astype(np.float32)).decided(limit)
    sure = [vote for vote in (vote.decided(limit) for vote in votes) if vote.passes(limit)]
    agreeing = sum(vote.best() == common.best() for vote in sure)
    return common, agreeing < AGREE * len(sure)


def settled(head: Head, probabilities: F32, of: int) -> bool:
    """Return whether more slices of a track would change neither its best label nor its being written.

    A lead of one label over another is the difference of their mean log-probabilities. The best label's
    over every other must be `SURE` standard errors of what it would be after all slices, and its confidence
    as far from the head's threshold as `SURE_OF_WRITING` errors of its narrowest lead. Few slices tell little
    of how much a track varies, so the variance begins at that of `PRIOR_WEIGHT` more slices of usual music.

    Parameters
    ----------
    probabilities : F32
        Shape ``(w, labels)``, of the `w` slices heard so far, spread evenly over the track.
    of : int
        Slices that there are to be heard.
    """
    heard = len(probabilities)
    if heard >= of:
        return True
    logs = np.log(np.maximum(probabilities, TINY)).astype(np.float64)
    best = logs.mean(axis=0).argmax()
    leads = np.delete(logs[:, best, None] - logs, best, axis=1)
    lead = leads.mean(axis=0)
    squares = np.square(leads - lead).sum(axis=0) + PRIOR_WEIGHT * PRIOR_DEVIATION**2
    variance = squares / (PRIOR_WEIGHT + heard - 1)
    error = np.sqrt(variance * (of - heard) / (of * heard))  # of a mean drawn without replacement
    if not (lead > SURE * error).all():
        return False
    if head.threshold is None:
        return True
    confidence = float(pool(probabilities, head.vote_temperature).max())
    distance = abs(_log_odds(confidence) - _log_odds(head.threshold)) * head.vote_temperature
    return bool(distance > SURE_OF_WRITING * error[(lead / error).argmin()])


def music_is_settled(head: Head, probabilities: F32, of: int) -> bool:
    """Say the same of whether a track is music: of the best label that may be written against all others."""
    writable = np.array(head.writable)
    if writable.all():
        return True
    music = probabilities[:, writable]
    best = np.log(np.maximum(music, TINY)).mean(axis=0).argmax()
    against = np.column_stack([music[:, best], probabilities[:, ~writable]])
    return settled(replace(head, threshold=None), against, of)


def _log_odds(share: float) -> float:
    share = min(max(share, TINY), 1 - TINY)
    return math.log(share / (1 - share))
