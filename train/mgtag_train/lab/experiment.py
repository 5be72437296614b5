"""What an experiment is: a network, an ensemble, a refit or a baseline, each a frozen value that runs itself.

Whatever needs torch is imported where it is used, so that `mgtag lab list` needs none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mgtag.errors import UsageError
from mgtag_train.lab.tasks import Inputs, LyricsTask, MusicTask, Task

if TYPE_CHECKING:
    from mgtag_train.learn.batches import Examples
    from mgtag_train.learn.config import TrainConfig
    from mgtag_train.learn.jobs import Job, Progress
    from mgtag_train.learn.metrics import Predictions
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
class Run:
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
        from mgtag_train.learn.jobs import RECORD, refuse_to_overwrite

        path = session.out / self.name / RECORD
        if session.resume and path.is_file():
            return
        refuse_to_overwrite(path.parent, session.resume)
        record = self.experiment.run(self, session, progress)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(
            record,
            experiment=self.experiment.name,
            split=self.split,
            labels=self.experiment.task.labels,
            command=f"mgtag lab run {self.experiment.name} --split {self.split}",
        ).write(path)


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

    def runs(self, seeds: int | None = None, split: str | None = None) -> list[Run]:
        """Return every run: each split, or the one given, with each seed.

        Raises
        ------
        UsageError
            If there is no such split of it.
        """
        if split is not None and split not in self.splits:
            raise UsageError(f"{self.name} has no split {split!r}, only {' and '.join(self.splits)}.")
        count = (seeds or self.seeds) if self.seeded else 1
        return [Run(self, one, seed) for one in self.splits if split in (None, one) for seed in range(count)]

    @abstractmethod
    def run(self, run: Run, session: Session, progress: Progress) -> RunRecord:
        """Train and measure one run; return its record, not yet written."""


@dataclass(frozen=True, kw_only=True)
class NetworkExperiment(Experiment):
    """A network.

    Attributes
    ----------
    config : TrainConfig
    teachers : tuple of Experiment
        Their networks, of every seed, are distilled into this one.
    grid : mapping
        Settings to search over: a field of `config`, or an argument of the network, and its values.
    """

    config: TrainConfig
    teachers: tuple[Experiment, ...] = ()
    grid: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def depends_on(self) -> tuple[Experiment, ...]:
        """Its teachers."""
        return self.teachers

    def run(self, run: Run, session: Session, progress: Progress) -> RunRecord:
        """Train to the end, or on from a checkpoint, and measure the weights of the best epoch."""
        examples = self.task.examples(run.split, run.seed, session.inputs, self.config)
        teachers = finished_runs(self.teachers, run, session.out)
        job = run.job(self.config, session, teachers)
        return trained(run, job, session, progress, examples, examples["valid"])


@dataclass(frozen=True, kw_only=True)
class EnsembleExperiment(Experiment):
    """The mean probabilities of trained networks.

    Attributes
    ----------
    members : tuple of NetworkExperiment
        Of every seed.
    baseline : BaselineExperiment, optional
        Averaged with them; it counts half.
    """

    members: tuple[NetworkExperiment, ...]
    baseline: BaselineExperiment | None = None
    seeded: ClassVar[bool] = False

    @property
    def depends_on(self) -> tuple[Experiment, ...]:
        """Its members."""
        return self.members

    def run(self, run: Run, session: Session, progress: Progress) -> RunRecord:
        """Measure the networks together; nothing is trained but the baseline."""
        from mgtag.models import Ensemble
        from mgtag_train.learn.evaluation import evaluate_network
        from mgtag_train.learn.jobs import load_best
        from mgtag_train.learn.run_record import untrained

        folders = finished_runs(self.members, run, session.out)
        examples = self.task.examples(run.split, run.seed, session.inputs, self.members[0].config)
        second = self.baseline.predict(session.inputs)[0] if self.baseline else None
        model = Ensemble([load_best(folder) for folder in folders])
        measured = evaluate_network(model, examples, self.task.labels, run.measured_by, second_model=second)
        record = untrained(run.name, run.seed, run.about(examples))
        return replace(record, teachers=names_of(folders), **vars(measured))


@dataclass(frozen=True, kw_only=True)
class RefitExperiment(Experiment):
    """A network trained on the validation tracks too, with another experiment's settings and temperatures.

    Nothing is chosen on the validation tracks then, and test is as far away as before.

    Attributes
    ----------
    of : NetworkExperiment
        With the same task.
    """

    of: NetworkExperiment
    task: MusicTask

    @property
    def config(self) -> TrainConfig:
        """The settings of the other experiment, but for the epoch: there is nothing to choose it on."""
        return replace(self.of.config, choose="last")

    @property
    def depends_on(self) -> tuple[Experiment, ...]:
        """The experiment whose temperatures are taken over."""
        return (self.of,)

    def run(self, run: Run, session: Session, progress: Progress) -> RunRecord:
        """Train on both parts to the last epoch, and measure."""
        from mgtag_train.learn.jobs import RECORD
        from mgtag_train.learn.run_record import RunRecord, mean_temperatures

        others = finished_runs((self.of,), run, session.out)
        temperatures = mean_temperatures([RunRecord.read(folder / RECORD) for folder in others])
        parts = self.task.parts(run.split, run.seed, session.inputs)
        parts["train"] = parts["train"] + parts["valid"]
        examples = self.task.windows(parts, self.config)
        valid = examples.pop("valid")  # trained on: its figures are shown while training, and not recorded
        job = run.job(self.config, session)
        return trained(run, job, session, progress, examples, valid, temperatures)


@dataclass(frozen=True, kw_only=True)
class BaselineExperiment(Experiment):
    """Words and word pairs, weighted by TF-IDF, and logistic regression."""

    task: LyricsTask
    seeded: ClassVar[bool] = False

    def run(self, run: Run, session: Session, progress: Progress) -> RunRecord:
        """Fit and measure."""
        from mgtag_train.learn.evaluation import evaluate
        from mgtag_train.learn.run_record import untrained

        predictions, strength = self.predict(session.inputs)
        sizes = {part: len(each.truth) for part, each in predictions.items()}
        record = untrained(run.name, run.seed, {"source": self.task.data, "split": run.split, "items": sizes})
        measured = evaluate(predictions, self.task.labels, run.measured_by)
        return replace(record, **vars(replace(measured, more={"C": strength})))

    def predict(self, inputs: Inputs) -> tuple[dict[str, Predictions], float]:
        """Fit, and return the predictions of each part and the C that validation chose."""
        from mgtag_train.learn.tfidf import tfidf

        return tfidf(self.task.songs(inputs))


def trained(
    run: Run,
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


def finished_runs(experiments: Sequence[Experiment], run: Run, out: Path) -> tuple[Path, ...]:
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
