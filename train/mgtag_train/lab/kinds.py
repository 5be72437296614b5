"""The four kinds of experiments: network, ensemble, refit, baseline; each a value that runs itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from mgtag_train.lab.experiment import Experiment, Session, TrainingRun, finished_runs, names_of, trained
from mgtag_train.lab.tasks import Inputs, LyricsTask, MusicTask

if TYPE_CHECKING:
    from mgtag_train.learn.config import TrainConfig
    from mgtag_train.learn.jobs import Progress
    from mgtag_train.learn.metrics import Predictions
    from mgtag_train.learn.run_record import RunRecord


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

    def run(self, run: TrainingRun, session: Session, progress: Progress) -> RunRecord:
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

    def run(self, run: TrainingRun, session: Session, progress: Progress) -> RunRecord:
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

    def run(self, run: TrainingRun, session: Session, progress: Progress) -> RunRecord:
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

    def run(self, run: TrainingRun, session: Session, progress: Progress) -> RunRecord:
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
