"""Fit the words model that the program ships: TF-IDF of words and pairs, one linear layer, plain arrays.

The laboratory's `lyrics-tfidf` with fewer terms (those that tell genres apart best, by chi-squared) and
weights of eight bits. Strength and temperature are chosen on validation.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression

from mgtag.arrays import F32
from mgtag.words import ARRAYS, CARD, WordsModel, terms_of
from mgtag_train.data.lyrics import Song
from mgtag_train.learn.calibration import best_temperature

N_FREQUENT = 40_000  # terms, of which the best are taken
N_TERMS = 20_000
N_COMMON = 100  # words that a song in the language of the training songs is full of
LEAST_COMMON = 0.6  # of the median song's share of them, under which words are of another language
STRENGTHS = (1.0, 3.0, 10.0)  # of C, the inverse of the L2 penalty


def fit(
    train: Sequence[Song], valid: Sequence[Song], labels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the card (without figures and weights of the vote) and the arrays of a model."""
    truth, wanted = _labels(train), _labels(valid)
    every = TfidfVectorizer(analyzer=_terms, max_features=N_FREQUENT, sublinear_tf=True)
    seen = every.fit_transform(song.lyrics for song in train)
    scores, _ = chi2(seen, truth)
    names = every.get_feature_names_out()
    terms = sorted(names[np.argsort(-scores, kind="stable")[:N_TERMS]])
    counts = TfidfVectorizer(
        analyzer=_terms, vocabulary={term: n for n, term in enumerate(terms)}, sublinear_tf=True
    )
    seen, held = (counts.fit_transform(s.lyrics for s in train), counts.transform(s.lyrics for s in valid))
    tried = {
        c: LogisticRegression(C=c, class_weight="balanced", max_iter=1000).fit(seen, truth) for c in STRENGTHS
    }
    strength = max(STRENGTHS, key=lambda c: float(tried[c].score(held, wanted)))
    model = tried[strength]
    scale = np.abs(model.coef_).max(axis=1) / 127
    arrays = {
        "terms": np.frombuffer("\n".join(terms).encode(), np.uint8),
        "idf": counts.idf_.astype(np.float16),
        "weights": np.round(model.coef_ / scale[:, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "bias": model.intercept_.astype(np.float32),
    }
    logits = np.asarray(model.decision_function(held), np.float32)
    spoken = Counter(word for song in train for word in _words(song.lyrics))
    common = [word for word, _ in spoken.most_common(N_COMMON)]
    shares = [_share(song.lyrics, common) for song in valid]
    card = {
        "name": "words-1",
        "labels": [*labels],
        "temperature": round(best_temperature(logits, wanted), 4),
        "common": common,
        "least_common": round(LEAST_COMMON * float(np.median(shares)), 3),
        "strength": strength,
        "terms": len(terms),
        "songs": {"train": len(train), "valid": len(valid)},
    }
    return card, arrays


def save(folder: Path, card: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[Path]:
    """Write ``words.npz`` and ``words.json``, which vouches for it."""
    folder.mkdir(exist_ok=True)
    where, told = folder / "words.npz", folder / "words.json"
    np.savez_compressed(where, **arrays)
    digest = hashlib.sha256(where.read_bytes()).hexdigest()
    text = json.dumps({**card, "sha256": digest}, indent=1, ensure_ascii=False)
    told.write_text(text + "\n", encoding="utf-8")
    return [where, told]


def shipped_model() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the card and the arrays of the model that the program ships."""
    with np.load(ARRAYS) as kept:
        return json.loads(CARD.read_text(encoding="utf-8")), dict(kept)


def built(card: Mapping[str, Any], arrays: Mapping[str, Any]) -> WordsModel:
    """Return the model of a card and arrays, as the program will load it."""
    terms = arrays["terms"].tobytes().decode().split("\n")
    weights: F32 = arrays["weights"] * arrays["scale"][:, None]
    return WordsModel(card, terms, arrays["idf"].astype(np.float32), weights, arrays["bias"])


def _terms(lyrics: str) -> list[str]:
    return [term for line in lyrics.splitlines() for term in terms_of(line)]


def _words(lyrics: str) -> list[str]:
    return [term for term in _terms(lyrics) if " " not in term]


def _share(lyrics: str, common: Sequence[str]) -> float:
    words, known = _words(lyrics), set(common)
    return sum(word in known for word in words) / max(1, len(words))


def _labels(songs: Sequence[Song]) -> Any:
    return np.array([song.label for song in songs])
