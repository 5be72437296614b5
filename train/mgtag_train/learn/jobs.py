"""Trainings as jobs: one folder each, with a checkpoint to resume from and a record at the end."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Queue
from typing import Any

import torch

from mgtag.errors import UsageError
from mgtag.models import Network, build
from mgtag.workers import Workers
from mgtag_train.learn import distributed
from mgtag_train.learn.batches import Examples
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.run_record import RunRecord, commit, versions
from mgtag_train.learn.student import network_state
from mgtag_train.learn.trainer import Training, channels_last, save_checkpoint

CHECKPOINT, BEST, RECORD = "checkpoint.pt", "best.pt", "record.json"
Row = Mapping[str, float]
Progress = Callable[[str, int, int, Row], None]  # run, epochs done, epochs planned, the last one's figures
Count = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True)
class Job:
    """One network to train.

    Attributes
    ----------
    name : str
    config : TrainConfig
    seed : int
    folder : Path
        Where its files go.
    teachers : tuple of Path
        Folders of finished jobs to learn from.
    """

    name: str
    config: TrainConfig
    seed: int
    folder: Path
    teachers: tuple[Path, ...] = ()


def fit(
    job: Job,
    learn: Examples,
    check: Examples,
    data: Mapping[str, Any],
    resume: bool,
    progress: Progress,
    device: str = "cpu",
) -> RunRecord:
    """Train one network to its end, in one thread a process, with a checkpoint after every epoch.

    Returns
    -------
    RunRecord
        Not yet written.

    Raises
    ------
    UsageError
        If there is a run already and it is not to be resumed, or it is of another config or seed.
    """
    refuse_to_overwrite(job.folder, resume)
    with one_thread():
        training = Training(
            job.config, learn, check, job.seed, [load_best(folder) for folder in job.teachers], device
        )
        identity = {"identity": repr((job.config, job.seed)), "commit": commit()}
        checkpoint = job.folder / CHECKPOINT
        if resume and checkpoint.is_file():
            identity = _take_up(training, checkpoint, identity)
        job.folder.mkdir(parents=True, exist_ok=True)
        progress(job.name, training.epoch, job.config.epochs, {})
        while not training.finished:
            row = training.run_epoch()
            if distributed.is_first():
                save_checkpoint(checkpoint, training.state() | identity)
            progress(job.name, training.epoch, job.config.epochs, row)
        model = {"architecture": job.config.architecture, "arguments": dict(job.config.arguments)}
        if distributed.is_first():
            save_checkpoint(job.folder / BEST, model | {"weights": network_state(training.best)})
        distributed.wait()
        return RunRecord(
            name=job.name,
            seed=job.seed,
            config=asdict(job.config),
            data=data,
            commit=identity["commit"],
            versions=versions(),
            history=training.history,
            best_epoch=training.best_epoch + 1,
            seconds=sum(row["seconds"] for row in training.history),
            teachers=tuple(folder.name for folder in job.teachers),
        )


def fit_and_record(
    job: Job, learn: Examples, check: Examples, data: Mapping[str, Any], resume: bool, progress: Progress
) -> None:
    """Train one network and write its record; one that is finished is left as it is."""
    done = job.folder / RECORD
    if not (resume and done.is_file()):
        device = "cuda" if distributed.started_together() and torch.cuda.is_available() else "cpu"
        record = fit(job, learn, check, data, resume, progress, device)
        if distributed.is_first():
            record.write(done)
        distributed.wait()


def counting(progress: Progress) -> Count:
    """Return what tells a progress of something that has no figures."""
    return lambda what, done, of: progress(what, done, of, {})


def refuse_to_overwrite(folder: Path, resume: bool) -> None:
    """Make sure that no run is trained over by mistake.

    Raises
    ------
    UsageError
        If there is one, and it is not to be resumed.
    """
    if not resume and any((folder / name).is_file() for name in (CHECKPOINT, RECORD)):
        raise UsageError(
            f"{folder}: there is a run here already; add --resume to go on with it, or choose another --out."
        )


def run_all(tasks: Sequence[Callable[[Progress], object]], at_once: int, progress: Progress) -> None:
    """Run tasks that can be pickled, `at_once` in processes of their own where that is more than one.

    Processes that train together run them one by one.
    """
    if at_once <= 1 or distributed.size() > 1:
        for task in tasks:
            task(progress)
        return
    with (
        multiprocessing.get_context("spawn").Manager() as manager,
        _relay(manager, progress) as sender,
        Workers(at_once) as pool,
    ):
        for run in [pool.submit(task, sender) for task in tasks]:
            run.result()


def load_best(folder: Path) -> Network:
    """Rebuild the network that a finished job kept."""
    kept = torch.load(folder / BEST, map_location="cpu", weights_only=True)
    model = build(kept["architecture"], kept["arguments"])
    model.load_state_dict(kept["weights"])
    return channels_last(model.eval())


@dataclass(frozen=True)
class _Sender:
    """A progress callback that reaches the parent process."""

    queue: Queue[tuple[str, int, int, Row] | None]

    def __call__(self, name: str, epoch: int, epochs: int, row: Row) -> None:
        self.queue.put((name, epoch, epochs, row))


@contextmanager
def _relay(manager: SyncManager, progress: Progress) -> Iterator[_Sender]:
    queue: Queue[tuple[str, int, int, Row] | None] = manager.Queue()

    def listen() -> None:
        while (message := queue.get()) is not None:
            progress(*message)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield _Sender(queue)
    finally:
        queue.put(None)
        listener.join()


def _take_up(training: Training, checkpoint: Path, identity: dict[str, str]) -> dict[str, str]:
    """Restore a run; it keeps the commit that it was begun with."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if state.pop("identity") != identity["identity"]:
        raise UsageError(
            f"{checkpoint}: begun with another configuration; resume it with its own, or train anew."
        )
    begun = state.pop("commit", identity["commit"])
    training.restore(state)
    return identity | {"commit": begun}


@contextmanager
def one_thread() -> Iterator[None]:
    """Figures depend on the order of sums, hence on the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
