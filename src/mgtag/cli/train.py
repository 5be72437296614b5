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
    """What a bundle can be trained on; see ``train/sources.py``."""

    gtzan = "gtzan"
    fma_small = "fma-small"
    fma_medium = "fma-medium"
    fma_large = "fma-large"
    fma_full = "fma-full"
    homburg = "homburg"
    folder = "folder"


class Split(StrEnum):
    """How music may be split; see ``train/protocols.py``."""

    leaking = "leaking"
    tracks = "tracks"
    filtered = "filtered"
    artists = "artists"


@app.command("train")
def train_command(
    experiments: Annotated[
        list[str] | None, typer.Argument(metavar="[EXPERIMENT]...", help="Systems of the table; see --list.")
    ] = None,
    dataset: Annotated[
        Dataset | None, typer.Option(help="Train, measure and export a bundle from this data set.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every experiment whose data is given.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the table of experiments.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write RESULTS.md and its pictures from the run records.")
    ] = False,
    audio: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The audio: one folder a genre, or as it comes.")
    ] = None,
    download: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Download the data set into this folder first.")
    ] = None,
    keep_features: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what was heard, for --features next time.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its mels, instead of audio: GTZAN's mel.npz.")
    ] = None,
    homburg: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The Homburg set, for experiments: its folder, or kept features."),
    ] = None,
    lyrics: Annotated[Path | None, typer.Option(metavar="FILE", help="The lyrics table.")] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where checkpoints, run records and bundles go.")
    ] = Path("runs"),
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Networks of each kind; a bundle is the best of 3.")
    ] = None,
    split: Annotated[
        Split | None, typer.Option(help="Only with this split; otherwise with each that an experiment has.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Networks trained at once; default: the cores.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier call stopped.")] = False,
    search: Annotated[
        int | None,
        typer.Option(min=1, metavar="TRIALS", help="Try so many settings, on validation only."),
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Make a bundle of each experiment, for scan --model.")
    ] = False,
) -> None:
    """Train the network that mgtag ships, or any system of the five reports.

    `mgtag train --dataset gtzan --features mel.npz` makes the shipped bundle;
    `mgtag train queens-parallel --features mel.npz` one row of train/RESULTS.md.
    """
    asked = [bool(experiments), dataset is not None, everything, listed, report]
    if sum(asked) != 1:
        raise typer.BadParameter("give experiments, or one of --dataset, --all, --list and --report.")
    if dataset and [audio, features, download].count(None) != 2:
        raise typer.BadParameter("give one of --audio DIR, --features FILE and --download DIR.")
    try:
        from mgtag_train.lab import commands
        from mgtag_train.lab import search as searching
        from mgtag_train.report import results
        from mgtag_train.ship import train_bundle as bundles
    except ModuleNotFoundError as error:
        raise UsageError(
            f"Training needs {error.name}, which is not installed: pip install 'mgtag[train]'."
        ) from error
    from mgtag.view import training as view

    at_once = jobs or os.cpu_count() or 1
    if listed:
        view.show_experiments(commands.table())
    elif report:
        view.show_written(results.write(out))
    elif dataset:
        from mgtag.view.models import show_models

        with view.TrainingView() as shown:
            bundle = bundles.train(
                dataset.value,
                features=features,
                audio=audio,
                download=download,
                keep=keep_features,
                out=out,
                seeds=range(seeds or 3),
                jobs=at_once,
                resume=resume,
                progress=shown.progress,
                tell=shown.tell,
            )
        show_models([bundle], as_json=False)
    else:
        inputs = commands.Inputs(features, audio, lyrics, homburg)
        names = experiments or commands.possible(inputs)
        if search:
            with view.TrainingView() as shown:
                done = [
                    searching.search(n, inputs, out, search, at_once, shown.progress, resume) for n in names
                ]
            view.show_written(done)
            return
        with view.TrainingView() as shown:
            only = split and split.value
            records = commands.run(names, inputs, out, seeds, only, resume, at_once, shown.progress)
        view.show_records([commands.summary(path) for path in records])
        if export:
            view.show_written([commands.export_best(name, inputs, out) for name in names])
