"""What ``mgtag lab list`` and ``mgtag lab run`` do: list experiments, run them, make bundles of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mgtag.errors import UsageError
from mgtag_train.lab.experiment import Experiment, Session
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.kinds import NetworkExperiment, RefitExperiment
from mgtag_train.lab.tasks import OPTIONS, Inputs, MusicTask

if TYPE_CHECKING:
    from mgtag_train.learn.jobs import Progress


def table() -> list[dict[str, str]]:
    """Return the experiments for people to read: a row each."""
    return [
        {
            "Experiment": e.name,
            "What": e.description,
            "Paper": e.paper,
            "Splits": ", ".join(e.splits),
            "Seeds": str(e.seeds),
            "Data": e.task.data,
        }
        for e in EXPERIMENTS.values()
    ]


def chosen(
    names: Sequence[str], inputs: Inputs, seeds: int | None = None, split: str | None = None
) -> list[Experiment]:
    """Return the experiments of these names, where every option applies to them.

    Raises
    ------
    UsageError
        If there is no such experiment, its data was not given, or an option applies to none of them.
    """
    if unknown := [name for name in names if name not in EXPERIMENTS]:
        raise UsageError(f"There is no experiment {unknown[0]!r}; `mgtag lab list` shows what there is.")
    experiments = [EXPERIMENTS[name] for name in names]
    for experiment in experiments:
        needs = experiment.task.needs
        if missing := [OPTIONS[option] for option in needs if option not in inputs.given]:
            raise UsageError(f"{experiment.name} needs {' and '.join(missing)}.")
        experiment.runs(seeds, split)
    needed = {option for experiment in experiments for option in experiment.task.needs}
    if unused := [option for option in inputs.given if option not in needed]:
        raise UsageError(f"--{unused[0]} applies to none of these experiments; leave it out.")
    if seeds is not None and not any(experiment.seeded for experiment in experiments):
        raise UsageError("--seeds applies to none of these experiments: each has one run under a split.")
    return experiments


def possible(inputs: Inputs, split: str | None = None) -> list[str]:
    """Return the experiments whose data was given, and that have this split.

    Raises
    ------
    UsageError
        If there is none.
    """
    if not inputs.given:
        raise UsageError(f"Say where the data is: {'; '.join(OPTIONS.values())}.")
    given = set(inputs.given)
    names = [name for name, e in EXPERIMENTS.items() if given >= set(e.task.needs)]
    if with_split := [name for name in names if split in (None, *EXPERIMENTS[name].splits)]:
        return with_split
    raise UsageError(f"No experiment on this data has the split {split!r}.")


def run(
    experiments: Sequence[Experiment],
    inputs: Inputs,
    out: Path,
    seeds: int | None = None,
    split: str | None = None,
    resume: bool = False,
    jobs: int = 1,
    progress: Progress = lambda run, epoch, epochs, row: None,
) -> list[Path]:
    """Run experiments, those that others depend on before them.

    Parameters
    ----------
    experiments : sequence of Experiment
        As `chosen` returns them.
    out : Path
        A folder a run: checkpoint, best weights, record.
    seeds : int, optional
        Otherwise as many as each experiment asks for.
    split : str, optional
        The one split to run; otherwise all that an experiment has.
    resume : bool
        Go on from checkpoints, and leave finished runs as they are.
    jobs : int
        Runs at the same time, each on one core. Figures do not depend on it.

    Returns
    -------
    list of Path
        The records.

    Raises
    ------
    UsageError
        If what an experiment depends on has not been trained, or there is a run already that is not to be
        resumed.
    """
    import torch

    from mgtag_train.learn.jobs import RECORD, run_all

    device = "cuda" if torch.cuda.is_available() else "cpu"
    session = Session(replace(inputs, cache=inputs.cache or out / "cache"), out, resume, device)
    records: list[Path] = []
    for wave in waves(experiments):
        runs = [one for experiment in wave for one in experiment.runs(seeds, split)]
        run_all([partial(one.execute, session) for one in runs], 1 if device == "cuda" else jobs, progress)
        records += [out / one.name / RECORD for one in runs]
    return records


def waves(experiments: Sequence[Experiment]) -> Iterator[list[Experiment]]:
    """Group experiments so that each comes after those of them that it depends on."""
    left = {experiment.name: experiment for experiment in experiments}
    while left:
        ready = [e for e in left.values() if not {other.name for other in e.depends_on} & set(left)]
        yield ready
        left = {name: e for name, e in left.items() if e not in ready}


def summary(path: Path) -> dict[str, str]:
    """Return the figures of a record for people to read."""
    from mgtag_train.learn.run_record import RunRecord

    record = RunRecord.read(path)
    by = "slices" if record.split == "leaking" else "tracks"
    found = record.measured["test"].slices if by == "slices" else record.measured["test"].tracks
    figures = {"Accuracy": found.accuracy, "F1": found.macro_f1, "AUC": found.auc}
    return {"Run": record.name, "By": by} | {title: f"{value:.3f}" for title, value in figures.items()}


def exportable(experiment: Experiment) -> tuple[NetworkExperiment, MusicTask]:
    """Return a network of music, which a bundle can be made of, and its task.

    Raises
    ------
    UsageError
        If the experiment is another.
    """
    if isinstance(experiment, NetworkExperiment) and isinstance(experiment.task, MusicTask):
        return experiment, experiment.task
    if isinstance(experiment, RefitExperiment):
        raise UsageError(
            f"{experiment.name} was trained on every track that a bundle's threshold could be chosen on; "
            f"export {experiment.of.name} instead."
        )
    raise UsageError(f"{experiment.name} cannot be exported: a bundle holds one network for music.")


def export_best(experiment: Experiment, inputs: Inputs, out: Path) -> Path:
    """Make a bundle of an experiment's networks: the best on validation of the honest split.

    Returns
    -------
    Path
        The bundle's folder, for ``mgtag scan --model``.

    Raises
    ------
    UsageError
        If it is no network of music, or not trained.
    """
    from mgtag_train.data.not_music import held_out_negatives
    from mgtag_train.data.reading import Corpus
    from mgtag_train.learn.jobs import RECORD, load_best
    from mgtag_train.ship.make_bundle import make_bundle

    network, task = exportable(experiment)
    trained = [one for one in network.runs(split=task.honest_split) if (out / one.name / RECORD).is_file()]
    if not trained:
        raise UsageError(
            f"{network.name} is not trained yet in {out}: run `mgtag lab run {network.name}` first."
        )
    parts = task.parts(task.honest_split, trained[0].seed, inputs)
    corpus = Corpus(task.source, parts).cut_at(network.config.top_db)
    models, seeds = [load_best(out / one.name) for one in trained], [one.seed for one in trained]
    negatives = held_out_negatives(task.spec)
    made = make_bundle(models, seeds, corpus, negatives, out / network.name, network.config, network.name)
    return made.folder
