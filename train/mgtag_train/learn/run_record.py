"""What a run leaves beside its weights, so that a figure can be traced to what made it."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SHAPING = (
    "train",
    *(f"src/mgtag/{room}" for room in ("models", "features.py", "audio.py", "opening.py", "vote.py")),
)
PACKAGES = ("mgtag", "torch", "numpy", "scikit-learn", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Record:
    """One training run.

    Attributes
    ----------
    name : str
    seed : int
    config : mapping
        `TrainConfig` as a mapping.
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
        Runs whose answers were learned.
    experiment, protocol : str
        Of the laboratory's table; empty for a bundle's own training.
    labels : tuple of str
    command : str
        What repeats the run.
    measured : mapping
        ``[part]["slices" or "tracks"]``: figures, as `mgtag_train.learn.evaluation.evaluate` gives them.
    confusion : list
        True by answered, on test; of slices where slices were drawn at random, else of tracks.
    temperatures : mapping
        ``["slices" or "tracks"]``: what logits and votes were divided by.
    by_genre, reliability : mapping
        On test: scikit-learn's report, and confidence against accuracy.
    more : mapping
        What only some experiments have.
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
    protocol: str = ""
    labels: tuple[str, ...] = ()
    command: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    confusion: Sequence[Sequence[int]] = ()
    temperatures: Mapping[str, float] = field(default_factory=dict)
    by_genre: Mapping[str, Any] = field(default_factory=dict)
    reliability: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the record as JSON; a half-written one is never seen."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n", encoding="utf-8")
        part.replace(path)


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
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
