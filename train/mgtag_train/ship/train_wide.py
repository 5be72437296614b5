"""What ``mgtag train --dataset wide`` does: a student of musicnn, on GTZAN and on music of any genre.

A bank of changed slices is made once, with the teacher's answers; a network of each seed learns from it, from
GTZAN's clips and from made-up sounds. Validation, outside GTZAN and of it, chooses the network,
temperatures and thresholds; the test pieces are heard once, at the very end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mgtag.bundle import Bundle
from mgtag_train.learn import distributed
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import WIDE
from mgtag_train.learn.jobs import Progress, load_best
from mgtag_train.ship.wide import BANK_PARTS, read_wide, refitted, train_networks
from mgtag_train.ship.wide_bundle import make_wide_bundle


def train_wide(
    *,
    features: Path,
    outside: Path,
    wheel: Path,
    audio: Path | None = None,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2),
    resume: bool = False,
    jobs: int = 1,
    config: TrainConfig = WIDE,
    parts: int = BANK_PARTS,
    progress: Progress = lambda run, epoch, epochs, row: None,
) -> Bundle | None:
    """Train the bundle; None for all but the first of processes that train together.

    Parameters
    ----------
    features : Path
        GTZAN's ``mel.npz``: its genres whose audio is scarce must reach the network by the same road.
    outside : Path
        Folder of a table of music, see `mgtag_train.data.outside`.
    wheel : Path
        Of musicnn 0.1.0, the teacher.
    audio : Path, optional
        Folder of GTZAN's audio, as far as there is any, for the teacher to hear.
    out : Path
        Folder for the bank, checkpoints, run records and the bundle.
    seeds : sequence of int
        One network each; the best on validation is exported.
    resume : bool
        Go on from the checkpoints in `out`.
    jobs : int
        Processes.
    parts : int
        Of the bank, `mgtag_train.learn.teaching_bank.PART` slices each.

    Raises
    ------
    UsageError
        If any of the data is not where it was said to be.
    """
    data = read_wide(features, outside, audio)
    planned = train_networks(
        data,
        wheel=wheel,
        out=out,
        seeds=seeds,
        resume=resume,
        jobs=jobs,
        config=config,
        parts=parts,
        progress=progress,
    )

    def told(what: str, done: int, of: int) -> None:
        progress(what, done, of, {})

    if not distributed.is_first():
        return None
    models = refitted([load_best(job.folder) for job in planned], data, config.top_db, told)
    return make_wide_bundle(models, seeds, data, out, config, told)
