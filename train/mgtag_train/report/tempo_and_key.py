"""How good tempo and key are: fitted on GTZAN's training and validation tracks, measured on its test tracks.

Tempo by mir_eval on tapped beats (Marchand, Fresnel, Peeters, "GTZAN-Rhythm", ISMIR 2015). Accuracy 1: within
4 % of the tapped tempo; accuracy 2: of it, its double, triple, half or third (Gouyon and others, 2006). Of
keys no labelled music is at hand: counted is how often two halves of a clip name the same, and how often
synthetic cadences (`mgtag_train.data.cadences`) are told right.

``mgtag lab tempo-and-key --audio DIR --beats tempo_beats.json.gz`` writes the record, the section of
``RESULTS.md``, and what the program weighs its confidence with, ``src/mgtag/analysis.json``.
"""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mgtag import analysis, audio
from mgtag.errors import UsageError
from mgtag_train.data.cadences import cadence
from mgtag_train.data.splitting import split_names
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.report.markdown import write_block
from mgtag_train.report.records import ReportFolder
from mgtag_train.report.tempo_and_key_section import BEGIN, END, RECORD, section, sentence

TOLERANCE = 0.04  # of the tempo
FACTORS = {"right": 1.0, "double": 2.0, "half": 0.5, "triple": 3.0, "third": 1 / 3}
PRIORS = tuple((likely, spread) for likely in (100, 110, 120, 130) for spread in (0.6, 0.8, 1.0, 1.4))
PULSE, STABLE = 0.95, 0.85  # shares that a threshold must keep on the tracks that it is chosen on
LEAST = 20  # tracks that a threshold is chosen from
EVERY = 50  # clips between two messages
SEEDS = range(100, 110)  # of the synthetic pieces; the profiles were chosen on 0 to 3
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def write(
    clips: Path, beats: Path, folder: ReportFolder, tell: Callable[[str], object] = lambda step: None
) -> list[Path]:
    """Fit and measure; write the record, its section, and the program's constants in a checkout.

    Parameters
    ----------
    clips : Path
        GTZAN's audio, one subfolder per genre.
    beats : Path
        Its tapped beats, JSON, gzipped: ``{name: {"bpm": …}}``.
    """
    record = measure(clips, beats, tell)
    folder.records.mkdir(parents=True, exist_ok=True)
    where = folder.records / RECORD
    where.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_block(folder.page, BEGIN, END, section(record))
    if folder.guide.is_file():
        write_block(folder.guide, BEGIN, END, sentence(record))
    shipped = folder.page.parent.parent / "src" / "mgtag" / analysis.CONSTANTS.name
    if not shipped.is_file():
        return [where, folder.page]
    shipped.write_text(json.dumps(record["constants"], indent=1) + "\n", encoding="utf-8")
    return [where, folder.page, shipped]


def measure(clips: Path, beats: Path, tell: Callable[[str], object]) -> dict[str, Any]:
    """Hear every clip of the split once; return the fitted constants and all figures."""
    parts = {name: "chosen" for part in ("train", "valid") for name in split_names(part)}
    parts |= dict.fromkeys(split_names("test"), "test")
    found = {path.stem: path for path in sorted(clips.glob("*/*")) if path.stem in parts}
    try:
        tapped = json.loads(gzip.decompress(beats.read_bytes()))
        truth = {name: float(tapped[name]["bpm"]) for name in found if name in tapped}
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{beats}: these are no gzipped tempi by clip ({error!r}).") from error
    if not truth:
        raise UsageError(f"{clips}: no clip of GTZAN lies here, one subfolder per genre, that {beats} names.")
    heard = []
    for n, name in enumerate(truth):
        if n % EVERY == 0:
            tell(f"clip {n} of {len(truth)}")
        heard.append(_hear(found[name]))
    part = np.array([parts[name] for name in truth])
    genres = np.array([name.split(".")[0] for name in truth])
    tempo, of_tempo = _tempo(heard, np.array([*truth.values()]), part, genres)
    keys, of_keys = _keys(heard, part)
    tell("synthetic cadences")
    return {
        "clips": {name: int((part == name).sum()) for name in ("chosen", "test")},
        "constants": {"bpm": tempo, "key": keys},
        "tempo": of_tempo,
        "key": of_keys | {"synthetic": _synthetic(keys["threshold"])},
        "commit": commit(),
        "versions": {**versions(), "librosa": _version("librosa"), "mir_eval": _version("mir_eval")},
    }


def _hear(path: Path) -> dict[str, Any]:
    import librosa

    y = audio.load(path)
    bpm, evidence = analysis.pulse(y)
    half = len(y) // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of clips shorter than its lowest filter
        strength = librosa.onset.onset_strength(y=y, sr=22_050, aggregate=np.median, fmax=analysis.MOST_HZ)
        columns = librosa.feature.tempogram(onset_envelope=strength, sr=22_050)
        keys = [analysis.key(part) for part in (y, y[:half], y[half:])]
    return {
        "bpm": bpm,
        "evidence": evidence or (0.0, 1.0, 0.0),
        "priors": [analysis._peak(columns, *prior)[0] for prior in PRIORS],
        "margin": (keys[0].evidence or (0.0,))[0],
        "stable": keys[1].label == keys[2].label != "",
    }


