"""Logistic regression: the optimum is found, folds keep groups together, a fold knows nothing of itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from mgtag.arrays import F64, I64
from mgtag.learn.regression import FOLDS, fit, folds_of, out_of_fold
from mgtag.vote import softmax


def clouds(n: int, labels: int, d: int = 6, apart: float = 2.0, seed: int = 0) -> tuple[F64, I64]:
    """Points around a centre for each label, of very unequal scale in each dimension."""
    rng = default_rng(seed)
    label = np.arange(n) % labels
    x = apart * rng.standard_normal((labels, d))[label] + rng.standard_normal((n, d))
    return x * 10.0 ** rng.integers(-3, 3, d) + 5, label


@pytest.mark.parametrize("penalty", [0.1, 100.0])
def test_it_finds_the_optimum(penalty: float) -> None:
    x, label = clouds(120, 3)
    head = fit(x, label, 3, penalty)
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
    z, weight = (x - mean) / deviation, head.weight * deviation[:, None]
    error = softmax(head.logits(x)) - np.eye(3)[label]
    # The gradient of the loss is nought: that is what the optimum is.
    assert np.abs(z.T @ error + penalty * weight).max() < 0.05
    assert np.abs(error.sum(axis=0)).max() < 0.01


def test_rows_without_a_label_are_left_out() -> None:
    x, label = clouds(60, 2)
    some = np.where(np.arange(60) < 40, label, -1)
    assert np.allclose(fit(x, some, 2).weight, fit(x[:40], label[:40], 2).weight)


def test_more_dimensions_than_rows_are_no_trouble() -> None:
    x, label = clouds(8, 2, d=50)
    assert (fit(x, label, 2).logits(x).argmax(axis=1) == label).all()


def test_a_group_is_in_one_fold_and_a_label_in_as_many_as_it_has_groups() -> None:
    label = np.repeat([0, 1, 2], [30, 4, 2])
    groups = [f"{a}-{n // 3}" for a, n in zip(label, range(36), strict=True)]
    fold = folds_of(groups, label)
    assert all(len(set(fold[[g == name for g in groups]])) == 1 for name in groups)
    assert len(set(fold[label == 0])) == FOLDS
    assert len(set(fold[label == 1])) == len({g for g in groups if g.startswith("1-")})


def test_the_answers_are_from_outside_the_fold() -> None:
    x, label = default_rng(0).standard_normal((60, 200)), np.arange(60) % 2  # nothing to be learned
    inside = fit(x, label, 2, 1.0).logits(x).argmax(axis=1) == label
    outside = out_of_fold(x, label, 2, np.arange(60) % 5, 1.0).argmax(axis=1) == label
    assert inside.all()
    assert outside.mean() < 0.7


def test_a_rare_label_is_not_thought_rarer_by_its_own_fold() -> None:
    label = np.repeat([0, 1], [40, 2])
    fold = np.where(label == 1, np.arange(42) % 2, np.arange(42) % 5)
    logits = out_of_fold(np.zeros((42, 1)), label, 2, fold)
    shares = softmax(logits)[:, 1]
    assert np.allclose(shares, 2 / 42, atol=0.01)
