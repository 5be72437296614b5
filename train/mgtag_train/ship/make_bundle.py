"""Finished networks to a bundle: calibrate them, choose one, measure all, write what a listener needs.

The validation tracks choose network, temperatures and threshold; the test tracks are heard once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mgtag.bundle import Bundle, write
from mgtag.card import GENRE, Card, Head
from mgtag.models import Network
from mgtag_train.data.corpus import Corpus
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn import metrics
from mgtag_train.learn.calibration import NEVER, Calibration, calibrate
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.learn.trainer import predict
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
    models: Sequence[Network], seeds: Sequence[int], corpus: Corpus, out: Path, config: TrainConfig, name: str
) -> Bundle:
    """Choose a network on validation, measure all of them on test, write the bundle."""
    written = [rounded(fold_norms(model)) for model in models]
    calibrations = [fit_calibration(model, corpus) for model in written]
    valid = [measure(m, c, corpus.dataset("valid")) for m, c in zip(written, calibrations, strict=True)]
    chosen = int(np.argmin([figures["track_log_loss"] for figures in valid]))
    test = [measure(m, c, corpus.dataset("test")) for m, c in zip(written, calibrations, strict=True)]
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
            "not_music": confidences(written[chosen], calibration, corpus),
            "commit": commit(),
            "versions": versions(),
        },
    )
    (out / "figures.json").write_text(json.dumps({"valid": valid, "test": test}, indent=1) + "\n")
    return write(folder, card)


def spelling(label: str) -> str:
    """Return how a label is written into a tag."""
    return SPELLING.get(label, label if label != label.lower() else label.capitalize())


def fit_calibration(model: Network, corpus: Corpus) -> Calibration:
    """Calibrate a network on the validation tracks and on unheard sounds that are no music."""
    valid, others = corpus.dataset("valid"), SliceDataset(corpus.held_out_negatives, corpus.source.spec)
    windows, owner = valid.tiles()
    other_windows, other_owner = others.tiles()
    return calibrate(
        predict(model, windows),
        owner.numpy(),
        valid.labels.numpy(),
        predict(model, other_windows),
        other_owner.numpy(),
    )


def measure(model: Network, calibration: Calibration, tracks: SliceDataset) -> dict[str, float]:
    """Return every figure of a network on some tracks, rounded to four digits."""
    windows, owner_tensor = tracks.tiles()
    logits, owner, truth = predict(model, windows), owner_tensor.numpy(), tracks.labels.numpy()
    votes = calibration.votes(logits, owner)
    share, precision = metrics.tagged(votes, truth, calibration.threshold)
    figures = {
        "slice_accuracy": metrics.accuracy(logits, truth[owner]),
        "track_accuracy": metrics.accuracy(votes, truth),
        "track_log_loss": metrics.log_loss(votes, truth),
        "calibration_error": metrics.calibration_error(votes, truth),
        "tagged_share": share,
        "tagged_precision": precision,
    }
    return {key: round(value, 4) for key, value in figures.items()}


def confidences(model: Network, calibration: Calibration, corpus: Corpus) -> dict[str, float]:
    """Return the mean and highest confidence of each kind of sound that is no music."""
    others = SliceDataset(corpus.held_out_negatives, corpus.source.spec)
    windows, owner = others.tiles()
    confidence = calibration.votes(predict(model, windows), owner.numpy()).max(axis=1)
    kinds = np.array([name.split(".")[0] for name in others.names])
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
