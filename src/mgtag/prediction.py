"""The value that passes between the rooms: what a network heard in one track."""

from __future__ import annotations

from dataclasses import dataclass

from mgtag.arrays import F32


@dataclass(frozen=True)
class Prediction:
    """What a network heard in one track.

    Attributes
    ----------
    labels : tuple of str
    starts_s : F32
        Shape ``(w,)``; where each slice begins, in seconds.
    probabilities : F32
        Shape ``(w, len(labels))``; of each slice, calibrated. A slice without sound has equal
        ones: it says nothing.
    attention : F32
        Shape ``(w, n_frames)``; rows sum to 1.
    embedding : F32
        Shape ``(w, d)``; what the last layer saw.
    """

    labels: tuple[str, ...]
    starts_s: F32
    probabilities: F32
    attention: F32
    embedding: F32
