"""Every figure of a finished network, for its run record.

Probabilities are calibrated on validation first (a temperature for slices, one for the votes of
tracks), so that a log loss measures the predictions and not how long training went on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

import numpy as np
import torch
from sklearn.metrics import classification_report, confusion_matrix, f1_score, roc_auc_score
from sklearn.preprocessing import label_binarize
from torch import Tensor

from mgtag.arrays import F32, I64
from mgtag.models import Kth, ModelOutput, Network
from mgtag.models.kth import MOODS
from mgtag.vote import softmax
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn import calibration, metrics
from mgtag_train.learn.batches import Examples
from mgtag_train.learn.metrics import BINS, Predictions
from mgtag_train.learn.run_record import Evaluation, Figures, Measured
from mgtag_train.learn.trainer import predict


def predict_tracks(model: Network, tracks: SliceDataset) -> Predictions:
    """Predict every tiling window of some tracks."""
    windows, owner = tracks.tiles()
    return Predictions(predict(model, windows), owner.numpy(), tracks.labels.numpy())


def evaluate_network(
    model: Network,
    examples: Mapping[str, Examples],
    labels: tuple[str, ...],
    by: str,
    temperatures: Mapping[str, float] | None = None,
    second_model: Mapping[str, Predictions] | None = None,
) -> Evaluation:
    """Measure a network on every part, and its valence head where it has one.

    Parameters
    ----------
    by, temperatures
        As `evaluate` takes them.
    second_model : mapping of str to Predictions, optional
        Of the same inputs by another model, whose probabilities are averaged with the network's.
    """
    inputs = {part: _music(each) for part, each in examples.items()}

    def predicted(output: Callable[[ModelOutput], Tensor]) -> dict[str, Predictions]:
        return {
            part: Predictions(predict(model, x, output=output), owner, truth)
            for part, (x, owner, truth) in inputs.items()
        }

    found = predicted(lambda output: output.logits)
    if second_model:
        found = {part: each.averaged_with(second_model[part]) for part, each in found.items()}
    evaluation = evaluate(found, labels, by, temperatures)
    if not (isinstance(model, Kth) and model.spec.moods):
        return evaluation
    of_genre = np.array(model.spec.moods)
    moods = predicted(lambda output: model.valence(output.embedding))
    moods = {part: replace(each, truth=of_genre[each.truth]) for part, each in moods.items()}
    valence = asdict(evaluate(moods, MOODS, by))
    kept = {key: valence[key] for key in ("measured", "confusion", "by_genre")}
    return replace(evaluation, more={"valence": kept})


def evaluate(
    parts: Mapping[str, Predictions],
    labels: tuple[str, ...],
    by: str,
    temperatures: Mapping[str, float] | None = None,
) -> Evaluation:
    """Measure predictions.

    Parameters
    ----------
    parts : mapping of str to Predictions
        ``"train"``, ``"valid"`` and ``"test"``, the last one last.
    by : {"slices", "tracks"}
        What the confusion matrix counts.
    temperatures : mapping, optional
        Of ``"slices"`` and of the votes of ``"tracks"``; otherwise they are fitted on validation.
    """
    if temperatures is None:
        valid = parts["valid"]
        fitted = calibration.temperatures(valid.logits, valid.owner, valid.truth)
        temperatures = dict(zip(("slices", "tracks"), fitted, strict=True))
    measured = {}
    for part, found in parts.items():
        slices = softmax(found.logits, temperatures["slices"])
        tracks = metrics.votes(slices, found.owner, temperatures["tracks"])
        error = metrics.calibration_error(tracks, found.truth)
        of_tracks = replace(figures(tracks, found.truth), calibration_error=error)
        measured[part] = Measured(figures(slices, found.truth[found.owner]), of_tracks)
    truth = found.truth[found.owner] if by == "slices" else found.truth
    predicted = (slices if by == "slices" else tracks).argmax(axis=1)
    scores = classification_report(
        truth, predicted, labels=range(len(labels)), target_names=labels, output_dict=True, zero_division=0
    )
    return Evaluation(
        measured=measured,
        temperatures=temperatures,
        confusion=confusion_matrix(truth, predicted, labels=range(len(labels))).tolist(),
        by_genre={label: scores[label] for label in labels},
        reliability=reliability(tracks, found.truth),
    )


def figures(probabilities: F32, truth: I64) -> Figures:
    """Count, accuracy, macro-F1, one-vs-rest AUC (mean of the labels) and log loss."""
    n_labels = probabilities.shape[1]
    present = np.unique(truth)
    columns = label_binarize(truth, classes=range(n_labels)) if n_labels > 2 else np.eye(2)[truth]
    return Figures(
        n=len(truth),
        accuracy=metrics.accuracy(probabilities, truth),
        macro_f1=float(f1_score(truth, probabilities.argmax(axis=1), average="macro", labels=present)),
        auc=float(roc_auc_score(columns[:, present], probabilities[:, present], average="macro")),
        log_loss=metrics.log_loss(probabilities, truth),
    )


def reliability(probabilities: F32, truth: I64) -> dict[str, list[float]]:
    """Count, mean confidence and accuracy in equal bins of confidence; zeros in an empty bin."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    each = np.maximum(count, 1)
    return {
        "count": count.tolist(),
        "confidence": (np.bincount(bins, confidence, BINS) / each).tolist(),
        "accuracy": (np.bincount(bins, right, BINS) / each).tolist(),
    }


def _music(examples: Examples) -> tuple[Tensor, I64, I64]:
    """Return all inputs, the clip of each, and the clips' labels, without what is not music."""
    inputs, owner = examples.tiles()
    clip, truth = examples.clips(owner)
    music = truth >= 0
    kept = music[clip]
    return inputs[torch.from_numpy(kept)], (np.cumsum(music) - 1)[clip[kept]], truth[music]
