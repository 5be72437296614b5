"""What was heard, slice by slice, in a few hundred bytes.

Probabilities keep 7 bits of their logarithm, since the vote adds logarithms: half a step is 6 %. Attention
is folded to a few bins a slice, 4 bits each. Embeddings become one mean a track, in half precision. On
whole songs the vote moves by 0.002 at most, and a genre's attention profile by 2 % of its peak.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32
from mgtag.prediction import HeadOutput, Prediction

BINS = 8  # of attention, a slice: 0.4 s each
RANGE = (
    14.0  # smallest log-probability that is stored as other than none, negated; the vote stops at log 1e-6
)
LOG_STEPS = 127
WEIGHT_STEPS = 15
MS = 1000
_HEAD = struct.Struct("<H")  # slices


def pack(prediction: Prediction) -> tuple[bytes, bytes]:
    """Return a prediction's slices, and its embedding, as bytes."""
    slices = len(prediction.starts_s)
    starts = np.diff(np.round(prediction.starts_s * MS).astype("<i4"), prepend=0)
    with np.errstate(divide="ignore"):
        shares = np.concatenate([head.probabilities for head in prediction.heads.values()], axis=1)
        logs = np.log(shares) / RANGE + 1
    raw = (
        _HEAD.pack(slices),
        starts.astype("<i4").tobytes(),
        np.round(logs.clip(0, 1) * LOG_STEPS).astype(np.uint8).tobytes(),
        b"" if prediction.attention is None else _weights(prediction.attention),
    )
    return zlib.compress(b"".join(raw), 9), prediction.embedding.mean(axis=0).astype("<f2").tobytes()


def unpack(labels: Mapping[str, Sequence[str]], slices: bytes, embedding: bytes) -> Prediction:
    """Return the prediction that `pack` was given, as far as it was kept.

    Attention has `BINS` columns, or as many as there were if they were fewer; the embedding is one row.

    Parameters
    ----------
    labels : mapping
        Of each head, in the order of the prediction's.
    slices, embedding : bytes

    Raises
    ------
    ValueError
        If the bytes are damaged.
    """
    ends = np.cumsum([len(names) for names in labels.values()])
    try:
        raw = zlib.decompress(slices)
        (count,) = _HEAD.unpack_from(raw)
        body = np.frombuffer(raw, np.uint8, offset=_HEAD.size)
        starts, logs, attention = np.split(body, np.cumsum([4 * count, count * ends[-1]]))
        shares = np.exp((logs.reshape(count, ends[-1]) / LOG_STEPS - 1) * RANGE)
        parts = np.split(shares, ends[:-1], axis=1)
        return Prediction(
            (starts.view("<i4").cumsum() / MS).astype(np.float32),
            {
                name: HeadOutput(tuple(names), _normalised(part))
                for (name, names), part in zip(labels.items(), parts, strict=True)
            },
            _normalised(attention.reshape(count, -1)) if len(attention) else None,
            np.frombuffer(embedding, "<f2").astype(np.float32)[None],
        )
    except (zlib.error, struct.error) as error:
        raise ValueError(str(error)) from error


def _weights(attention: F32) -> bytes:
    folded = _folded(attention)
    peaks = folded.max(axis=1, initial=np.finfo(np.float32).tiny, keepdims=True)
    raw: bytes = np.round(folded / peaks * WEIGHT_STEPS).astype(np.uint8).tobytes()
    return raw


def _folded(attention: F32) -> F32:
    """Share out the weights of frames over at most `BINS` bins of equal length."""
    frames = attention.shape[1]
    bins = min(BINS, frames)
    if frames == bins:
        return attention
    sums = np.pad(np.cumsum(attention, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    edges = np.linspace(0, frames, bins + 1)
    left = np.minimum(edges.astype(int), frames - 1)
    at_edges = sums[:, left] + (edges - left) * (sums[:, left + 1] - sums[:, left])
    folded: F32 = np.diff(at_edges, axis=1).astype(np.float32)
    return folded


def _normalised(rows: NDArray[Any]) -> F32:
    sums = np.maximum(rows.sum(axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    shares: F32 = (rows / sums).astype(np.float32)
    return shares
