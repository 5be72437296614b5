"""What a head of own genres can promise, from the answers to songs that it was not fitted to."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32, F64, I64
from mgtag.learn.regression import Linear, fit, folds_of, out_of_fold
from mgtag.vote import softmax

NOT_MUSIC = "not music"  # no genre, whoever writes it
PROMISE = 0.85  # of the songs that are tagged: tagged right
CERTAIN = 1.64  # standard errors: 5 % on one side
FEWEST_SONGS, FEWEST_GROUPS = 2, 2  # of a genre
TEMPERATURES = np.geomspace(0.2, 5, 81)
THRESHOLDS = np.arange(10, 100) / 100


@dataclass(frozen=True)
class Examples:
    """Songs with genres that somebody chose.

    Attributes
    ----------
    genres : tuple of str
        Every genre that a song has.
    label : I64
        Shape ``(n,)``, index into `genres`.
    group : sequence
        Of each song: whose songs are never on both sides, such as an artist.
    embedding : F32
        Shape ``(n, d)``.
    music : F32
        Shape ``(n,)``; the base's probability that this is music, 0 where it calls it something else.
    """

    genres: tuple[str, ...]
    label: I64
    group: Sequence[Hashable]
    embedding: F32
    music: F32


@dataclass(frozen=True)
class Row:
    """What is promised of one genre, out of fold.

    Attributes
    ----------
    genre : str
    songs, groups : int
    recall : float
        Share of its songs whose best answer is this genre.
    coverage : float
        Share of its songs that are tagged, right or wrong.
    tags : int
        Songs tagged with this genre.
    precision : float or None
        Share of these that have it; None where there are none.
    refused : str
        Why it is not learned; "" where it is.
    """

    genre: str
    songs: int
    groups: int
    recall: float = 0.0
    coverage: float = 0.0
    tags: int = 0
    precision: float | None = None
    refused: str = ""


@dataclass(frozen=True)
class Learned:
    """A head, and what it can promise.

    Attributes
    ----------
    genres : tuple of str
        Those that it tells, in the order of its logits.
    head : Linear
        Fitted to all songs.
    temperature : float
        Divides its logits.
    threshold : float or None
        None means never: too few songs to bear a promise.
    accuracy, coverage, precision : float
        Out of fold: share of all songs whose best answer is right; that are tagged; of those that are, right.
    calibration_error : float
        Mean distance of confidence and accuracy, over 10 bins of equal size.
    rows : tuple of Row
        Of every genre, refused ones last.
    """

    genres: tuple[str, ...]
    head: Linear
    temperature: float
    threshold: float | None
    accuracy: float
    coverage: float
    precision: float | None
    calibration_error: float
    rows: tuple[Row, ...]


def learn(examples: Examples, penalty: float) -> Learned | tuple[Row, ...]:
    """Fit a head to the genres that can be told apart, and measure it out of fold.

    Songs of a refused genre are learned from no more, but still asked about: whatever they are tagged with
    counts as wrong.

    Returns
    -------
    Learned or tuple of Row
        The rows alone where fewer than two genres are left.
    """
    refused = dict[int, str]()
    fold = folds_of(examples.group, examples.label)
    while True:
        refused |= _too_few(examples, refused)
        kept = [n for n in range(len(examples.genres)) if n not in refused]
        if len(kept) < 2:
            return _rows(examples, refused)
        place = np.full(len(examples.genres), -1)
        place[kept] = range(len(kept))
        label = place[examples.label]
        logits = out_of_fold(examples.embedding, label, len(kept), fold, penalty)
        chance = {kept[n]: reason for n, reason in _at_chance(logits, label).items()}
        if not chance:
            break
        refused |= chance
    temperature = _temperature(logits, label)
    probabilities = softmax(logits / temperature)
    right, confidence = probabilities.argmax(axis=1) == label, probabilities.max(axis=1) * examples.music
    threshold = _threshold(confidence, right)
    tagged = confidence > (1 if threshold is None else threshold)
    return Learned(
        tuple(examples.genres[n] for n in kept),
        fit(examples.embedding, label, len(kept), penalty),
        temperature,
        threshold,
        float(right.mean()),
        float(tagged.mean()),
        _mean(right[tagged]),
        _calibration_error(confidence, right),
        _rows(examples, refused, kept, probabilities, tagged),
    )


def _too_few(examples: Examples, refused: dict[int, str]) -> dict[int, str]:
    """Return the genres of which there is too little to learn from, and why."""
    found = {}
    for n in set(range(len(examples.genres))) - set(refused):
        of = np.flatnonzero(examples.label == n)
        groups = len({examples.group[row] for row in of.tolist()})
        if len(of) < FEWEST_SONGS:
            found[n] = f"one song; it takes {FEWEST_SONGS}"
        elif groups < FEWEST_GROUPS:
            found[n] = f"all songs by one artist, or of one album; it takes {FEWEST_GROUPS}"
    return found


def _at_chance(logits: F64, label: I64) -> dict[int, str]:
    """Return the genres whose songs are ranked out of fold no higher than others' (Mann-Whitney), and why."""
    found = {}
    for n in range(logits.shape[1]):
        score = logits[:, n] - np.delete(logits, n, axis=1).max(axis=1)
        of, rest = score[label == n], score[label != n]
        area = np.mean(np.searchsorted(np.sort(rest), of) / len(rest))
        error = ((len(of) + len(rest) + 1) / (12 * len(of) * len(rest))) ** 0.5
        if area <= 0.5 + CERTAIN * error:
            found[n] = f"not told apart: its songs beat {area:.0%} of the others, and chance does 50%"
    return found


