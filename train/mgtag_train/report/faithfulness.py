"""Is an explanation faithful? Remove the frames that it names, and see whether the genre goes with them.

Deletion and insertion curves (Petsiuk, Das, Saenko, arXiv:1806.07421; Samek et al., IEEE TNNLS 28(11),
2017): the frames of every slice are taken away, most weight first, and the probability of the voted
genre is watched; or all are taken away and brought back in that order. The same number of frames at
random is what chance can do. A frame is removed in two ways, since either leaves traces of its own:
it becomes the slice's average frame, or it falls silent.

``mgtag lab faithfulness --features mel.npz`` measures the shipped bundle on the test tracks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid

from mgtag import bundle
from mgtag.arrays import F32, I64
from mgtag.card import GENRE
from mgtag.errors import UsageError
from mgtag.explain.attribution import METHODS, silenced, weigher
from mgtag.inference import Tagger
from mgtag_train.data.sources import GTZAN
from mgtag_train.data.splitting import split_names
from mgtag_train.data.tracks import SliceDataset, load_cache, take
from mgtag_train.learn import metrics
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.report.faithfulness_page import BEGIN, END, section, sentence
from mgtag_train.report.markdown import write_block
from mgtag_train.report.records import ReportFolder

Mask = NDArray[np.bool_]

COUNTS = (0, 4, 10, 20, 39)  # frames removed of each slice
MIDDLE = COUNTS[1:-1]
EVERY = 3  # slices of a track: every third gives the same figures in a third of the time
DRAWS = 3  # of chance


def averaged(x: F32, frames: Mask) -> F32:
    """Make frames of standardised windows ``(k, n_mels, n_frames)`` the window's average frame."""
    return np.where(frames[:, None, :], x.mean(axis=2, keepdims=True), x).astype(np.float32)


REMOVALS: dict[str, Callable[[F32, Mask], F32]] = {"averaged": averaged, "silenced": silenced}


def measure(
    tagger: Tagger, tracks: SliceDataset, tell: Callable[[str], object] = lambda step: None
) -> dict[str, Any]:
    """Draw both curves for every method, and for chance, on some tracks.

    Returns
    -------
    dict
        ``curves[removal][method][way]``: probability of the voted genre, a number for each of
        ``counts``, mean over slices; ``areas[removal][method]``: under each curve, mean over tracks,
        and its distance from chance with a standard error.
    """
    tiled, owner_tensor = tracks.tiles(EVERY * tracks.spec.n_frames)
    x, owner = tiled.numpy(), owner_tensor.numpy()
    answer = tagger.ask(x)
    probabilities, attention = answer.heads[GENRE].probabilities, answer.attention
    if attention is None:
        raise UsageError(f"{tagger.bundle.id}: this model's network has no attention to measure.")
    target = metrics.votes(probabilities, owner).argmax(axis=1)[owner]
    before = probabilities[np.arange(len(x)), target]
    weights = {"attention": attention, "position": np.tile(attention.mean(axis=0), (len(x), 1))}
    for method in METHODS:
        if method != "attention":
            tell(f"weighing by {method}")
            weights[method] = _weigh(tagger, method, x, target, before)
    generator = np.random.default_rng(0)
    for draw in range(DRAWS):
        weights[f"chance {draw}"] = generator.random(attention.shape, dtype=np.float32)
    curves: dict[str, Any] = {}
    areas: dict[str, Any] = {}
    for removal, remove in REMOVALS.items():
        nothing = _left(tagger, remove(x, np.ones_like(attention, np.bool_)), target)
        found = {}
        for name, given in weights.items():
            tell(f"{removal}: {name}")
            rank = np.argsort(np.argsort(-given, axis=1, kind="stable"), axis=1)
            found[name] = {
                "deletion": [before, *(_left(tagger, remove(x, rank < n), target) for n in MIDDLE), nothing],
                "insertion": [
                    nothing,
                    *(_left(tagger, remove(x, rank >= n), target) for n in MIDDLE),
                    before,
                ],
            }
        curves[removal], areas[removal] = _summary(found, owner)
    return {
        "bundle": tagger.bundle.id,
        "tracks": len(tracks),
        "slices": len(x),
        "draws": DRAWS,
        "counts": COUNTS,
        "curves": curves,
        "areas": areas,
        "commit": commit(),
        "versions": versions(),
    }


def _weigh(tagger: Tagger, method: Any, x: F32, target: I64, before: F32) -> F32:
    weights = np.empty((len(x), x.shape[2]), np.float32)
    for genre in np.unique(target):
        rows = np.flatnonzero(target == genre)
        weigh = weigher(tagger, (GENRE, int(genre)), method)
        for part in np.array_split(rows, -(-len(rows) // 64)):
            weights[part] = weigh(x[part], before[part])
    return weights


def _left(tagger: Tagger, x: F32, target: I64) -> F32:
    """Probability of each slice's target, shape ``(slices,)``."""
    return tagger.ask(x).heads[GENRE].probabilities[np.arange(len(x)), target]


def _summary(
    found: Mapping[str, Mapping[str, list[F32]]], owner: I64
) -> tuple[dict[str, Any], dict[str, Any]]:
    curves: dict[str, Any] = {}
    areas: dict[str, Any] = {}
    shares = np.array(COUNTS) / COUNTS[-1]
    for way in ("deletion", "insertion"):
        of_slices = {
            name: np.stack(curve[way]) for name, curve in found.items() if not name.startswith("chance")
        }
        of_slices["chance"] = np.mean(
            [c[way] for name, c in found.items() if name.startswith("chance")], axis=0
        )
        of_tracks = {n: _by_track(trapezoid(curve, shares, axis=0), owner) for n, curve in of_slices.items()}
        for name, values in of_tracks.items():
            distance = values - of_tracks["chance"]
            curves.setdefault(name, {})[way] = [_round(value) for value in of_slices[name].mean(axis=1)]
            areas.setdefault(name, {})[way] = {
                "area": _round(values.mean()),
                "from_chance": _round(distance.mean()),
                "error": _round(distance.std(ddof=1) / np.sqrt(len(distance))),
            }
    return curves, areas


def _round(value: float) -> float:
    return round(float(value), 5)


def _by_track(values: F32, owner: I64) -> F32:
    return np.asarray(np.bincount(owner, values) / np.bincount(owner), np.float32)


def measure_bundle(
    model: str, features: Path, folder: ReportFolder, tell: Callable[[str], object] = lambda step: None
) -> list[Path]:
    """Measure a bundle on GTZAN's test tracks; write the record, its section and its sentence of the guide.

    Parameters
    ----------
    model : str
        Name or folder.
    features : Path
        GTZAN's mels.

    Returns
    -------
    list of Path
        What was written.
    """
    tracks = take(load_cache(features, GTZAN), split_names("test"))
    tagger = Tagger(bundle.find(model), "cpu")
    record = measure(tagger, SliceDataset(tracks, GTZAN.spec), tell)
    folder.records.mkdir(parents=True, exist_ok=True)
    folder.faithfulness.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_block(folder.page, BEGIN, END, section(record))
    if not folder.guide.is_file():
        return [folder.faithfulness, folder.page]
    write_block(folder.guide, BEGIN, END, sentence(record))
    return [folder.faithfulness, folder.page, folder.guide]
