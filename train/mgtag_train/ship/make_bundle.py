"""Finished networks to a bundle: calibrate them, choose one, measure all, write what a listener needs.

The validation tracks choose network, temperatures and threshold; the test tracks are used once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mgtag.arrays import F32
from mgtag.bundle import Bundle, write
from mgtag.card import GENRE, Card, Head
from mgtag.models import Network
from mgtag_train.data.reading import Corpus
from mgtag_train.data.tracks import MelTrack, SliceDataset
from mgtag_train.learn import metrics
from mgtag_train.learn.calibration import NEVER, Calibration, calibrate
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.evaluation import predict_tracks
from mgtag_train.learn.metrics import Predictions
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.ship.export import export, fold_norms, rounded

# Of genres where a capital is not enough; a label that has capitals already keeps them.
SPELLING = {
    "hiphop": "Hip-Hop",
    "raphiphop": "Hip-Hop",
    "rnb": "R&B",
    "folkcountry": "Folk",
    "funksoulrnb": "Soul",
}


def make_bundle(
    models: Sequence[Network],
    seeds: Sequence[int],
    corpus: Corpus,
    not_music: Sequence[MelTrack],
    out: Path,
    config: TrainConfig,
    name: str,
) -> Bundle:
    """Choose a network on validation, measure all of them on test, write the bundle."""
    sounds = SliceDataset(not_music, corpus.source.spec)
    sets = {"valid": corpus.dataset("valid"), "test": corpus.dataset("test"), "not music": sounds}
    written = [rounded(fold_norms(model)) for model in models]
    predicted = [{name: predict_tracks(model, each) for name, each in sets.items()} for model in written]
    calibrations = [calibrate(one["valid"], one["not music"]) for one in predicted]
    rows = list(zip(calibrations, predicted, strict=True))
    valid, test = ([measure(c, one[part]) for c, one in rows] for part in ("valid", "test"))
    chosen = int(np.argmin([figures["track_log_loss"] for figures in valid]))
    source, calibration = corpus.source, calibrations[chosen]
    folder = out / name
    spec = export(models[chosen], folder).spec
    head = Head(
        labels=source.labels,
        written={label: spelling(label) for label in source.labels},
        temperature=calibration.temperature,
        vote_temperature=calibration.vote_temperature,
        threshold=calibration.threshold if calibration.threshold < NEVER else None,
    )
    card = Card(
        name=name,
        heads={GENRE: head},
        mel=source.spec,
        architecture=config.architecture,
        arguments=asdict(spec),
        data={"name": source.name, "citation": source.citation, "licence": source.licence, "url": source.url},
        split={"name": f"{source.name} {source.split}", **corpus.sizes},
        measured={
            "shipped_seed": seeds[chosen],
            "shipped": {"valid": valid[chosen], "test": test[chosen]},
            "test_over_seeds": over_seeds(seeds, test),
            "valid_over_seeds": over_seeds(seeds, valid),
            "not_music": confidences(calibration, predicted[chosen]["not music"], sounds.names),
            "commit": commit(),
            "versions": versions(),
        },
    )
    (out / "figures.json").write_text(json.dumps({"valid": valid, "test": test}, indent=1) + "\n")
    return write(folder, card)


def spelling(label: str) -> str:
    """Return how a label is written into a tag."""
    return SPELLING.get(label, label if label != label.lower() else label.capitalize())


def measure(calibration: Calibration, predictions: Predictions) -> dict[str, float]:
    """Return every figure of a network on some tracks, rounded to four digits."""
    votes, truth = calibration.votes(predictions.logits, predictions.owner), predictions.truth
    share, precision = metrics.tagged(votes, truth, calibration.threshold)
    figures = {
        "slice_accuracy": metrics.accuracy(predictions.logits, truth[predictions.owner]),
        "track_accuracy": metrics.accuracy(votes, truth),
        "track_log_loss": metrics.log_loss(votes, truth),
        "calibration_error": metrics.calibration_error(votes, truth),
        "tagged_share": share,
        "tagged_precision": precision,
    }
    return {key: round(value, 4) for key, value in figures.items()}


def confidences(calibration: Calibration, predictions: Predictions, names: Sequence[str]) -> dict[str, float]:
    """Return the mean and highest confidence of each kind of sound that is not music."""
    return by_kind(calibration.votes(predictions.logits, predictions.owner).max(axis=1), names)


def by_kind(confidence: F32, names: Sequence[str]) -> dict[str, float]:
    """Return mean and highest of each kind of made-up sound, which is in its name before the dot."""
    kinds = np.array([name.split(".")[0] for name in names])
    return {
        f"{kind}_{what}": round(float(figure(confidence[kinds == kind])), 4)
        for kind in sorted(set(kinds))
        for what, figure in (("mean", np.mean), ("highest", np.max))
    }


def over_seeds(seeds: Sequence[int], figures: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Mean and deviation (n - 1) of every figure over the seeds."""
    rows = {key: [row[key] for row in figures] for key in figures[0]}
    spread = {key: float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for key, values in rows.items()}
    return {
        "seeds": list(seeds),
        "mean": {key: round(float(np.mean(values)), 4) for key, values in rows.items()},
        "deviation": {key: round(value, 4) for key, value in spread.items()},
    }
