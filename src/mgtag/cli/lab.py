"""``mgtag lab``: the systems of the five papers, trained, searched, analysed and reported."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import App, Group, app
from mgtag.cli.completing import Names, beginning, models
from mgtag.cli.options import ModelOption
from mgtag.cli.train import JobsOption, OutOption, ResumeOption, train_extra

lab = App(cls=Group, no_args_is_help=True, help="Experiments: every system of the five papers, and our own.")
app.add_typer(lab, name="lab")


class Split(StrEnum):
    """How music or lyrics may be split; see `mgtag_train.data.splitting`."""

    leaking = "leaking"
    tracks = "tracks"
    filtered = "filtered"
    artists = "artists"


def experiments(incomplete: str) -> Names:
    """Complete an experiment, where the laboratory is installed."""
    try:
        from mgtag_train.lab.experiments import EXPERIMENTS
    except ImportError:
        return []
    return beginning(incomplete, ((name, "") for name in EXPERIMENTS))


def analyses(incomplete: str) -> Names:
    """Complete an analysis."""
    return beginning(incomplete, ((name, "") for name in ("tokens", "tsne", "blocks")))


FeaturesOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="GTZAN's mels, mel.npz.", rich_help_panel="Data")
]
LyricsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The lyrics table, genre.csv.gz.", rich_help_panel="Data"),
]
RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs", metavar="DIR", exists=True, help="Where `lab run --out` left its runs; default: runs."
    ),
]
ToOption = Annotated[
    Path | None,
    typer.Option("--to", metavar="DIR", help="Where to write; default: train/ of the checkout."),
]


@lab.command("list", examples=("mgtag lab list",))
def list_command() -> None:
    """Show the table of experiments."""
    with train_extra():
        from mgtag_train.lab import commands
    from mgtag.view.training import show_table

    show_table(commands.table())


@lab.command(
    "run",
    examples=(
        "mgtag lab run queens-parallel --features mel.npz",
        "mgtag lab run --all --features mel.npz --lyrics genre.csv.gz --resume",
    ),
)
def run_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Experiments; see `mgtag lab list`.", autocompletion=experiments),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every experiment whose data is given.")] = False,
    features: FeaturesOption = None,
    audio: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="GTZAN's audio: one subfolder per genre.", rich_help_panel="Data"),
    ] = None,
    homburg: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The Garageband set of Homburg and others: its folder, or a mel cache.",
            rich_help_panel="Data",
        ),
    ] = None,
    lyrics: LyricsOption = None,
    out: OutOption = Path("runs"),
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds of each; by default as many as an experiment asks for.")
    ] = None,
    split: Annotated[
        Split | None, typer.Option(help="Only this split; by default each that an experiment has.")
    ] = None,
    jobs: JobsOption = None,
    resume: ResumeOption = False,
    export: Annotated[
        bool, typer.Option("--export", help="Make a bundle of each experiment, for `scan --model`.")
    ] = False,
) -> None:
    """Train and measure experiments; each run leaves a record."""
    if bool(names) == everything:
        raise typer.BadParameter("give names of experiments, or --all.")
    with train_extra():
        from mgtag_train.lab import commands
        from mgtag_train.lab.tasks import Inputs
        from mgtag_train.learn import distributed
    from mgtag.view import training as view

    inputs, only = Inputs(features, audio, lyrics, homburg), split and split.value
    experiments = commands.chosen(names or commands.possible(inputs, only), inputs, seeds, only)
    if export:
        for experiment in experiments:
            commands.exportable(experiment)
    with train_extra(), distributed.joined():
        first = distributed.is_first()
        with view.TrainingView(first) as shown:
            at_once = jobs or os.cpu_count() or 1
            records = commands.run(experiments, inputs, out, seeds, only, resume, at_once, shown.progress)
    if not first:
        return
    view.show_table([commands.summary(path) for path in records])
    if export:
        view.show_written([commands.export_best(experiment, inputs, out) for experiment in experiments])


@lab.command("search", examples=("mgtag lab search tokens --trials 20 --features mel.npz",))
def search_command(
    name: Annotated[str, typer.Argument(help="The experiment.", autocompletion=experiments)],
    trials: Annotated[int, typer.Option(min=1, help="How many settings to try, at most.")] = 20,
    features: FeaturesOption = None,
    lyrics: LyricsOption = None,
    out: OutOption = Path("runs"),
    jobs: JobsOption = None,
    resume: ResumeOption = False,
) -> None:
    """Try settings of an experiment; only the validation part decides, test is not used."""
    with train_extra():
        from mgtag_train.lab.commands import chosen
        from mgtag_train.lab.search import search
        from mgtag_train.lab.tasks import Inputs
    from mgtag.view import training as view

    inputs, at_once = Inputs(features=features, lyrics=lyrics), jobs or os.cpu_count() or 1
    (experiment,) = chosen([name], inputs)
    with view.TrainingView() as shown:
        found = search(experiment, inputs, out, trials, at_once, shown.progress, resume)
    view.show_written([found])


@lab.command("report", examples=("mgtag lab report --runs runs", "mgtag lab report --to report"))
def report_command(runs: RunsOption = None, to: ToOption = None) -> None:
    """Copy the records of finished runs, and write RESULTS.md and its pictures from all records."""
    with train_extra():
        from mgtag_train.report import results
        from mgtag_train.report.records import report_folder
    from mgtag.view.training import show_written

    show_written(results.write(runs or Path("runs"), report_folder(to)))


@lab.command("analyse", examples=("mgtag lab analyse tokens --features mel.npz",))
def analyse_command(
    features: Annotated[Path, typer.Option(metavar="FILE", help="GTZAN's mels, mel.npz.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="tokens, tsne, blocks; by default all.", autocompletion=analyses),
    ] = None,
    runs: RunsOption = None,
    to: ToOption = None,
) -> None:
    """Analyse trained networks as their papers do: embeddings, attention, channels."""
    with train_extra():
        from mgtag_train.lab.tasks import Inputs
        from mgtag_train.report import analysis
        from mgtag_train.report.records import report_folder
    from mgtag.view.training import show_written

    inputs = Inputs(features=features)
    show_written(analysis.write(names or (), inputs, runs or Path("runs"), report_folder(to).analyses))


@lab.command("tempo-and-key", examples=("mgtag lab tempo-and-key --audio DIR --beats tempo_beats.json.gz",))
def tempo_and_key_command(
    audio: Annotated[Path, typer.Option(metavar="DIR", help="GTZAN's audio: one subfolder per genre.")],
    beats: Annotated[Path, typer.Option(metavar="FILE", help="Its tapped tempi, tempo_beats.json.gz.")],
    to: ToOption = None,
) -> None:
    """Fit and measure the tempo and the key that `scan --bpm --key` writes."""
    with train_extra():
        from mgtag_train.report import tempo_and_key
        from mgtag_train.report.records import report_folder
    from mgtag.view import training as view

    with view.TrainingView() as shown:
        written = tempo_and_key.write(audio, beats, report_folder(to), shown.tell)
    view.show_written(written)


@lab.command("words", examples=("mgtag lab words --lyrics genre.csv.gz --outside DIR",))
def words_command(
    lyrics: Annotated[Path, typer.Option(metavar="FILE", help="The lyrics table, genre.csv.gz.")],
    outside: Annotated[Path, typer.Option(metavar="DIR", help="The table of outside music and its audio.")],
    model: Annotated[str, typer.Option(help="The model whose sound the words vote with.")] = DEFAULT,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the shipped words model; only weigh it anew.")
    ] = False,
    to: ToOption = None,
) -> None:
    """Fit the words model, and weigh it beside the sound of a model; again with every new default model."""
    with train_extra():
        from mgtag_train.report import words
        from mgtag_train.report.records import report_folder
    from mgtag.view import training as view

    with view.TrainingView() as shown:
        written = words.write(lyrics, outside, model, report_folder(to), shown.tell, keep)
    view.show_written(written)


@lab.command("outside", examples=("mgtag lab outside --outside DIR wide-parallel-4 gtzan-parallel-1",))
def outside_command(
    outside: Annotated[Path, typer.Option(metavar="DIR", help="Music of any genre with its tracks.csv.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="Models; by default the default one.", autocompletion=models),
    ] = None,
    to: ToOption = None,
) -> None:
    """Measure models as they tag, on the test pieces of a table of music outside GTZAN."""
    with train_extra():
        from mgtag_train.report import outside_measure
        from mgtag_train.report.records import report_folder
    from mgtag.view import training as view

    folder = report_folder(to)
    with view.TrainingView() as shown:
        written = outside_measure.write(
            names or [DEFAULT], outside, folder, lambda name, done, of: shown.progress(name, done, of, {})
        )
    view.show_written(written)


@lab.command("faithfulness", examples=("mgtag lab faithfulness --features mel.npz",))
def faithfulness_command(
    features: Annotated[Path, typer.Option(metavar="FILE", help="GTZAN's mels, mel.npz.")],
    model: ModelOption = DEFAULT,
    to: ToOption = None,
) -> None:
    """Measure how faithful the explanations of a model are, by removing the frames that they name."""
    with train_extra():
        from mgtag_train.report import faithfulness
        from mgtag_train.report.records import report_folder
    from mgtag.view import training as view

    folder = report_folder(to)
    with view.TrainingView() as shown:
        written = faithfulness.measure_bundle(model, features, folder, shown.tell)
    view.show_written(written)
