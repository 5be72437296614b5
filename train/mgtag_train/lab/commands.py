"""The laboratory's doors: run experiments, list them, make bundles of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from mgtag.errors import UsageError
from mgtag_train.data.corpus import HELD_OUT_SEED, Corpus
from mgtag_train.data.not_music import make_negatives
from mgtag_train.lab.experiment import Experiment
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.inputs import OF_MUSIC, Inputs, missing, music
from mgtag_train.lab.run import Run, run_one, runs
from mgtag_train.learn.jobs import RECORD, Progress, load_best, run_all
from mgtag_train.ship.make_bundle import make_bundle


def run(
    names: Sequence[str],
    inputs: Inputs,
    out: Path,
    seeds: int | None = None,
    only: str | None = None,
    resume: bool = False,
    jobs: int = 1,
    progress: Progress = lambda run, epoch, epochs, row: None,
) -> list[Path]:
    """Run experiments, those that others learn from before them.

    Parameters
    ----------
    names : sequence of str
        Of `EXPERIMENTS`.
    inputs : Inputs
        Where the data is.
    out : Path
        A folder a run: checkpoint, best weights, record.
    seeds : int, optional
        Otherwise as many as each experiment asks for.
    only : str, optional
        The one protocol to run; otherwise all that an experiment has.
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
        If there is no such experiment, its data was not given, its teachers have not been trained, or
        there is a run already that is not to be resumed.
    """
    for name in names:
        if name not in EXPERIMENTS:
            raise UsageError(f"There is no experiment {name!r}; `mgtag train --list` shows what there is.")
        if what := missing(EXPERIMENTS[name], inputs):
            raise UsageError(f"{name} needs {what}.")
    inputs = replace(inputs, cache=inputs.cache or out / "cache")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    done: list[Path] = []
    for wave in waves(names):
        planned = [one for experiment in wave for one in runs(experiment, seeds, only)]
        tasks = [partial(run_one, one, inputs, out, resume, device) for one in planned]
        run_all(tasks, 1 if device == "cuda" else jobs, progress)
        done += [out / one.name / RECORD for one in planned]
    return done


def table() -> list[dict[str, str]]:
    """Return the experiments for people to read: a row each."""
    return [
        {
            "Experiment": e.name,
            "What": e.told,
            "Report": e.report,
            "Protocols": ", ".join(e.protocols),
            "Seeds": str(e.seeds),
            "Data": e.data,
        }
        for e in EXPERIMENTS.values()
    ]


def possible(inputs: Inputs) -> list[str]:
    """Return the experiments whose data was given.

    Raises
    ------
    UsageError
        If there is none.
    """
    if names := [name for name, e in EXPERIMENTS.items() if not missing(e, inputs)]:
        return names
    raise UsageError(
        "Say where the data is: --features mel.npz, --audio DIR, --homburg DIR, --lyrics genre.csv.gz."
    )


def summary(path: Path) -> dict[str, str]:
    """Return the figures of a record for people to read."""
    record = json.loads(path.read_text())
    by = "slices" if record["protocol"] == "leaking" else "tracks"
    found = record["measured"]["test"][by]
    return {"Run": record["name"], "By": by} | {
        title: f"{found[key]:.3f}"
        for key, title in (("accuracy", "Accuracy"), ("macro_f1", "F1"), ("auc", "AUC"))
    }


def export_best(name: str, inputs: Inputs, out: Path) -> Path:
    """Make a bundle of an experiment's networks: the best on validation of the honest split.

    Returns
    -------
    Path
        The bundle's folder, for ``mgtag scan --model``.

    Raises
    ------
    UsageError
        If it is no network of sound, or not trained.
    """
    experiment = EXPERIMENTS[name]
    if experiment.refit:
        raise UsageError(
            f"{name} has learned from every track that a bundle's threshold could be chosen on; "
            f"export {experiment.refit} instead."
        )
    if experiment.members or experiment.data not in OF_MUSIC:
        raise UsageError(f"{name}: a bundle hears music with one network; this one cannot be exported.")
    trained = [one for one in runs(experiment) if one.protocol == experiment.protocols[-1]]
    trained = [one for one in trained if (out / one.name / RECORD).is_file()]
    if not trained:
        raise UsageError(f"{name} is not trained yet in {out}: run `mgtag train {name}` first.")
    source = replace(OF_MUSIC[experiment.data], labels=experiment.labels, spec=experiment.spec)
    parts = music(experiment, trained[0].protocol, trained[0].seed, inputs)
    corpus = Corpus(source, parts, [], make_negatives(source.spec, HELD_OUT_SEED, each=10))
    corpus = corpus.cut_at(experiment.config.top_db)
    models, seeds = [load_best(out / one.name) for one in trained], [one.seed for one in trained]
    return make_bundle(models, seeds, corpus, out / name, experiment.config, name).folder


def waves(names: Sequence[str]) -> Iterator[list[Experiment]]:
    """Group experiments so that each comes after those of `names` that it learns from."""
    left = {name: EXPERIMENTS[name] for name in names}
    while left:
        ready = [e for e in left.values() if not {*e.teachers, *e.members, e.refit} & set(left)]
        yield ready
        left = {name: e for name, e in left.items() if e not in ready}


__all__ = ["Inputs", "Run", "export_best", "possible", "run", "runs", "summary", "table"]
