"""A finished run of the laboratory, to be asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mgtag.arrays import I64
from mgtag.errors import UsageError
from mgtag.models import Network
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.inputs import Inputs, materials
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.jobs import RECORD, load_best


@dataclass(frozen=True)
class Trained:
    """A network, and the tracks that it was split by."""

    name: str
    model: Network
    labels: tuple[str, ...]
    parts: Mapping[str, Windows]

    def genres(self, part: str) -> I64:
        """Labels of a part's tracks, shape ``(tracks,)``."""
        found: I64 = self.parts[part].labels.numpy()
        return found


def trained(experiment: str, protocol: str, inputs: Inputs, runs: Path, seed: int = 0) -> Trained:
    """Load a run of the laboratory with the tracks that it was split by.

    Raises
    ------
    UsageError
        If it has not been trained to its end.
    """
    folder = runs / experiment / f"{protocol}-{seed}"
    if not (folder / RECORD).is_file():
        raise UsageError(f"{folder} is no finished run: `mgtag train {experiment} --out {runs}` makes it.")
    settings = EXPERIMENTS[experiment]
    parts = materials(settings, protocol, seed, inputs)
    windows = {part: one for part, one in parts.items() if isinstance(one, Windows)}
    return Trained(f"{experiment}/{protocol}-{seed}", load_best(folder), settings.labels, windows)
