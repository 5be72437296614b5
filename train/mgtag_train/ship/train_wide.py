"""What ``mgtag train --dataset wide`` does: a student of musicnn, on GTZAN and on music of any genre.

A cache of augmented slices is made once, with the teacher's predictions; a network of each seed is trained on
it, on GTZAN's clips and on made-up sounds. Validation, outside GTZAN and of it, chooses the network,
temperatures and thresholds; the test pieces are used once, at the very end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mgtag.bundle import Bundle
from mgtag_train.learn import distributed
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import WIDE
from mgtag_train.learn.jobs import Progress, counting, load_best
from mgtag_train.ship.wide import (
    CACHE_PARTS,
    read_wide,
    train_networks,
    training_tracks,
    with_averaged_heads,
)
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
    parts: int = CACHE_PARTS,
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
        Folder of GTZAN's audio, as far as there is any, for the teacher's predictions.
    out : Path
        Folder for the teacher cache, checkpoints, run records and the bundle.
    seeds : sequence of int
        One network each; the best on validation is exported.
    resume : bool
        Go on from the checkpoints in `out`.
    jobs : int
        Processes.
    parts : int
        Of the teacher cache, `mgtag_train.learn.teacher_cache.PART` slices each.

    Raises
    ------
    UsageError
        If any of the data is not there.
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

    told = counting(progress)

    if not distributed.is_first():
        return None
    tracks = training_tracks(data, config.top_db, told)
    models = with_averaged_heads([load_best(job.folder) for job in planned], data, tracks)
    return make_wide_bundle(models, seeds, data, tracks, out, config, told)
