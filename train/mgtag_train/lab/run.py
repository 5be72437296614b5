"""One run of an experiment: read, split, learn, measure, leave a record; it can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import gmean
from torch import Tensor

from mgtag.arrays import F32, I64
from mgtag.errors import UsageError
from mgtag.models import Ensemble, Kth, ModelOutput, Network
from mgtag.models.kth import MOODS
from mgtag_train.data.lyrics import load_songs
from mgtag_train.lab.experiment import Experiment
from mgtag_train.lab.inputs import Inputs, materials
from mgtag_train.learn.batches import Examples
from mgtag_train.learn.evaluation import Predictions, evaluate
from mgtag_train.learn.jobs import RECORD, Job, Progress, fit, load_best, refuse_to_overwrite
from mgtag_train.learn.metrics import softmax
from mgtag_train.learn.run_record import Record, commit, versions
from mgtag_train.learn.tfidf import TFIDF, tfidf
from mgtag_train.learn.trainer import predict


@dataclass(frozen=True)
class Run:
    """One network of one experiment."""

    experiment: Experiment
    protocol: str
    seed: int

    @property
    def name(self) -> str:
        """Also its folder, under ``--out`` and under ``train/records``."""
        return f"{self.experiment.name}/{self.protocol}-{self.seed}"


def runs(experiment: Experiment, seeds: int | None = None, only: str | None = None) -> list[Run]:
    """Return every run of an experiment: each protocol, each seed; an ensemble has all seeds in one."""
    count = 1 if experiment.members else seeds or experiment.seeds
    protocols = [protocol for protocol in experiment.protocols if only in (None, protocol)]
    return [Run(experiment, protocol, seed) for protocol in protocols for seed in range(count)]


def run_one(one: Run, inputs: Inputs, out: Path, resume: bool, device: str, progress: Progress) -> None:
    """Train and measure one network; a finished one is left as it is."""
    experiment, folder = one.experiment, out / one.name
    path = folder / RECORD
    if resume and path.is_file():
        return
    refuse_to_overwrite(folder, resume)
    if experiment.config.architecture == TFIDF:
        assert inputs.lyrics is not None
        said, strength = tfidf(load_songs(inputs.lyrics, experiment.labels))
        sizes = {part: len(found.truth) for part, found in said.items()}
        record = _untrained(one, {"source": experiment.data, "protocol": one.protocol, "items": sizes})
        _finish(record, one, evaluate(said, experiment.labels, "tracks") | {"more": {"C": strength}}, path)
        return
    parts = materials(experiment, one.protocol, one.seed, inputs)
    check = parts.pop("valid") if experiment.refit else parts["valid"]  # where learned, it tells nothing
    sizes = {part: int((examples.labels >= 0).sum()) for part, examples in parts.items()}
    described = {"source": experiment.data, "protocol": one.protocol, "items": sizes}
    temperatures = _temperatures(elders((experiment.refit,), one, out)) if experiment.refit else None
    beside = {}
    if experiment.members and experiment.baseline:
        assert inputs.lyrics is not None
        told, _ = tfidf(load_songs(inputs.lyrics, experiment.labels))
        beside = {part: softmax(found.logits) for part, found in told.items()}
    others = tuple(elders(experiment.members + experiment.teachers, one, out))
    if experiment.members:
        record = _untrained(one, described)
        model: Network = Ensemble([load_best(other) for other in others])
    else:
        job = Job(one.name, experiment.config, one.seed, folder, others)
        record = fit(job, parts["train"], check, described, resume, progress, device)
        model = load_best(folder)
    record = replace(record, teachers=tuple(f"{other.parent.name}/{other.name}" for other in others))
    by = "slices" if one.protocol == "leaking" else "tracks"
    measured = measure(model, parts, experiment, by, temperatures, beside)
    _finish(record, one, measured, path)


def _finish(record: Record, one: Run, measured: Mapping[str, Any], path: Path) -> None:
    experiment = one.experiment
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(
        record,
        experiment=experiment.name,
        protocol=one.protocol,
        labels=experiment.labels,
        command=f"mgtag train {experiment.name} --split {one.protocol}",
        **measured,
    ).write(path)


def elders(names: Sequence[str], one: Run, out: Path) -> Iterator[Path]:
    """Yield the folders of every trained seed of other experiments, under the same protocol.

    Raises
    ------
    UsageError
        If one of them has not been trained.
    """
    for name in names:
        found = sorted((out / name).glob(f"{one.protocol}-*/{RECORD}"))
        if not found:
            raise UsageError(f"{one.name} learns from {name}, which is not in {out}: train that first.")
        yield from (path.parent for path in found)


def _temperatures(folders: Iterable[Path]) -> dict[str, float]:
    """Return the geometric means over finished runs."""
    found = [json.loads((folder / RECORD).read_text())["temperatures"] for folder in folders]
    return {of: float(gmean([each[of] for each in found])) for of in found[0]}


def measure(
    model: Network,
    parts: Mapping[str, Examples],
    experiment: Experiment,
    by: str,
    temperatures: dict[str, float] | None = None,
    beside: Mapping[str, F32] | None = None,
) -> dict[str, Any]:
    """Return every figure of a finished network, and of its valence head where it has one.

    Parameters
    ----------
    by : {"slices", "tracks"}
        What the confusion matrix counts.
    temperatures : dict, optional
        As `mgtag_train.learn.evaluation.evaluate` takes them.
    beside : mapping of str to F32, optional
        Of each part, what somebody else says of the inputs, ``(inputs, labels)``: its probability and
        the network's count half each.
    """
    tiled = {part: _music(examples) for part, examples in parts.items()}

    def said(read: Callable[[ModelOutput], Tensor], moods: Sequence[int] = ()) -> dict[str, Predictions]:
        found = {}
        for part, (inputs, clip, truth) in tiled.items():
            logits = predict(model, inputs, read=read)
            if beside:
                logits = np.log((softmax(logits) + beside[part]) / 2)
            found[part] = Predictions(logits, clip, np.array(moods)[truth] if moods else truth)
        return found

    figures = evaluate(said(lambda output: output.logits), experiment.labels, by, temperatures)
    if isinstance(model, Kth) and model.spec.moods:
        valence = evaluate(said(lambda output: model.valence(output.embedding), model.spec.moods), MOODS, by)
        figures["more"] = {"valence": {key: valence[key] for key in ("measured", "confusion", "by_genre")}}
    return figures


def _music(examples: Examples) -> tuple[Tensor, I64, I64]:
    """Return inputs to ask about, the clip of each, and the clips' labels, without what is no music."""
    inputs, owner = examples.tiles()
    clip, truth = examples.clips(owner)
    real = truth >= 0
    heard = real[clip]
    return inputs[torch.from_numpy(heard)], (np.cumsum(real) - 1)[clip[heard]], truth[real]


def _untrained(one: Run, described: Mapping[str, Any]) -> Record:
    """Begin the record of what no loop trains."""
    return Record(
        name=one.name,
        seed=one.seed,
        config={},
        data=described,
        commit=commit(),
        versions=versions(),
        history=[],
        best_epoch=0,
        seconds=0.0,
    )
