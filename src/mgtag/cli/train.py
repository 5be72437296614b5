"""``mgtag train``: the door to the laboratory, which needs the ``train`` extra."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli.app import app
from mgtag.errors import UsageError


class Dataset(StrEnum):
    """What can be trained on."""

    gtzan = "gtzan"


@app.command("train")
def train_command(
    dataset: Annotated[Dataset, typer.Option(help="The data set.")],
    audio: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Its audio: one folder a genre, as GTZAN comes.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its mels, instead of audio: mel.npz.")
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where checkpoints, run records and the bundle go.")
    ] = Path("runs"),
    seeds: Annotated[int, typer.Option(min=1, help="Networks; the best on validation is exported.")] = 3,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Networks trained at once; default: the cores.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier call stopped.")] = False,
) -> None:
    """Train the network that mgtag ships, measure it, and export it as a bundle."""
    if (audio is None) == (features is None):
        raise typer.BadParameter("give either --audio DIR or --features FILE.")
    try:
        from mgtag_train.app import train
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Training needs {error.name}, which is not installed: pip install 'mgtag[train]'."
        ) from error
    from mgtag.view.models import show_models
    from mgtag.view.training import TrainingView

    view = TrainingView()
    with view.progress:
        bundle = train(
            dataset.value,
            features=features,
            audio=audio,
            out=out,
            seeds=range(seeds),
            jobs=jobs or os.cpu_count() or 1,
            resume=resume,
            report=view.report,
        )
    show_models([bundle], as_json=False)
