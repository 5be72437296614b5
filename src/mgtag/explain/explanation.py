"""Where in the song is the genre: the weights of all frames on one scale, and the strongest moments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mgtag.arrays import F32
from mgtag.card import GENRE, Card
from mgtag.features import MelSpec
from mgtag.prediction import Prediction
from mgtag.vote import Vote, vote
from mgtag.words import Line, Words, together, weight_beside

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
    head : str
        Which answer of the network this is about.
    votes : mapping of str to Vote
        The track's answer by each head.
    method : str
        Where the weights come from.
    weights : F32
        Shape ``(w, n_frames)``, mean 1: how much a frame counts for the genre that was voted for.
    moments : tuple of Moment
        Strongest first, none overlapping another; empty if none stands out.
    spec : MelSpec
    words : Words or None
        What the song's words say, if they voted too.
    """

    prediction: Prediction
    head: str
    votes: Mapping[str, Vote]
    method: str
    weights: F32
    moments: tuple[Moment, ...]
    spec: MelSpec
    words: Words | None = None

    @property
    def vote(self) -> Vote:
        """The answer that is explained."""
        return self.votes[self.head]

    @property
    def genres(self) -> tuple[str, ...]:
        """The head's labels, as written to a tag."""
        return self.vote.labels

    @property
    def probabilities(self) -> F32:
        """Of the head, shape ``(w, len(genres))``."""
        return self.prediction.heads[self.head].probabilities

    @property
    def frame_s(self) -> float:
        """Seconds a frame; frame ``f`` of the slice that begins at ``s`` begins at ``s + f * frame_s``."""
        return self.spec.hop / self.spec.sample_rate

    @property
    def heard(self) -> NDArray[np.intp]:
        """Index of the most probable genre of every slice, shape ``(w,)``; -1 where it heard nothing."""
        shares = self.probabilities
        return np.where(np.ptp(shares, axis=1) > 0, shares.argmax(axis=1), -1)

    @property
    def genre(self) -> str:
        """The label, unwritten, that was voted for."""
        return self.prediction.heads[self.head].labels[int(self.vote.probabilities.argmax())]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The sung lines that spoke most for it, the strongest first."""
        return () if self.words is None else self.words.counted(self.genre)

    def ranking(self, top: int = 2) -> list[tuple[str, float]]:
        """Return the likeliest genres of the track with their probabilities, best first."""
        order = np.argsort(-self.vote.probabilities, kind="stable")[:top]
        return [(self.genres[i], float(self.vote.probabilities[i])) for i in order]


def vote_with_words(card: Card, head: str, probabilities: F32, words: Words | None = None) -> Vote:
    """Return what a track's slices vote for; of the genre with its words, where they are known."""
    sound = vote(card.heads[head], probabilities)
    if words is None or head != GENRE:
        return sound
    return together(sound, card.genre, words, weight_beside(card.name))


def explain(
    prediction: Prediction,
    frame_shares: F32,
    card: Card,
    method: str,
    head: str = GENRE,
    words: Words | None = None,
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
    card : Card
        Of the model that heard them.
    method : str
    head : str
    words : Words, optional
        Of the song, where they vote with its sound.
    """
    votes = {
        name: vote_with_words(card, name, output.probabilities, words).decided(card.heads[name].threshold)
        for name, output in prediction.heads.items()
    }
    probabilities = prediction.heads[head].probabilities
    best = int(votes[head].probabilities.argmax())
    support = np.maximum(0, probabilities[:, best] - 1 / probabilities.shape[1])
    weights = support[:, None] * frame_shares
    mean = float(weights.mean())
    if mean > 0:
        weights = (weights / mean).astype(np.float32)
        moments = strongest(weights, prediction.starts_s, probabilities, votes[head].labels, card.mel)
    else:  # nothing counts for the genre: all frames alike, and no moment stands out
        weights, moments = np.ones_like(weights, np.float32), ()
    said = words if head == GENRE else None
    return Explanation(prediction, head, votes, method, weights, moments, card.mel, said)


def strongest(
    weights: F32,
    starts_s: F32,
    probabilities: F32,
    genres: tuple[str, ...],
    spec: MelSpec,
    count: int = MOMENTS,
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
        start_s = float(starts_s[row]) + int(first) * frame_s
        best = int(probabilities[row].argmax())
        probability = float(probabilities[row, best])
        weight = float(means[row, first])
        found.append(Moment(start_s, start_s + length * frame_s, genres[best], probability, weight))
        means[row, max(0, first - length + 1) : first + length] = 0
    return tuple(found)