def _temperature(logits: F64, label: I64) -> float:
    known = label >= 0
    rows = np.flatnonzero(known)

    def loss(temperature: float) -> float:
        shares = softmax(logits[known] / temperature)
        return -float(np.log(np.maximum(shares[np.arange(len(rows)), label[rows]], 1e-12)).mean())

    return float(min(TEMPERATURES, key=loss))


def _threshold(confidence: F64, right: NDArray[np.bool_]) -> float | None:
    """Return the lowest threshold that keeps the promise for certain, in hundredths; None if there is none.

    It takes 16 songs that are all right, 27 of which one is wrong, and so on.
    """
    for candidate in THRESHOLDS:
        tagged = confidence > candidate
        if tagged.any() and _at_least(int(right[tagged].sum()), int(tagged.sum())) >= PROMISE:
            return float(candidate)
    return None


def _at_least(right: int, of: int) -> float:
    """Return the lower end of a share, `CERTAIN` standard errors down (Wilson's interval)."""
    share, z2 = right / of, CERTAIN**2 / of
    return (share + z2 / 2 - math.sqrt(z2 * share * (1 - share) + z2**2 / 4)) / (1 + z2)


def _rows(
    examples: Examples,
    refused: dict[int, str],
    kept: Sequence[int] = (),
    probabilities: F64 | None = None,
    tagged: NDArray[np.bool_] | None = None,
) -> tuple[Row, ...]:
    rows = []
    for n in sorted(range(len(examples.genres)), key=lambda n: (n in refused, examples.genres[n].casefold())):
        of = examples.label == n
        groups = {examples.group[row] for row in np.flatnonzero(of).tolist()}
        row = Row(examples.genres[n], int(of.sum()), len(groups), refused=refused.get(n, ""))
        if n in kept and probabilities is not None and tagged is not None:
            best = probabilities.argmax(axis=1) == list(kept).index(n)
            tags = best & tagged
            row = Row(
                *(row.genre, row.songs, row.groups, float(best[of].mean()), float(tagged[of].mean())),
                *(int(tags.sum()), _mean(of[tags])),
            )
        rows.append(row)
    return tuple(rows)


def _calibration_error(confidence: F64, right: NDArray[np.bool_]) -> float:
    order = np.array_split(np.argsort(confidence), 10)
    errors = [len(part) * abs(confidence[part].mean() - right[part].mean()) for part in order if len(part)]
    return float(np.sum(errors) / len(confidence))


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
