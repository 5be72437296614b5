"""Where in the song is the genre: the weights of all frames on one scale, and the strongest moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mgtag.arrays import F32
from mgtag.features import MelSpec
from mgtag.prediction import Prediction
from mgtag.vote import Vote, vote

MOMENT_S = 1.0  # long enough to recognise something by ear
MOMENTS = 5


@dataclass(frozen=True)
class Moment:
    """A second that counted.

    Attributes
    ----------
    start_s, end_s : float
    genre : str
        What the slice around it was heard as.
    probability : float
        Of that genre, in that slice.
    weight : float
        Mean weight of its frames; 1 is an average frame of the track.
    """

    start_s: float
    end_s: float
    genre: str
    probability: float
    weight: float


@dataclass(frozen=True)
class Explanation:
    """A whole track, explained.

    Attributes
    ----------
    prediction : Prediction
        Slices that tile the track.
    vote : Vote
    genres : tuple of str
        As written to a tag, in the order of ``prediction.labels``.
    method : str
        Where the weights come from.
    weights : F32
        Shape ``(w, n_frames)``, mean 1: how much a frame counts for the genre that was voted for.
    moments : tuple of Moment
        Strongest first, none overlapping another; empty if none stands out.
    spec : MelSpec
    """

    prediction: Prediction
    vote: Vote
    genres: tuple[str, ...]
    method: str
    weights: F32
    moments: tuple[Moment, ...]
    spec: MelSpec

    @property
    def frame_s(self) -> float:
        """Seconds a frame; frame ``f`` of the slice that begins at ``s`` begins at ``s + f * frame_s``."""
        return self.spec.hop / self.spec.sample_rate

    @property
    def heard(self) -> NDArray[np.intp]:
        """Index of the most probable genre of every slice, shape ``(w,)``; -1 where it heard nothing."""
        shares = self.prediction.probabilities
        return np.where(np.ptp(shares, axis=1) > 0, shares.argmax(axis=1), -1)

    def ranking(self, top: int = 2) -> list[tuple[str, float]]:
        """Return the likeliest genres of the track with their probabilities, best first."""
        order = np.argsort(-self.vote.probabilities, kind="stable")[:top]
        return [(self.genres[i], float(self.vote.probabilities[i])) for i in order]


def winner(prediction: Prediction, vote_temperature: float) -> int:
    """Return the index of the label that a track's slices vote for."""
    return int(vote(prediction.labels, prediction.probabilities, vote_temperature).probabilities.argmax())


def explain(
    prediction: Prediction,
    frame_shares: F32,
    spec: MelSpec,
    vote_temperature: float,
    genres: Mapping[str, str],
    method: str,
) -> Explanation:
    """Put the frames of all slices on one scale.

    A frame's share says which moment of its slice counted; the slice's own weight, how far it
    heard the voted genre above chance, says which slices did. Their product answers for the track.

    Parameters
    ----------
    prediction : Prediction
        Slices that tile the track.
    frame_shares : F32
        Shape ``(w, n_frames)``, rows that sum to 1 or are zeros; see `mgtag.explain.attribution`.
    vote_temperature : float
    genres : mapping
        What is written to a tag for each label.
    method : str
    """
    decision = vote(prediction.labels, prediction.probabilities, vote_temperature)
    genre = int(decision.probabilities.argmax())
    support = np.maximum(0, prediction.probabilities[:, genre] - 1 / len(prediction.labels))
    weights = support[:, None] * frame_shares
    mean = float(weights.mean())
    names = tuple(genres[label] for label in prediction.labels)
    if mean > 0:
        weights = (weights / mean).astype(np.float32)
        moments = strongest(weights, prediction, names, spec)
    else:  # nothing counts for the genre: all frames alike, and no moment stands out
        weights, moments = np.ones_like(weights, np.float32), ()
    return Explanation(prediction, decision, names, method, weights, moments, spec)


def strongest(
    weights: F32, prediction: Prediction, genres: tuple[str, ...], spec: MelSpec, count: int = MOMENTS
) -> tuple[Moment, ...]:
    """Find the seconds of most weight, each within one slice, none overlapping another.

    Parameters
    ----------
    weights : F32
        Shape ``(w, n_frames)``.
    """
    frame_s = spec.hop / spec.sample_rate
    length = min(spec.n_frames, max(1, round(MOMENT_S / frame_s)))
    means = sliding_window_view(weights, length, axis=1).mean(axis=2)
    found: list[Moment] = []
    while len(found) < count and means.max() > 0:
        row, first = np.unravel_index(int(means.argmax()), means.shape)
        start_s = float(prediction.starts_s[row]) + int(first) * frame_s
        best = int(prediction.probabilities[row].argmax())
        probability = float(prediction.probabilities[row, best])
        weight = float(means[row, first])
        found.append(Moment(start_s, start_s + length * frame_s, genres[best], probability, weight))
        means[row, max(0, first - length + 1) : first + length] = 0
    return tuple(found)
