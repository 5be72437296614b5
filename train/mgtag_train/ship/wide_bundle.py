"""Students to a bundle: calibrate them, choose one on validation, measure all, write what is needed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mgtag.bundle import GRAPH, Bundle, write
from mgtag.card import GENRE, Card, Head
from mgtag.features import MelSpec
from mgtag.models import Network
from mgtag_train.data.not_music import make_negatives
from mgtag_train.data.outside import (
    GTZAN_LABELS,
    LABELS,
    MOODS,
    NOT_MUSIC,
    Piece,
    accepted,
    of_split,
)
from mgtag_train.data.tracks import MelTrack, SliceDataset
from mgtag_train.learn import metrics, outside_evaluation
from mgtag_train.learn.calibration import Calibration, choose_threshold, temperatures
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.jobs import Count
from mgtag_train.learn.outside_calibration import NEVER, OUTSIDE_SHARE, Sample, calibrate_alike
from mgtag_train.learn.outside_evaluation import NARROWER, WRITABLE, Heard
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.learn.trainer import predict
from mgtag_train.ship.eight_bits import EightBits
from mgtag_train.ship.export import fold_norms, rounded
from mgtag_train.ship.make_bundle import by_kind, over_seeds, spelling
from mgtag_train.ship.wide import HELD_OUT_SEED, Wide

NAME = "wide-parallel-4"
# Windows; with GTZAN's clips or made-up sounds among them one answer in fifty changes, not one in 200.
EXAMPLES = 600
DATA = {
    "name": "wide",
    "citation": "GTZAN (Tzanetakis, Cook 2002); 4Q (Panda, Malheiro, Paiva 2018); Emotify (Aljanaki, "
    "Wiering, Veltkamp 2016); musicnn (Pons, Serra 2019) as teacher; and smaller collections",
    "licence": "the recordings belong to others and are not in the bundle; musicnn is under the ISC licence",
    "url": "",
}


@dataclass(frozen=True)
class PartPredictions:
    """A network's predictions of one part: validation or test.

    Attributes
    ----------
    outside : Heard
    clips, clip_owner, clip_truth
        Genre logits of GTZAN's slices, the clip of each, and the clips' labels.
    """

    outside: Heard
    clips: Any
    clip_owner: Any
    clip_truth: Any


@dataclass(frozen=True)
class Calibrated:
    """Calibrations of both heads."""

    genre: Calibration
    mood: Calibration


def make_wide_bundle(
    models: Sequence[Network],
    seeds: Sequence[int],
    data: Wide,
    learned: SliceDataset,
    out: Path,
    config: TrainConfig,
    told: Count,
) -> Bundle:
    """Quantise the networks, choose one on validation, measure all of them on test, write the bundle.

    Parameters
    ----------
    learned : SliceDataset
        The training pieces outside GTZAN, over some windows of which a network's activations are measured.
    """
    spec, examples = learned.spec, learned.tiles()[0].numpy()
    some = examples[:: max(1, len(examples) // EXAMPLES)]
    exact = [rounded(fold_norms(model)) for model in models]
    written = [
        EightBits(model, some, out / f"wide-{seed}" / "bundle")
        for seed, model in zip(seeds, exact, strict=True)
    ]
    pieces = {part: of_split(data.outside, part) for part in ("valid", "test")}
    tracks = {part: outside_evaluation.mel_tracks(pieces[part], told) for part in pieces}

    def predict_all(part: str) -> list[PartPredictions]:
        return [predict_part(m, pieces[part], tracks[part], data.clips[part], spec) for m in written]

    heard = predict_all("valid")
    made_up = SliceDataset(make_negatives(MelSpec(), HELD_OUT_SEED, each=10), spec)
    calibrated = fit_calibrations(heard)
    valid = [measure(predicted, how) for predicted, how in zip(heard, calibrated, strict=True)]
    chosen = int(np.argmin([figures["log_loss"] for figures in valid]))
    predictions = predict_all("test")
    test = [measure(predicted, how) for predicted, how in zip(predictions, calibrated, strict=True)]
    folder = out / NAME
    folder.mkdir(exist_ok=True)
    shutil.copyfile(written[chosen].graph, folder / GRAPH)
    floats = predict_part(exact[chosen], pieces["valid"], tracks["valid"], data.clips["valid"], spec)
    card = Card(
        name=NAME,
        heads=heads(calibrated[chosen]),
        mel=spec,
        architecture=config.architecture,
        arguments=asdict(exact[chosen].spec),
        data=DATA,
        split={
            "name": "outside: artists apart; GTZAN: filtered",
            **{part: len(of_split(data.outside, part)) for part in ("train", "valid", "test")},
        },
        measured={
            "shipped_seed": seeds[chosen],
            "shipped": {"valid": valid[chosen], "test": test[chosen]},
            "test_over_seeds": over_seeds(seeds, test),
            "valid_over_seeds": over_seeds(seeds, valid),
            "eight_bits": agreement(heard[chosen], floats, calibrated[chosen]),
            "not_music": confidences(written[chosen], calibrated[chosen].genre, made_up),
            "commit": commit(),
            "versions": versions(),
        },
    )
    figures = {"valid": valid, "test": test, "tables": tables(predictions[chosen], calibrated[chosen].genre)}
    (out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return write(folder, card)


def predict_part(
    model: Network,
    pieces: Sequence[Piece],
    tracks: Sequence[MelTrack],
    clips: Sequence[MelTrack],
    spec: MelSpec,
) -> PartPredictions:
    """Predict pieces outside GTZAN and clips of it."""
    dataset = SliceDataset(clips, spec)
    inputs, owner = dataset.tiles()
    return PartPredictions(
        outside_evaluation.listen(model, pieces, tracks, spec),
        predict(model, inputs),
        owner.numpy(),
        dataset.labels.numpy(),
    )


def fit_calibration(predicted: PartPredictions) -> Calibrated:
    """Calibrate both heads of one network on validation."""
    return fit_calibrations([predicted])[0]


def fit_calibrations(networks: Sequence[PartPredictions]) -> list[Calibrated]:
    """Calibrate both heads of networks that differ by their seed, see `calibrate_alike`."""
    genres = calibrate_alike([_genre_samples(predicted) for predicted in networks])
    return [Calibrated(genre, _mood(p.outside)) for genre, p in zip(genres, networks, strict=True)]


def _genre_samples(predicted: PartPredictions) -> list[Sample]:
    heard = predicted.outside
    told_genre = np.array([piece.genre != "" for piece in heard.pieces])
    named = [piece.genre for piece in heard.pieces if piece.genre]
    outside = Sample(
        *_only(heard.genre, heard.owner, told_genre),
        np.array([piece.label for piece in heard.pieces])[told_genre],
        _accepted(named),
        np.ones((len(named), len(LABELS)), dtype=bool),
        OUTSIDE_SHARE,
    )
    # A clip that is called rock or disco may be punk or soul: GTZAN has no word for them.
    clips = Sample(
        predicted.clips,
        predicted.clip_owner,
        predicted.clip_truth,
        _accepted([LABELS[n] for n in predicted.clip_truth]),
        np.tile(np.isin(LABELS, (*GTZAN_LABELS, NOT_MUSIC)), (len(predicted.clip_truth), 1)),
        1 - OUTSIDE_SHARE,
    )
    return [outside, clips]


def _mood(heard: Heard) -> Calibration:
    truth = np.array([piece.mood_label for piece in heard.pieces])
    logits, owner = _only(heard.mood, heard.owner, truth >= 0)
    temperature, vote_temperature = temperatures(logits, owner, truth[truth >= 0])
    votes = Calibration(temperature, vote_temperature, NEVER).votes(logits, owner)
    threshold = choose_threshold(votes, truth[truth >= 0], votes[:0], margin=0.0)
    return Calibration(temperature, vote_temperature, threshold)


def measure(predicted: PartPredictions, how: Calibrated) -> dict[str, float]:
    """Return every figure of a network on a part, rounded to four digits."""
    heard, pieces = predicted.outside, predicted.outside.pieces
    votes = how.genre.votes(heard.genre, heard.owner)
    truth = np.array([piece.label for piece in pieces])
    clip_votes = how.genre.votes(predicted.clips, predicted.clip_owner)
    ten = np.isin(LABELS, GTZAN_LABELS)
    clip_best = np.where(ten, clip_votes, -1.0).argmax(axis=1)
    figures = outside_evaluation.figures(votes, pieces, how.genre.threshold) | {
        "log_loss": metrics.log_loss(votes[truth >= 0], truth[truth >= 0]),
        "gtzan_track_accuracy": float((clip_best == predicted.clip_truth).mean()),
        "gtzan_slice_accuracy": float(
            (
                np.where(ten, predicted.clips, -np.inf).argmax(1)
                == predicted.clip_truth[predicted.clip_owner]
            ).mean()
        ),
        "mood_accuracy": outside_evaluation.mood_accuracy(how.mood.votes(heard.mood, heard.owner), pieces),
    }
    return {key: round(value, 4) for key, value in figures.items()}


def agreement(found: PartPredictions, exact: PartPredictions, how: Calibrated) -> dict[str, float]:
    """Compare a network in eight bits with the same in floats, on the same pieces outside GTZAN."""
    votes, floats = (how.genre.votes(p.outside.genre, p.outside.owner) for p in (found, exact))
    sure, sure_floats = (v.max(axis=1) > how.genre.threshold for v in (votes, floats))
    return {
        "same_genre": round(float((votes.argmax(axis=1) == floats.argmax(axis=1)).mean()), 4),
        "same_decision": round(float((sure == sure_floats).mean()), 4),
        "log_loss_in_floats": measure(exact, how)["log_loss"],
    }


def tables(predicted: PartPredictions, how: Calibration) -> dict[str, Any]:
    """Break a part down by genre and source, with reliability and confusion."""
    votes = how.votes(predicted.outside.genre, predicted.outside.owner)
    pieces, threshold = predicted.outside.pieces, how.threshold
    return {
        "by_genre": outside_evaluation.by(lambda piece: piece.genre, votes, pieces, threshold),
        "by_source": outside_evaluation.by(lambda piece: piece.source, votes, pieces, threshold),
        "reliability": outside_evaluation.reliability(votes, pieces),
        "confusion": outside_evaluation.confusion(votes, pieces),
    }


def heads(how: Calibrated) -> dict[str, Head]:
    """Describe both heads as a card does."""
    return {
        GENRE: Head(
            labels=LABELS,
            written={label: None if label == NOT_MUSIC else spelling(label) for label in LABELS},
            temperature=how.genre.temperature,
            vote_temperature=how.genre.vote_temperature,
            threshold=_or_never(how.genre.threshold),
            parents=NARROWER,
        ),
        "mood": Head(
            labels=MOODS,
            written={mood: spelling(mood) for mood in MOODS},
            temperature=how.mood.temperature,
            vote_temperature=how.mood.vote_temperature,
            threshold=_or_never(how.mood.threshold),
        ),
    }


def confidences(model: Network, how: Calibration, others: SliceDataset) -> dict[str, float]:
    """Return the mean and highest confidence of a genre for each kind of made-up sound."""
    windows, owner = others.tiles()
    return by_kind(how.votes(predict(model, windows), owner.numpy())[:, WRITABLE].max(axis=1), others.names)


def _accepted(genres: Sequence[str]) -> Any:
    return np.array([[accepted(genre, label) for label in LABELS] for genre in genres])


def _only(logits: Any, owner: Any, kept: Any) -> tuple[Any, Any]:
    """Keep the slices of some pieces, and count the pieces anew."""
    slices = kept[owner]
    return logits[slices], (np.cumsum(kept) - 1)[owner[slices]]


def _or_never(threshold: float) -> float | None:
    return threshold if threshold < NEVER else None
