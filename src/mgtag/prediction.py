"""The value that passes between the rooms: what a network heard in one track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32


@dataclass(frozen=True)
class HeadOutput:
    """What one head of a network, such as genre or mood, answered.

    Attributes
    ----------
    labels : tuple of str
    probabilities : F32
        Shape ``(w, len(labels))``; of each slice, calibrated. A slice without sound has equal
        ones: it says nothing.
    """

    labels: tuple[str, ...]
    probabilities: F32


@dataclass(frozen=True)
class Prediction:
    """What a network heard in one track.

    Attributes
    ----------
    starts_s : F32
        Shape ``(w,)``; where each slice begins, in seconds.
    heads : mapping of str to HeadOutput
        ``"genre"``, and whatever else the network answers.
    attention : F32 or None
        Shape ``(w, n_frames)``; rows sum to 1. None of a network that has none.
    embedding : F32
        Shape ``(w, d)``; what the last layer saw.
    """

    starts_s: F32
    heads: Mapping[str, HeadOutput]
    attention: F32 | None
    embedding: F32


def concatenate(parts: Sequence[Prediction]) -> Prediction:
    """Join what one network heard in successive parts of a track."""
    attention = [part.attention for part in parts if part.attention is not None]
    heads = {
        name: HeadOutput(head.labels, np.concatenate([part.heads[name].probabilities for part in parts]))
        for name, head in parts[0].heads.items()
    }
    return Prediction(
        np.concatenate([part.starts_s for part in parts]),
        heads,
        np.concatenate(attention) if attention else None,
        np.concatenate([part.embedding for part in parts]),
    )


def in_order(prediction: Prediction) -> Prediction:
    """Return the slices by the time at which they begin."""
    rows = np.argsort(prediction.starts_s)
    return Prediction(
        prediction.starts_s[rows],
        {name: HeadOutput(h.labels, h.probabilities[rows]) for name, h in prediction.heads.items()},
        None if prediction.attention is None else prediction.attention[rows],
        prediction.embedding[rows],
    )
