"""Where in its tracks a genre's attention falls, on average over the library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgtag.arrays import F32
from mgtag.card import GENRE, Card
from mgtag.errors import UsageError
from mgtag.library.genre_map import key
from mgtag.library.index import Index
from mgtag.library.records import Filter
from mgtag.prediction import Prediction

STEPS = 20  # of a track
TOP = 3


@dataclass(frozen=True)
class Profile:
    """Where attention falls, on average over the tracks of a genre.

    Attributes
    ----------
    genre : str
    tracks : int
    weights : F32
        Shape ``(STEPS,)``; 1 is an average step of a track.
    error : F32
        Shape ``(STEPS,)``; standard error over the tracks, 0 for a single one.
    """

    genre: str
    tracks: int
    weights: F32
    error: F32

    @property
    def top(self) -> tuple[int, ...]:
        """The three steps of most attention, in order of time."""
        return tuple(sorted(int(n) for n in np.argsort(-self.weights, kind="stable")[:TOP]))


def profile(index: Index, bundle: str, card: Card, genre: str) -> Profile:
    """Average the attention over all tracks of the index that were heard as a genre.

    Parameters
    ----------
    bundle : str
        Id of the model; tracks that another one heard are left out.
    card : Card
        Of the model.
    genre : str
        Without regard to case and punctuation.

    Raises
    ------
    UsageError
        If there is no such track.
    """
    rows, name = [], genre
    for track in index.tracks(Filter(bundle=bundle)):
        prediction = index.prediction(track.path) if key(track.heard) == key(genre) else None
        if prediction is not None:
            name = track.heard
            rows.append(track_profile(prediction, card.genre.names.index(name), card.mel.slice_s))
    if not rows:
        raise UsageError(
            f"The index holds no track that {bundle} heard as {genre!r}; `mgtag scan` a folder first, "
            "or see `mgtag list` for what there is."
        )
    found = np.stack(rows)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.zeros(STEPS)
    return Profile(name, len(rows), found.mean(axis=0), error.astype(np.float32))


def track_profile(prediction: Prediction, label: int, slice_s: float) -> F32:
    """Return one track's attention over its twenty steps, shape ``(STEPS,)``, mean 1.

    The steps end where the last slice does: the rest of a track, less than a slice, was not heard, and
    would leave a step of a short clip with no frame, or with a few at the edge of a slice. Attention is
    shared out within a slice; slices are weighed by how far they heard the genre above chance. Slices
    may overlap or leave gaps: a step has the mean weight of the frames that lie in it.
    """
    if prediction.attention is None:
        raise UsageError("This model's network has no attention to show.")
    frames, probabilities = prediction.attention.shape[1], prediction.heads[GENRE].probabilities
    support = np.maximum(0, probabilities[:, label] - 1 / probabilities.shape[1])
    weights = support[:, None] * prediction.attention
    middles_s = prediction.starts_s[:, None] + (np.arange(frames) + 0.5) / frames * slice_s
    heard_s = float(prediction.starts_s.max()) + slice_s
    step = np.clip((middles_s / heard_s * STEPS).astype(int), 0, STEPS - 1).ravel()
    count = np.bincount(step, minlength=STEPS)
    total = np.bincount(step, weights.ravel(), minlength=STEPS)
    means = np.divide(total, count, out=np.zeros(STEPS), where=count > 0)
    mean = means.mean()
    flat: F32 = (means / mean if mean > 0 else np.ones(STEPS)).astype(np.float32)
    return flat
