"""What every experiment has, and its runs; the four kinds of experiments are in `kinds`.

Whatever needs torch is imported where it is used, so that `mgtag lab list` needs none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mgtag.errors import UsageError
from mgtag_train.lab.tasks import Inputs, Task

if TYPE_CHECKING:
    from mgtag_train.learn.batches import Examples
    from mgtag_train.learn.config import TrainConfig
    from mgtag_train.learn.jobs import Job, Progress
    from mgtag_train.learn.run_record import RunRecord


@dataclass(frozen=True)
class Published:
    """Figures of a paper: where they stand in it, and how they were measured."""

    where: str
    conditions: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Session:
    """What the runs of one command share.

    Attributes
    ----------
    inputs : Inputs
    out : Path
        A folder a run: checkpoint, best weights, record.
    resume : bool
        Go on from checkpoints, and leave finished runs as they are.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    inputs: Inputs
    out: Path
    resume: bool = False
    device: str = "cpu"


@dataclass(frozen=True)
class TrainingRun:
    """One experiment under one split with one seed."""

    experiment: Experiment
    split: str
    seed: int

    @property
    def name(self) -> str:
        """Also its folder, under ``--out`` and under ``train/records``."""
        return f"{self.experiment.name}/{self.split}-{self.seed}"

    @property
    def measured_by(self) -> str:
        """What its confusion matrix counts: ``"slices"`` where slices were split, else ``"tracks"``."""
        return "slices" if self.split == "leaking" else "tracks"

    def about(self, examples: Mapping[str, Examples]) -> dict[str, Any]:
        """Describe its data for the record: source, split, and how many items of music."""
        sizes = {part: int((each.labels >= 0).sum()) for part, each in examples.items()}
        return {"source": self.experiment.task.data, "split": self.split, "items": sizes}

    def job(self, config: TrainConfig, session: Session, teachers: tuple[Path, ...] = ()) -> Job:
        """Return what trains its network."""
        from mgtag_train.learn.jobs import Job

        return Job(self.name, config, self.seed, session.out / self.name, teachers)

    def execute(self, session: Session, progress: Progress) -> None:
        """Train and measure, and write the record; a finished run is left as it is."""
        from mgtag_train.learn import distributed
        from mgtag_train.learn.jobs import RECORD, refuse_to_overwrite

        path = session.out / self.name / RECORD
        if session.resume and path.is_file():
            return
        refuse_to_overwrite(path.parent, session.resume)
        record = self.experiment.run(self, session, progress)
        path.parent.mkdir(parents=True, exist_ok=True)
        named = replace(
            record,
            experiment=self.experiment.name,
            split=self.split,
            labels=self.experiment.task.labels,
            command=f"mgtag lab run {self.experiment.name} --split {self.split}",
        )
        if distributed.is_first():
            named.write(path)
        distributed.wait()


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """One system of a paper, or of our own.

    Attributes
    ----------
    name : str
    paper : str
        File name of the paper, without suffix; "mgtag" for our own.
    description : str
        In a phrase.
    task : Task
    seeds : int
    published : Published, optional
    """

    name: str
    paper: str
    description: str
    task: Task
    seeds: int = 1
    published: Published | None = None
    seeded: ClassVar[bool] = True  # whether there is a run for each seed

    @property
    def splits(self) -> tuple[str, ...]:
        """The paper's own, if there is one, and the honest one."""
        return tuple(split for split in (self.task.paper_split, self.task.honest_split) if split)

    @property
    def depends_on(self) -> tuple[Experiment, ...]:
        """Experiments that have to be run before."""
        return ()

    def runs(self, seeds: int | None = None, split: str | None = None) -> list[TrainingRun]:
        """Return every run: each split, or the one given, with each seed.

        Raises
        ------
        UsageError
            If there is no such split of it.
        """
        if split is not None and split not in self.splits:
            raise UsageError(f"{self.name} has no split {split!r}, only {' and '.join(self.splits)}.")
        count = (seeds or self.seeds) if self.seeded else 1
        return [
            TrainingRun(self, one, seed)
            for one in self.splits
            if split in (None, one)
            for seed in range(count)
        ]

    @abstractmethod
    def run(self, run: TrainingRun, session: Session, progress: Progress) -> RunRecord:
        """Train and measure one run; return its record, not yet written."""


def trained(
    run: TrainingRun,
    job: Job,
    session: Session,
    progress: Progress,
    examples: Mapping[str, Examples],
    check: Examples,
    temperatures: Mapping[str, float] | None = None,
) -> RunRecord:
    """Train a job's network, choosing its epoch on `check`, and measure it on all examples."""
    from mgtag_train.learn.evaluation import evaluate_network
    from mgtag_train.learn.jobs import fit, load_best

    learn, about = examples["train"], run.about(examples)
    record = fit(job, learn, check, about, session.resume, progress, session.device)
    labels = run.experiment.task.labels
    measured = evaluate_network(load_best(job.folder), examples, labels, run.measured_by, temperatures)
    return replace(record, teachers=names_of(job.teachers), **vars(measured))


def finished_runs(experiments: Sequence[Experiment], run: TrainingRun, out: Path) -> tuple[Path, ...]:
    """Return the folders of every trained seed of other experiments, under the same split.

    Raises
    ------
    UsageError
        If one of them has not been trained.
    """
    from mgtag_train.learn.jobs import RECORD

    folders: list[Path] = []
    for experiment in experiments:
        found = sorted((out / experiment.name).glob(f"{run.split}-*/{RECORD}"))
        if not found:
            raise UsageError(f"{run.name} needs {experiment.name}, which is not in {out}: train that first.")
        folders += [path.parent for path in found]
    return tuple(folders)


def names_of(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of runs, by their folders."""
    return tuple(f"{folder.parent.name}/{folder.name}" for folder in folders)
