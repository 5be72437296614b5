"""What a song's words say of its genre, and how that votes with its sound.

Words and word pairs within a sung line, weighed by TF-IDF with logarithmic counts, and one linear layer:
plain arrays (``words.npz``) and a card (``words.json``) with how good it was measured to be, both written
by ``mgtag lab words``. It knows a few genres of English songs, and says nothing of others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mgtag.arrays import F32
from mgtag.card import Head
from mgtag.errors import BundleError
from mgtag.tags.lyrics import read_lyrics
from mgtag.vote import TINY, Vote, softmax

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # "don't" is one word, "runnin'" is "runnin"
CARD, ARRAYS = (Path(__file__).with_name(f"words.{suffix}") for suffix in ("json", "npz"))
LEAST_WORDS = 40  # of a song that is judged by them


@dataclass(frozen=True)
class Line:
    """A sung line that counted.

    Attributes
    ----------
    text : str
    weight : float
        What it adds to the genre's logit over the mean of the others.
    """

    text: str
    weight: float


@dataclass(frozen=True)
class Words:
    """What the words of one song say.

    Attributes
    ----------
    labels : tuple of str
        As in a bundle's head: ``"hiphop"``, ``"rock"`` …
    probabilities : F32
        Of these, as if each were as frequent as any other; sums to 1.
    lines : tuple of str
        The sung lines, as they are written.
    weights : F32
        Shape ``(lines, labels)``: what each line adds to each label's logit.
    """

    labels: tuple[str, ...]
    probabilities: F32
    lines: tuple[str, ...]
    weights: F32

    def counted(self, label: str, most: int = 5) -> tuple[Line, ...]:
        """Return the lines that speak most for a label, each once, the strongest first."""
        if label not in self.labels:
            return ()
        n = self.labels.index(label)
        against = np.delete(self.weights, n, axis=1).mean(axis=1)
        weights: dict[str, float] = {}
        for line, weight in zip(self.lines, self.weights[:, n] - against, strict=True):
            weights[line] = weights.get(line, 0.0) + float(weight)
        order = sorted(weights, key=lambda line: -weights[line])[:most]
        return tuple(Line(line, round(weights[line], 4)) for line in order if weights[line] > 0)


class WordsModel:
    """The arrays and the card.

    Parameters
    ----------
    card : mapping
        ``labels``, ``temperature``, ``common`` and ``least_common`` (see `is_known_language`),
        ``weights`` (by the name of the bundle whose sound the words were weighed against), and figures.
    terms : sequence of str
        Words and pairs.
    idf : F32
        Shape ``(terms,)``.
    weights, bias : F32
        Shapes ``(labels, terms)`` and ``(labels,)``.
    """

    def __init__(
        self, card: Mapping[str, Any], terms: Sequence[str], idf: F32, weights: F32, bias: F32
    ) -> None:
        self.card, self.labels = card, tuple(card["labels"])
        self._place = {term: n for n, term in enumerate(terms)}
        self._idf, self._weights, self._bias = idf, weights, bias

    def read(self, lyrics: str) -> Words | None:
        """Judge a song's words; None where they are too few, or of a language that it does not know."""
        lines = [line.strip() for line in lyrics.splitlines() if line.strip()]
        found = [terms_of(line) for line in lines]
        spoken = [term for terms in found for term in terms if " " not in term]
        if len(spoken) < LEAST_WORDS or not self.is_known_language(spoken):
            return None
        counts = Counter(term for terms in found for term in terms if term in self._place)
        if not counts:
            return None
        values = {t: (1 + np.log(n)) * self._idf[self._place[t]] for t, n in counts.items()}
        length = float(np.linalg.norm([*values.values()]))
        weights = np.zeros((len(lines), len(self.labels)), np.float32)
        for row, terms in zip(weights, found, strict=True):
            for term in terms:
                if term in counts:  # a term's weight is shared by all that it is sung
                    row += self._weights[:, self._place[term]] * (values[term] / counts[term] / length)
        logits = np.asarray(weights.sum(axis=0) + self._bias, np.float32)
        shares = softmax(logits, float(self.card["temperature"]))
        return Words(self.labels, shares, tuple(lines), weights)

    def is_known_language(self, spoken: Sequence[str]) -> bool:
        """Return whether enough of the words are among the most common of the songs it learned from."""
        common = set(self.card["common"])
        least = float(self.card["least_common"])
        return sum(word in common for word in spoken) >= least * len(spoken)


def words_of(path: Path, bundle: str) -> Words | None:
    """Return what a file's words say, if they are at hand and count beside the sound of this bundle."""
    text = read_lyrics(path) if weight_beside(bundle) else ""
    return load().read(text) if text else None


def terms_of(line: str) -> list[str]:
    """Return the words of a line, and its pairs of neighbours."""
    words = WORD.findall(line.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def weight_beside(bundle: str) -> float:
    """Return how much words count beside the sound of a bundle of this name; 0 where nobody measured it."""
    return float(_card(CARD)["weights"].get(bundle, 0.0))


def words_card() -> dict[str, Any]:
    """Return what the words model says of itself to people: its name, figures and limits."""
    return {key: _card(CARD)[key] for key in ("name", "labels", "terms", "songs", "measured", "limits")}


@cache
def load(card: Path = CARD, arrays: Path = ARRAYS) -> WordsModel:
    """Return the shipped model.

    Raises
    ------
    BundleError
        If its files are damaged.
    """
    try:
        told = _card(card)
        if hashlib.sha256(arrays.read_bytes()).hexdigest() != told["sha256"]:
            raise ValueError("it is not the file that the card describes")
        with np.load(arrays) as kept:
            terms = kept["terms"].tobytes().decode().split("\n")
            weights = kept["weights"] * kept["scale"][:, None]
            idf, bias = kept["idf"].astype(np.float32), kept["bias"]
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(
            f"{arrays}: the words model cannot be used ({error}); install mgtag again."
        ) from error
    return WordsModel(told, terms, idf, weights, bias)


@cache
def _card(path: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def together(sound: Vote, head: Head, words: Words, weight: float) -> Vote:
    """Return the sound's vote with that of the words: log-linear, among the labels that both know.

    What the sound says of all these labels together stays, so that words neither speak for nor against a
    genre that they do not know; and what the sound takes for no music stays that.

    Parameters
    ----------
    head : Head
        Of the sound's vote.
    weight : float
        Of the words' log-probabilities; 0 leaves the sound alone.
    """
    both = [(n, words.labels.index(label)) for n, label in enumerate(head.labels) if label in words.labels]
    if sound.not_music or len(both) < 2 or not weight:
        return sound
    heard, read = (list(index) for index in zip(*both, strict=True))
    shares = sound.probabilities[heard]
    said = np.log(np.maximum(shares, TINY)) + weight * np.log(np.maximum(words.probabilities[read], TINY))
    probabilities = sound.probabilities.copy()
    probabilities[heard] = softmax(said.astype(np.float32)) * shares.sum()
    return replace(sound, probabilities=probabilities)
