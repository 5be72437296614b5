"""The baseline of the lyrics networks: which words and word pairs a song has, and one linear layer.

TF-IDF of 40,000 words and pairs, counts taken by their logarithm (validation prefers it), logistic
regression with balanced classes; its strength C is chosen on validation. Its out-of-fold predictions are
distilled into the networks: they show which songs are typical of their genre, and which label is doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag_train.data.lyrics import Song
from mgtag_train.learn.metrics import Predictions

N_FEATURES = 40_000  # words and word pairs, the most frequent
FOLDS, STRENGTH = 5, 3.0  # of the out-of-fold predictions
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # of C, the inverse of the L2 penalty


def tfidf(parts: Mapping[str, Sequence[Song]]) -> tuple[dict[str, Predictions], float]:
    """Fit on the training songs, choose C by accuracy on validation, and predict every part.

    Returns
    -------
    answers : dict
        Of ``"train"``, ``"valid"`` and ``"test"``, for `mgtag_train.learn.evaluation.evaluate`.
    strength : float
        The C chosen.
    """
    counts = _counts()
    counts.fit(song.lyrics for song in parts["train"])
    seen = {part: counts.transform(song.lyrics for song in songs) for part, songs in parts.items()}
    truth = {part: np.array([song.label for song in songs]) for part, songs in parts.items()}
    tried = {c: _linear(c).fit(seen["train"], truth["train"]) for c in STRENGTHS}
    best = max(STRENGTHS, key=lambda c: float(tried[c].score(seen["valid"], truth["valid"])))
    answers = {
        part: Predictions(
            tried[best].predict_log_proba(seen[part]).astype(np.float32), np.arange(len(songs)), truth[part]
        )
        for part, songs in parts.items()
    }
    return answers, best


def held_out(songs: Sequence[Song]) -> F32:
    """Return out-of-fold predictions: each song by a baseline fitted on other artists only.

    Returns
    -------
    array
        Probabilities, shape ``(songs, labels)``, of labels as frequent as they are among the songs.

    Raises
    ------
    UsageError
        If too few artists are among them to hold some out.
    """
    artists = [song.artist or song.id for song in songs]
    if len(set(artists)) < FOLDS:
        raise UsageError(
            f"The lyrics table has songs of {len(set(artists))} artists to learn from; {FOLDS} are needed."
        )
    truth = np.array([song.label for song in songs])
    predicted = cross_val_predict(
        make_pipeline(_counts(), _linear(STRENGTH)),
        [song.lyrics for song in songs],
        truth,
        groups=artists,
        cv=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0),
        method="predict_proba",
    )
    frequent = predicted * np.bincount(truth)  # balanced classes are taken back
    return np.asarray(frequent / frequent.sum(axis=1, keepdims=True), np.float32)


def _counts() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), max_features=N_FEATURES, sublinear_tf=True)


def _linear(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
