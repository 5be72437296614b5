"""An explanation for programs; the schema stands in the user guide."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mgtag.bundle import Bundle
from mgtag.explain.explanation import Explanation, Moment

DIGITS = 4  # of seconds, probabilities and weights: a tenth of a millisecond, a hundredth of a per cent


def as_row(path: Path, made: Explanation, duration_s: float, bundle: Bundle) -> dict[str, object]:
    """Return an explanation as what JSON can hold."""
    labels, slice_s = made.prediction.heads[made.head].labels, made.spec.slice_s
    slices = [
        {
            "start_s": _round(start),
            "end_s": _round(min(start + slice_s, duration_s)),
            "genre": made.genres[best] if best >= 0 else None,
            "probabilities": _shares(labels, shares),
            "weights": [_round(weight) for weight in weights],
        }
        for start, best, shares, weights in zip(
            made.prediction.starts_s, made.heard, made.probabilities, made.weights, strict=True
        )
    ]
    (genre, confidence), *others = made.ranking()
    threshold = bundle.card.heads[made.head].threshold
    return {
        "path": str(path),
        "duration_s": _round(duration_s),
        "bundle": bundle.id,
        "method": made.method,
        "head": made.head,
        "genres": dict(zip(labels, made.genres, strict=True)),
        "vote": {
            "genre": genre,
            "confidence": _round(confidence),
            "runner_up": others[0][0] if others else None,
            "threshold": threshold,
            "sure": made.vote.passes(threshold) and not any(v.not_music for v in made.votes.values()),
            "probabilities": _shares(labels, made.vote.probabilities),
        },
        "heads": {
            name: {
                "answer": list(vote.best()),
                "confidence": _round(vote.confidence),
                "probabilities": _shares(vote.labels, vote.probabilities),
            }
            for name, vote in made.votes.items()
        },
        "words": None
        if made.words is None
        else {
            "probabilities": _shares(made.words.labels, made.words.probabilities),
            "lines": [{"text": line.text, "weight": _round(line.weight)} for line in made.lines],
        },
        "frame_s": round(made.frame_s, 7),
        "slices": slices,
        "moments": [moment_row(moment) for moment in made.moments],
    }


def moment_row(moment: Moment) -> dict[str, object]:
    """Return a moment, rounded as everywhere."""
    return {k: v if isinstance(v, str) else _round(v) for k, v in vars(moment).items()}


def _shares(labels: tuple[str, ...], shares: Iterable[float]) -> dict[str, float]:
    return {label: _round(share) for label, share in zip(labels, shares, strict=True)}


def _round(value: float) -> float:
    return round(float(value), DIGITS)
