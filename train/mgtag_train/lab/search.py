"""Searches over an experiment's settings, on validation only: Optuna's grid, in random order, resumable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import optuna

from mgtag.errors import UsageError
from mgtag_train.lab.experiment import Experiment
from mgtag_train.lab.experiments import EXPERIMENTS
from mgtag_train.lab.kinds import NetworkExperiment
from mgtag_train.lab.tasks import Inputs
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.jobs import Progress, one_thread, run_all
from mgtag_train.learn.run_record import commit
from mgtag_train.learn.trainer import Training

STUDY, FOUND = "search.db", "search.json"
SEED = 0  # of the split, the weights and the order of the grid


def search(
    experiment: Experiment,
    inputs: Inputs,
    out: Path,
    trials: int,
    jobs: int,
    progress: Progress,
    resume: bool = False,
) -> Path:
    """Train an experiment with settings of its `NetworkExperiment.grid`; keep their validation figures.

    A trial that does worse than half of the others at the same epoch is pruned (Optuna's median
    pruner). The test part is not used.

    Parameters
    ----------
    trials : int
        At most; never more than the grid has points.
    resume : bool
        Go on with the trials of an earlier search.

    Returns
    -------
    Path
        ``out/<name>/search.json``: every trial, best first.

    Raises
    ------
    UsageError
        If the experiment has nothing to search over.
    """
    if not isinstance(experiment, NetworkExperiment) or not experiment.grid:
        having = [e.name for e in EXPERIMENTS.values() if isinstance(e, NetworkExperiment) and e.grid]
        raise UsageError(
            f"{experiment.name} has no settings to search over; these have: {', '.join(having)}."
        )
    folder = out / experiment.name
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        (folder / STUDY).unlink(missing_ok=True)
    study = _study(experiment, folder)
    left = max(0, trials - sum(trial.state.is_finished() for trial in study.trials))
    shares = [left // jobs + (n < left % jobs) for n in range(jobs)]
    run_all([partial(_trials, experiment, inputs, folder, n) for n in shares if n], jobs, progress)
    return _write(experiment, _study(experiment, folder), folder / FOUND)


def changed(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """Return a config with other values; a name that is no field of it is an argument of the network."""
    own = {key: value for key, value in values.items() if key in TrainConfig.__dataclass_fields__}
    others = {key: value for key, value in values.items() if key not in own}
    return replace(config, **own, arguments={**config.arguments, **others})


def _study(experiment: NetworkExperiment, folder: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY).absolute()}",
        study_name=experiment.name,
        sampler=optuna.samplers.GridSampler(experiment.grid, seed=SEED),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=5),
        load_if_exists=True,
    )


def _trials(
    experiment: NetworkExperiment, inputs: Inputs, folder: Path, count: int, progress: Progress
) -> None:
    task = experiment.task
    examples = task.examples(task.honest_split, SEED, inputs, experiment.config)

    def objective(trial: optuna.Trial) -> float:
        values = {key: trial.suggest_categorical(key, choices) for key, choices in experiment.grid.items()}
        config = changed(experiment.config, values)
        training = Training(config, examples["train"], examples["valid"], SEED)
        name = f"{experiment.name} {trial.number}"
        while not training.finished:
            row = training.run_epoch()
            progress(name, training.epoch, training.config.epochs, row)
            trial.report(row["log_loss"], training.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        best = training.history[training.best_epoch]
        trial.set_user_attr("track_accuracy", best["track_accuracy"])
        return best["log_loss"]

    with one_thread():
        _study(experiment, folder).optimize(objective, n_trials=count)


def _write(experiment: NetworkExperiment, study: optuna.Study, path: Path) -> Path:
    rows: Sequence[optuna.trial.FrozenTrial] = [t for t in study.trials if t.value is not None]
    found = {
        "experiment": experiment.name,
        "split": experiment.task.honest_split,
        "grid": {key: list(choices) for key, choices in experiment.grid.items()},
        "commit": commit(),
        "pruned": sum(t.state == optuna.trial.TrialState.PRUNED for t in study.trials),
        "trials": [
            {"log_loss": round(t.value or 0.0, 5), **t.user_attrs, **t.params, "state": t.state.name}
            for t in sorted(rows, key=lambda t: (t.state.name != "COMPLETE", t.value))
        ],
    }
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path
