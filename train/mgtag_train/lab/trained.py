"""A finished run of an experiment on music, loaded with its data, to be analysed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mgtag.arrays import I64
from mgtag.errors import UsageError
from mgtag.models import Network
from mgtag_train.lab.commands import exportable
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.tasks import Inputs
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.jobs import RECORD, load_best


@dataclass(frozen=True)
class Trained:
    """A network, and the tracks that it was trained, validated and tested on."""

    name: str
    model: Network
    labels: tuple[str, ...]
    parts: Mapping[str, Windows]

    def genres(self, part: str) -> I64:
        """Labels of a part's tracks, shape ``(tracks,)``."""
        labels: I64 = self.parts[part].labels.numpy()
        return labels


def load_trained(name: str, split: str, inputs: Inputs, runs: Path, seed: int = 0) -> Trained:
    """Load a run of a network experiment on music.

    Raises
    ------
    UsageError
        If it has not been trained to its end.
    """
    folder = runs / name / f"{split}-{seed}"
    if not (folder / RECORD).is_file():
        raise UsageError(f"{folder} is no finished run: `mgtag lab run {name} --out {runs}` makes it.")
    experiment, task = exportable(EXPERIMENTS[name])
    examples = task.examples(split, seed, inputs, experiment.config)
    return Trained(f"{name}/{split}-{seed}", load_best(folder), task.labels, examples)
