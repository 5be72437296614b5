"""What a run leaves beside its weights, so that a figure can be traced to what made it."""

from __future__ import annotations

import json
import math
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean
from typing import Any

SHAPING = (
    "train",
    *(f"src/mgtag/{name}" for name in ("models", "features.py", "audio.py", "ffmpeg.py", "vote.py")),
)
RENAMED = {"recipe": "config", "protocol": "split"}  # keys of records written before they had these names
PACKAGES = ("mgtag", "torch", "numpy", "scikit-learn", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Figures:
    """How good predictions are, of slices or of tracks; see `mgtag_train.learn.metrics`.

    Attributes
    ----------
    n : int
        How many were measured.
    auc : float
        One-vs-rest, mean of the labels.
    log_loss : float
        Nats.
    calibration_error : float, optional
        Of tracks only.
    """

    n: int
    accuracy: float
    macro_f1: float
    auc: float
    log_loss: float
    calibration_error: float | None = None


@dataclass(frozen=True)
class Measured:
    """The figures of one part of the data."""

    slices: Figures
    tracks: Figures

    @classmethod
    def of(cls, stored: Mapping[str, Mapping[str, Any]]) -> Measured:
        """Rebuild what JSON kept."""
        return cls(Figures(**stored["slices"]), Figures(**stored["tracks"]))


@dataclass(frozen=True)
class Evaluation:
    """All that is measured of a finished network.

    Attributes
    ----------
    measured : mapping of str to Measured
        Of ``"train"``, ``"valid"`` and ``"test"``.
    temperatures : mapping
        ``["slices" or "tracks"]``: what logits and votes were divided by.
    confusion : sequence
        True by predicted, on test; of slices where slices were split, else of tracks.
    by_genre : mapping
        On test: scikit-learn's ``precision``, ``recall``, ``f1-score`` and ``support`` of each label.
    reliability : mapping
        On test: ``count``, ``confidence`` and ``accuracy`` in equal bins of confidence.
    more : mapping
        What only some experiments have.
    """

    measured: Mapping[str, Measured] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    confusion: Sequence[Sequence[int]] = ()
    by_genre: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    reliability: Mapping[str, Sequence[float]] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunRecord(Evaluation):
    """One training run and what was measured of it.

    Attributes
    ----------
    name : str
    seed : int
    config : mapping
        `TrainConfig` as a mapping; empty where nothing was trained by gradient descent.
    data : mapping
        Source, split and number of tracks.
    commit : str
        Of the working tree when the run was begun; see `commit`.
    versions : mapping
    history : list
        One row an epoch: training loss, validation accuracies and log loss, seconds.
    best_epoch : int
        Counted from 1; its weights were kept.
    seconds : float
        Spent in training.
    teachers : tuple of str
        Runs that were distilled, or averaged.
    experiment, split : str
        Of the table of experiments; empty for a bundle's own training.
    labels : tuple of str
    command : str
        What repeats the run.
    """

    name: str
    seed: int
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    commit: str
    versions: Mapping[str, str]
    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    teachers: tuple[str, ...] = ()
    experiment: str = ""
    split: str = ""
    labels: tuple[str, ...] = ()
    command: str = ""

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read a record, also one with the keys of earlier commits."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        stored = {RENAMED.get(key, key): value for key, value in stored.items()}
        stored["measured"] = {part: Measured.of(each) for part, each in stored.get("measured", {}).items()}
        for key in ("teachers", "labels"):
            stored[key] = tuple(stored.get(key, ()))
        return cls(**stored)

    def write(self, path: Path) -> None:
        """Write the record as JSON; a half-written one is never seen."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    @property
    def valence(self) -> Mapping[str, Measured]:
        """Figures of the valence head, by part; empty where the network has none."""
        stored = self.more.get("valence", {}).get("measured", {})
        return {part: Measured.of(each) for part, each in stored.items()}


def untrained(name: str, seed: int, data: Mapping[str, Any]) -> RunRecord:
    """Begin the record of a system that no training loop made."""
    return RunRecord(
        name=name,
        seed=seed,
        config={},
        data=data,
        commit=commit(),
        versions=versions(),
        history=[],
        best_epoch=0,
        seconds=0.0,
    )


def mean_temperatures(records: Sequence[RunRecord]) -> dict[str, float]:
    """Return the geometric means over runs."""
    kinds = records[0].temperatures
    return {of: math.exp(fmean(math.log(each.temperatures[of]) for each in records)) for of in kinds}


def commit() -> str:
    """Return the commit of the code, with ``+`` where what shapes a result was changed since.

    Empty outside a repository.
    """
    try:
        changed = _git("status", "--porcelain", "-uno", "--", *(f":/{path}" for path in SHAPING))
        return _git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def versions() -> dict[str, str]:
    """Return Python's version and those of the packages that shape a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str:
    here = Path(__file__).parent
    done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items() if item is not None}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
