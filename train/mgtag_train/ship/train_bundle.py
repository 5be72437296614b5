"""What ``mgtag train`` does: train, distil, calibrate, measure, export; one bundle comes out.

Two generations are trained. The networks of the first learn the labels; those of the second learn
the mean answer of the first to every augmented window, which carries more than a label does ("born
again": Furlanello et al., arXiv:1805.04770; patient teachers: Beyer et al., arXiv:2106.05237). All
of them see the training tracks only. The validation tracks choose epoch, seed, temperatures and
threshold; the test tracks are used once, at the very end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mgtag.bundle import Bundle
from mgtag.card import warnings
from mgtag_train.data.download import fetch
from mgtag_train.data.not_music import held_out_negatives, training_negatives
from mgtag_train.data.reading import read_tracks
from mgtag_train.data.sources import find_source
from mgtag_train.data.tracks import SliceDataset, save_cache
from mgtag_train.learn import distributed
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import GTZAN_FIRST, GTZAN_SECOND
from mgtag_train.learn.jobs import Job, Progress, counting, fit_and_record, load_best, run_all
from mgtag_train.ship.make_bundle import make_bundle

PURPOSES = {"train": "learn from", "valid": "choose by", "test": "measure with"}
ROUNDS = {
    "first": "Round 1 of 2: {} networks learn the genres.",
    "second": "Round 2 of 2: {} networks learn from the answers of those of round 1.",
}


def train(
    dataset: str = "gtzan",
    *,
    features: Path | None = None,
    audio: Path | None = None,
    download: Path | None = None,
    keep: Path | None = None,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2),
    resume: bool = False,
    jobs: int = 1,
    first: Sequence[TrainConfig] = (GTZAN_FIRST,),
    second: TrainConfig = GTZAN_SECOND,
    progress: Progress = lambda run, epoch, epochs, row: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Bundle | None:
    """Train a bundle from a data set; None for all but the first of processes that train together.

    Parameters
    ----------
    dataset : str
        A key of `mgtag_train.data.sources.SOURCES`.
    features, audio : Path, optional
        A mel cache, or a folder of audio in the data set's layout.
    download : Path, optional
        A folder to download the data set into first, instead of either.
    keep : Path, optional
        Where to write a mel cache of the audio.
    out : Path
        Folder for checkpoints, run records and, in ``out/<bundle name>``, the bundle.
    seeds : sequence of int
        One network each; the best on validation is exported.
    resume : bool
        Go on from the checkpoints in `out`.
    jobs : int
        Networks trained at the same time, each on one core. Figures do not depend on it.
    first : sequence of TrainConfig
        Of the first generation: a network of each config and seed.
    second : TrainConfig
        Of the second generation, of which one network is exported.
    progress : callable
        Called with run, epoch, epochs and the epoch's figures, and with the clips read so far.
    tell : callable
        Called with a sentence for every clip left out, for every stage that begins, and for all that the
        bundle cannot promise.

    Raises
    ------
    UsageError
        If the data set is unknown, or its music is not there.
    """
    source = find_source(dataset)

    clips_done = counting(progress)

    with distributed.first_alone():
        if download is not None:
            audio = fetch(source, download, clips_done)
        corpus = read_tracks(source, audio=audio, features=features, jobs=jobs, progress=clips_done)
    negatives = training_negatives(source.spec)
    if keep is not None and distributed.is_first():
        save_cache(keep, corpus.parts, corpus.source)
    for sentence in corpus.left_out:
        tell(sentence)
    n_labels = len(corpus.source.labels)
    sizes = ", ".join(f"{count:,} to {PURPOSES.get(part, part)}" for part, count in corpus.sizes.items())
    tell(f"Read {sum(corpus.sizes.values()):,} tracks of {n_labels} genres: {sizes}.")
    described = {"source": corpus.source.name, "split": corpus.source.split, "tracks": corpus.sizes}
    generation: list[Job] = []
    for name, configs in (("first", first), ("second", (second,))):
        teachers, tasks = tuple(job.folder for job in generation), []
        generation = []
        for plan in configs:
            config = replace(plan, arguments={**plan.arguments, "n_labels": n_labels})
            corpus = corpus.cut_at(config.top_db)
            learn = SliceDataset(corpus.parts["train"] + negatives, corpus.source.spec)
            examples = Windows(learn, n_labels), Windows(corpus.dataset("valid"), n_labels)
            for seed in seeds:
                called = f"{name}-{config.architecture}-{seed}"
                generation.append(Job(called, config, seed, out / called, teachers))
                tasks.append(partial(fit_and_record, generation[-1], *examples, described, resume))
        if distributed.is_first():
            tell(ROUNDS[name].format(len(tasks)))
        run_all(tasks, jobs, progress)
    if not distributed.is_first():
        return None
    tell("Calibrating, measuring on the tracks kept for it, and writing the model.")
    models = [load_best(job.folder) for job in generation]
    name = f"{dataset}-{config.architecture.removeprefix('queens-')}-1"
    made = make_bundle(models, seeds, corpus, held_out_negatives(source.spec), out, config, name)
    for sentence in warnings(made.card, made.card.genre.threshold):
        tell(sentence)
    return made
