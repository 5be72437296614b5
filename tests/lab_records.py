"""Run records and analyses of networks that never were, as `mgtag lab` writes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from mgtag_train.learn.run_record import Figures, Measured, RunRecord
from mgtag_train.report import class_statistics
from mgtag_train.report.paper_figures import EQUATIONS, NEAREST, QUEENS_LABELS
from mgtag_train.report.tokens_analysis import GROUPS

LABELS = tuple(sorted(NEAREST))


def record(labels: tuple[str, ...] = LABELS, right: int = 7, seed: int = 0, loss: float = 1.0) -> RunRecord:
    """A run that finds `right` of each label's ten tracks, and takes the others for the next label."""
    n = len(labels)
    confusion = right * np.eye(n, dtype=int) + (10 - right) * np.roll(np.eye(n, dtype=int), 1, axis=1)
    share = right / 10
    score = {"precision": share, "recall": share, "f1-score": share, "support": 10.0}
    measured = dict.fromkeys(("train", "valid", "test"), figures(share, share, 10 * n, loss))
    return RunRecord(
        name="",
        seed=seed,
        config={},
        data={},
        commit="",
        versions={},
        history=[{"slice_accuracy": share * (1 - 0.5**epoch)} for epoch in range(1, 9)],
        best_epoch=7,
        seconds=60.0,
        labels=labels,
        measured=measured,
        confusion=confusion.tolist(),
        by_genre=dict.fromkeys(labels, score),
        reliability={
            "count": [0] * 5 + [10 * n // 10] * 10,
            "confidence": [0.0] * 5 + [(5.5 + i) / 15 for i in range(10)],
            "accuracy": [0.0] * 5 + [(5.5 + i) / 15 for i in range(10)],
        },
        more={"valence": {"measured": {part: asdict(each) for part, each in measured.items()}}},
    )


def figures(slices: float, tracks: float, n: int = 10, loss: float = 1.0) -> Measured:
    """Accuracies of slices and tracks, and figures that go with them."""
    of_tracks = Figures(n, tracks, tracks, 0.9, loss, 0.05)
    return Measured(Figures(n, slices, slices, 0.9, loss), of_tracks)


def records() -> dict[str, dict[str, list[RunRecord]]]:
    """Every system that a section or a picture is about."""
    five = [record(QUEENS_LABELS, right, seed) for seed, right in enumerate((8, 9))]
    return {
        "queens-parallel": {"leaking": five, "filtered": five},
        "kth-attention": {"leaking": [record(right=9)], "filtered": [record(right=6)]},
        "mfcc-26": {"tracks": [record(right=5)], "filtered": [record(right=4)]},
        "best-averaged": {"filtered": [record(right=8, loss=0.5)]},
    }


def network(places: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> dict[str, Any]:
    """What `tokens_analysis` would find of genres with these means, and of attention ``(genres, steps)``."""
    near = class_statistics.nearest(places, LABELS)
    space = {
        "nearest": near,
        "agreement": class_statistics.agreement(near, NEAREST),
        "farthest": class_statistics.farthest(places, LABELS),
        "close": {"-".join(group): class_statistics.closeness(places, LABELS, group) for group in GROUPS},
        "equations": [class_statistics.equation(places, LABELS, terms) for terms in EQUATIONS],
        "best_equations": class_statistics.equations(places, LABELS, 5),
        "means": dict(zip(LABELS, places.tolist(), strict=True)),
    }
    by_genre = {
        label: {
            "mean": row.tolist(),
            "top": class_statistics.attention_steps(row),
            "centre": class_statistics.centre(row),
            "steady": 0.5,
            "p": 0.3,
            "clear": 2,
            "ratio": 1.1,
        }
        for label, row in zip(LABELS, weights, strict=True)
    }
    scatter = places[:, None, :] + 0.1 * np.random.default_rng(0).standard_normal((len(places), 4, 3))
    return {
        "run": "tokens/filtered-0",
        "tracks": 40,
        "labels": list(LABELS),
        "accuracy": 0.6,
        "explained": [0.4, 0.2, 0.1],
        "points": {"label": np.repeat(np.arange(10), 4).tolist(), "xyz": scatter.reshape(-1, 3).tolist()},
        "spaces": dict.fromkeys(("2", "3", "128"), space),
        "attention": {
            "by_genre": by_genre,
            "all": {"p": 0.3, "clear": 1, "ratio": 1.1, "mean": weights.mean(axis=0).tolist()},
            "p_genres_differ": 0.4,
        },
        "mood": {"accuracy": 0.71, "macro_f1": 0.7, "majority": 0.4, "by_genre": 0.8, "unseen": 0.3},
    }


def analyses() -> dict[str, Any]:
    """All three, of random numbers."""
    g = np.random.default_rng(0)
    one = network(g.standard_normal((10, 3)), g.dirichlet(np.full(20, 100.0), 10))
    slices = {"at": g.standard_normal((60, 2)).tolist(), "like": 0.25}
    block = {
        "channels": 32,
        "alive": 31,
        "share": dict.fromkeys(LABELS, 0.05) | {"hiphop": 0.55},
        "ratio": 1.3,
        "explained": 0.42,
        "most": {"channel": 3, "genre": "metal", "ratio": 2.5, "track": "metal.00007"},
    }
    return {
        "tokens": {"filtered": one, "tracks": one, "untrained": one},
        "tsne": {
            "run": "kth-attention/filtered-0",
            "labels": list(LABELS),
            "label": (np.arange(60) % 10).tolist(),
            "before": slices,
            "after": slices,
        },
        "blocks": {"run": "mfcc-26/filtered-0", "tracks": 40, "labels": list(LABELS), "blocks": [block] * 4},
    }
