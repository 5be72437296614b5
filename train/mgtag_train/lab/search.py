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
from mgtag_train.lab.inputs import Inputs, materials, missing
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.jobs import Progress, one_thread, run_all
from mgtag_train.learn.run_record import commit
from mgtag_train.learn.trainer import Training

STUDY, FOUND = "search.db", "search.json"
SEED = 0  # of the split, the weights and the order of the grid


def search(
    name: str, inputs: Inputs, out: Path, trials: int, jobs: int, progress: Progress, resume: bool = False
) -> Path:
    """Train an experiment with several settings of its `Experiment.grid`, and keep what validation said.

    A trial that does worse than half of the others at the same epoch is given up (Optuna's median
    pruner). The test part is never heard.

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
        If the experiment has nothing to search over, or its data was not given.
    """
    if name not in EXPERIMENTS or not EXPERIMENTS[name].grid:
        having = ", ".join(e.name for e in EXPERIMENTS.values() if e.grid)
        raise UsageError(f"{name} has no settings to search over; these have: {having}.")
    experiment = EXPERIMENTS[name]
    if what := missing(experiment, inputs):
        raise UsageError(f"{name} needs {what}.")
    folder = out / name
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


def _study(experiment: Experiment, folder: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=f"sqlite:///{(folder / STUDY).absolute()}",
        study_name=experiment.name,
        sampler=optuna.samplers.GridSampler(experiment.grid, seed=SEED),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=5),
        load_if_exists=True,
    )


def _trials(experiment: Experiment, inputs: Inputs, folder: Path, count: int, progress: Progress) -> None:
    parts = materials(experiment, experiment.protocols[-1], SEED, inputs)

    def objective(trial: optuna.Trial) -> float:
        values = {key: trial.suggest_categorical(key, choices) for key, choices in experiment.grid.items()}
        training = Training(changed(experiment.config, values), parts["train"], parts["valid"], SEED)
        told = f"{experiment.name} {trial.number}"
        while not training.finished:
            row = training.run_epoch()
            progress(told, training.epoch, training.config.epochs, row)
            trial.report(row["log_loss"], training.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        best = training.history[training.best_epoch]
        trial.set_user_attr("track_accuracy", best["track_accuracy"])
        return best["log_loss"]

    with one_thread():
        _study(experiment, folder).optimize(objective, n_trials=count)


def _write(experiment: Experiment, study: optuna.Study, path: Path) -> Path:
    rows: Sequence[optuna.trial.FrozenTrial] = [t for t in study.trials if t.value is not None]
    found = {
        "experiment": experiment.name,
        "protocol": experiment.protocols[-1],
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
