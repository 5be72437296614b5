"""Where genres lie among each other, and where attention falls: plain arithmetic on encodings and weights.

What chance alone would give stands beside each, since lists of nearest genres, and three steps of
twenty, can be made of noise as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mgtag.arrays import F64, I64

DRAWS = 2000  # of every permutation test; the smallest p is then 1/2001
TOP = 3  # steps


def means(points: F64, labels: I64, n_labels: int) -> F64:
    """Return the mean of each label's points, shape ``(n_labels, d)``.

    Parameters
    ----------
    points : F64
        Shape ``(n, d)``.
    labels : I64
        Shape ``(n,)``, 0..n_labels-1, every one of them present.
    """
    sums = np.zeros((n_labels, points.shape[1]))
    np.add.at(sums, labels, points)
    return sums / np.bincount(labels, minlength=n_labels)[:, None]


def nearest(places: F64, names: Sequence[str], count: int = 2) -> dict[str, list[str]]:
    """Return the nearest others of each, nearest first, by Euclidean distance of `places` ``(names, d)``."""
    distances = cdist(places, places)
    np.fill_diagonal(distances, np.inf)
    return {
        name: [names[j] for j in row.argsort(kind="stable")[:count]]
        for name, row in zip(names, distances, strict=True)
    }


def agreement(
    one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]], seed: int = 0
) -> dict[str, float]:
    """Count the neighbours that two lists share, and how often as many are shared by accident.

    Returns
    -------
    dict
        ``shared``, ``of``, ``chance`` (mean count where the names of `one` are shuffled among
        themselves), and ``p``, the share of such shuffles with at least as many.
    """
    names = sorted(one)
    number = {name: i for i, name in enumerate(names)}

    def table(lists: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
        found = np.zeros((len(names), len(names)), bool)
        for name, near in lists.items():
            found[number[name], [number[n] for n in near]] = True
        return found

    ours, theirs = table(one), table(other)
    shared = int((ours & theirs).sum())
    g = np.random.default_rng(seed)
    orders = (g.permutation(len(names)) for _ in range(DRAWS))
    drawn = np.array([(ours[order][:, order] & theirs).sum() for order in orders])
    return {
        "shared": shared,
        "of": int(theirs.sum()),
        "chance": float(drawn.mean()),
        "p": _p(drawn >= shared),
    }


def closeness(places: F64, names: Sequence[str], group: Sequence[str]) -> dict[str, float]:
    """Rank a group of names among all groups of its size by its mean distance; rank 1 is the closest.

    Returns
    -------
    dict
        ``rank`` and ``of``.
    """
    distances = cdist(places, places)

    def spread(members: Sequence[int]) -> float:
        return float(np.mean([distances[i, j] for i, j in combinations(members, 2)]))

    ours = spread(sorted(names.index(name) for name in group))
    all_groups = [spread(members) for members in combinations(range(len(names)), len(group))]
    return {"rank": 1 + sum(other < ours for other in all_groups), "of": len(all_groups)}


def farthest(places: F64, names: Sequence[str]) -> list[str]:
    """Return the names by their mean distance to the others, the most distant first."""
    return [names[i] for i in (-cdist(places, places).mean(axis=1)).argsort(kind="stable")]


def equation(places: F64, names: Sequence[str], terms: Sequence[str]) -> dict[str, Any]:
    """Solve ``first - second + third`` and see how near the fourth, the claimed answer, is.

    Returns
    -------
    dict
        ``terms``; ``answer``, the nearest of the names that are not on the left; ``rank`` of the
        claimed one among those, from 1, and ``of`` how many; ``residual``, its distance from the sum,
        in units of the mean distance between two names; ``fit``, the share of all equations whose
        residual is smaller.
    """
    place = dict(zip(names, places, strict=True))
    first, second, third, claimed = terms
    total = place[first] - place[second] + place[third]
    others = [name for name in names if name not in (first, second, third)]
    order = sorted(others, key=lambda name: float(np.linalg.norm(place[name] - total)))
    residual = float(np.linalg.norm(place[claimed] - total)) / _scale(places)
    every = np.array([other for other, _ in _parallelograms(places, names)])
    return {
        "terms": list(terms),
        "answer": order[0],
        "rank": order.index(claimed) + 1,
        "of": len(others),
        "residual": residual,
        "fit": float((every < residual - 1e-12).mean()),
    }


def equations(places: F64, names: Sequence[str], count: int) -> list[dict[str, Any]]:
    """Return the equations that come out best: each pair of pairs once, as ``a - b + c = d``.

    ``a - b + c = d`` holds as well as ``c - d + a = b`` does, or any other way to write that the
    midpoint of a and c is that of b and d.
    """
    best = sorted(_parallelograms(places, names))[:count]
    return [{"terms": list(terms), "residual": residual} for residual, terms in best]


def attention_steps(weights: F64, count: int = TOP) -> list[int]:
    """Return the steps of most weight, shape ``(steps,)``, in the order of time."""
    return sorted(int(step) for step in (-weights).argsort(kind="stable")[:count])


def centre(weights: F64) -> float:
    """Return the mean step of weights that sum to 1: (steps - 1) / 2 where they are uniform."""
    return float(weights @ np.arange(len(weights)))


def against_uniform(weights: F64, seed: int = 0) -> dict[str, float]:
    """Ask whether mean attention depends on the step at all.

    Parameters
    ----------
    weights : F64
        Shape ``(tracks, steps)``, rows sum to 1.

    Returns
    -------
    dict
        ``p``: how often the means of tracks whose own steps were shuffled lie as far from uniform
        (sum of squares); ``clear``: steps whose mean is over three standard errors away from
        uniform; ``ratio``: the largest mean over the smallest.
    """
    n_tracks, n_steps = weights.shape
    mean = weights.mean(axis=0)
    error = np.maximum(weights.std(axis=0, ddof=1) / np.sqrt(n_tracks), 1e-12)
    g = np.random.default_rng(seed)

    def away(values: F64) -> float:
        return float(((values.mean(axis=0) - 1 / n_steps) ** 2).sum())

    drawn = np.array([away(g.permuted(weights, axis=1)) for _ in range(DRAWS)])
    return {
        "p": _p(drawn >= away(weights)),
        "clear": int((np.abs(mean - 1 / n_steps) > 3 * error).sum()),
        "ratio": float(mean.max() / mean.min()),
    }


def by_label(weights: F64, labels: I64, n_labels: int, seed: int = 0) -> float:
    """Return how often shuffled labels part the mean attention of tracks as far as the true ones do."""
    counts = np.bincount(labels, minlength=n_labels)[:, None]

    def between(of: I64) -> float:
        return float((counts * (means(weights, of, n_labels) - weights.mean(axis=0)) ** 2).sum())

    g = np.random.default_rng(seed)
    drawn = np.array([between(g.permutation(labels)) for _ in range(DRAWS)])
    return _p(drawn >= between(labels))


def steadiness(weights: F64, seed: int = 0, draws: int = 200) -> float:
    """Return the share of the top steps that come out again when other tracks are drawn (bootstrap)."""
    top, g = set(attention_steps(weights.mean(axis=0))), np.random.default_rng(seed)
    again = (weights[g.integers(len(weights), size=len(weights))].mean(axis=0) for _ in range(draws))
    return float(np.mean([len(top & set(attention_steps(mean))) / len(top) for mean in again]))


def _parallelograms(places: F64, names: Sequence[str]) -> list[tuple[float, tuple[str, ...]]]:
    scale, found = _scale(places), []
    for p, q, r, s in combinations(range(len(names)), 4):
        for a, c, b, d in ((p, q, r, s), (p, r, q, s), (p, s, q, r)):
            residual = float(np.linalg.norm(places[a] + places[c] - places[b] - places[d])) / scale
            found.append((residual, tuple(names[i] for i in (a, b, c, d))))
    return found


def _scale(places: F64) -> float:
    distances = cdist(places, places)
    return float(distances.sum() / (len(places) * (len(places) - 1)))


def _p(as_extreme: NDArray[np.bool_]) -> float:
    return float((1 + as_extreme.sum()) / (1 + len(as_extreme)))
