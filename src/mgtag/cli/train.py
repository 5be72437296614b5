"""``mgtag train``: a bundle from a data set; it needs the ``train`` extra."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli.app import app
from mgtag.errors import UsageError
from mgtag.extras import not_installed

OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where checkpoints, run records and bundles go.")
]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Networks trained at once; default: the cores.")
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where an earlier call stopped.")]


class Dataset(StrEnum):
    """What a bundle can be trained on; see `mgtag_train.data.sources`."""

    gtzan = "gtzan"
    fma_small = "fma-small"
    fma_medium = "fma-medium"
    fma_large = "fma-large"
    fma_full = "fma-full"
    homburg = "homburg"
    folder = "folder"
    wide = "wide"


@contextmanager
def train_extra() -> Iterator[None]:
    """Say how to install what training needs, where something of it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise not_installed("Training", str(error.name), "train") from error


@app.command(
    "train",
    examples=(
        "mgtag train --dataset gtzan --features mel.npz",
        "mgtag train --dataset folder --audio ~/Genres --keep-features genres.npz",
        "mgtag train --dataset wide --features mel.npz --outside DIR --musicnn FILE.whl",
    ),
)
def train_command(
    experiments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    dataset: Annotated[Dataset | None, typer.Option(help="The data set; required.")] = None,
    audio: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Its audio: one subfolder per genre, or the data set's own layout."),
    ] = None,
    features: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its mels, instead of audio: GTZAN's mel.npz.")
    ] = None,
    download: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Download the data set into this folder first.")
    ] = None,
    keep_features: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write its mels here, for --features next time."),
    ] = None,
    outside: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With wide: a folder of music of any genre with its tracks.csv."),
    ] = None,
    musicnn: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With wide: the wheel of musicnn 0.1.0, whose network is the teacher."
        ),
    ] = None,
    out: OutOption = Path("runs"),
    seeds: Annotated[int, typer.Option(min=1, help="Networks trained; the bundle is the best of them.")] = 3,
    jobs: JobsOption = None,
    resume: ResumeOption = False,
) -> None:
    """Train a model for use: train, calibrate, measure and export a bundle.

    With gtzan it is gtzan-parallel-1; with wide, wide-parallel-4, which learns from GTZAN, from other
    music and from a teacher. The systems of the papers are run by `mgtag lab run`.
    """
    if experiments:
        raise UsageError(f"Experiments are run by `mgtag lab run {' '.join(experiments)}`.")
    if dataset is None:
        raise typer.BadParameter("give the data set with --dataset.")
    if (dataset is Dataset.wide) != (outside is not None and musicnn is not None):
        raise typer.BadParameter("--outside and --musicnn go together, with --dataset wide.")
    if dataset is Dataset.wide:
        if features is None or download or keep_features:
            raise typer.BadParameter("wide needs GTZAN's --features, and takes its --audio too.")
    elif [audio, features, download].count(None) != 2:
        raise typer.BadParameter("give one of --audio DIR, --features FILE and --download DIR.")
    if keep_features and features:
        raise typer.BadParameter("--keep-features writes the mels of audio; with --features they are there.")
    with train_extra():
        from mgtag_train.learn import distributed
        from mgtag_train.ship import train_bundle, train_wide
    from mgtag.view import training as view
    from mgtag.view.models import show_models

    with distributed.joined(), view.TrainingView(distributed.is_first()) as shown:
        if features and outside and musicnn:
            bundle = train_wide.train_wide(
                features=features,
                outside=outside,
                wheel=musicnn,
                audio=audio,
                out=out,
                seeds=range(seeds),
                jobs=jobs or os.cpu_count() or 1,
                resume=resume,
                progress=shown.progress,
            )
        else:
            bundle = train_bundle.train(
                dataset.value,
                features=features,
                audio=audio,
                download=download,
                keep=keep_features,
                out=out,
                seeds=range(seeds),
                jobs=jobs or os.cpu_count() or 1,
                resume=resume,
                progress=shown.progress,
                tell=shown.tell,
            )
    if bundle:
        show_models([bundle], as_json=False)