def _tempo(
    heard: Sequence[Mapping[str, Any]], truth: Floats, part: NDArray[np.str_], genres: NDArray[np.str_]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constants and the figures of tempo."""
    said = np.array([row["bpm"] for row in heard])
    evidence = np.array([row["evidence"] for row in heard])
    how = {
        name: np.array([_detected(t * factor, b) for t, b in zip(truth, said, strict=True)])
        for name, factor in FACTORS.items()
    }
    pulse = np.any([*how.values()], axis=0)
    chosen, test = part == "chosen", part == "test"
    fitted = _fit(evidence[chosen], how["right"][chosen])
    sure = _sure(fitted, evidence)
    fitted["threshold"] = _threshold(sure[chosen], pulse[chosen], PULSE)
    written = sure > fitted["threshold"]
    priors = [
        {
            "likely": likely,
            "spread": spread,
            "accuracy": _share(
                [_detected(t, row["priors"][n]) for t, row in zip(truth, heard, strict=True)], chosen
            ),
        }
        for n, (likely, spread) in enumerate(PRIORS)
    ]
    rows = {}
    for name, of in (("chosen", chosen), ("test", test)):
        for suffix, which in (("", of), (", written", of & written)):
            rows[name + suffix] = {
                "clips": int(which.sum()),
                "coverage": _share(which, of),
                "accuracy_1": _share(how["right"], which),
                "accuracy_2": _share(pulse, which),
                **{key: _share(values, which) for key, values in how.items()},
            }
    by_genre = {
        genre: {
            "clips": int((test & (genres == genre)).sum()),
            "written": int((test & written & (genres == genre)).sum()),
            "accuracy_1": _share(how["right"], test & written & (genres == genre)),
            "accuracy_2": _share(pulse, test & written & (genres == genre)),
        }
        for genre in sorted(set(genres[test]))
    }
    confidence = {"mean_confidence": _share(sure, test & written)}
    return fitted, {"priors": priors, "rows": rows, "by_genre": by_genre, **confidence}


def _keys(
    heard: Sequence[Mapping[str, Any]], part: NDArray[np.str_]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constants and the figures of keys."""
    margin = np.array([[row["margin"]] for row in heard])
    stable = np.array([row["stable"] for row in heard])
    chosen = part == "chosen"
    fitted = _fit(margin[chosen], stable[chosen])
    sure = _sure(fitted, margin)
    fitted["threshold"] = _threshold(sure[chosen], stable[chosen], STABLE)
    written = sure > fitted["threshold"]
    rows = {
        name + suffix: {
            "clips": int(which.sum()),
            "coverage": _share(which, of),
            "same": _share(stable, which),
        }
        for name, of in (("chosen", chosen), ("test", ~chosen))
        for suffix, which in (("", of), (", written", of & written))
    }
    return fitted, {"rows": rows}


def _synthetic(threshold: float) -> dict[str, Any]:
    found = [
        (analysis.key(cadence(key, seed)), analysis.NAMES[key])
        for key in range(len(analysis.NAMES))
        for seed in SEEDS
    ]
    right = np.array([estimate.label == name for estimate, name in found])
    written = np.array([estimate.confidence > threshold for estimate, _ in found])
    return {
        "pieces": len(found),
        "right": _share(right, np.ones_like(right)),
        "written": int(written.sum()),
        "right_of_written": _share(right, written),
    }


def _detected(truth: float, said: float) -> bool:
    """Return whether mir_eval takes one tempo for the other."""
    if not said:
        return False
    both = np.array([truth, truth]), 0.5, np.array([said, said])
    return bool(mir_eval.tempo.detection(*both, tol=TOLERANCE)[1])


def _fit(evidence: Floats, right: Bools) -> dict[str, Any]:
    """Fit a logistic regression whose evidence is taken as it is, unscaled."""
    if len(set(right)) < 2:  # nothing to tell apart
        return {"weights": [0.0] * evidence.shape[1], "bias": 0.0}
    scale = np.maximum(evidence.std(axis=0), 1e-9)
    model = LogisticRegression().fit(evidence / scale, right)
    weights = [round(float(w), 4) for w in model.coef_[0] / scale]
    return {"weights": weights, "bias": round(float(model.intercept_[0]), 4)}


def _sure(fitted: Mapping[str, Any], evidence: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-(evidence @ np.array(fitted["weights"]) + fitted["bias"])))
    return found


def _threshold(sure: Floats, right: Bools, wanted: float) -> float:
    """Return the lowest confidence above which so large a share is right, to two digits."""
    for level in np.arange(0.3, 1.0, 0.01):
        above = right[sure > level]
        if len(above) < LEAST:
            break
        if above.mean() >= wanted:
            return round(float(level), 2)
    return 1.0


def _share(values: Any, which: Bools) -> float:
    return round(float(np.asarray(values)[which].mean()), 4) if which.any() else 0.0


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
