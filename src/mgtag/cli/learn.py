"""``mgtag learn``: the listener's own genres."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import app, genre_map, open_index
from mgtag.cli.completing import models
from mgtag.cli.options import Device, IndexOption, JsonOption, ListenersOption


class Source(StrEnum):
    """Where a song's genre is."""

    tags = "tags"
    folders = "folders"


@app.command(
    "learn",
    examples=(
        "mgtag learn ~/Music --dry-run",
        "mgtag learn ~/Music && mgtag scan --model mine ~/Music/Incoming",
        "mgtag learn --from folders ~/Sorted --name sorted",
        "mgtag learn --update",
    ),
)
def learn_command(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="Music to learn from; default: all that the index knows."),
    ] = None,
    source: Annotated[
        Source,
        typer.Option(
            "--from", help="Genres from tags that you wrote, or from the names of the folders below PATH."
        ),
    ] = Source.tags,
    name: Annotated[str, typer.Option("--name", help="Name of the new model.")] = "mine",
    base: Annotated[
        str,
        typer.Option(
            "--base", help="The model whose hearing it stands on; see `mgtag models`.", autocompletion=models
        ),
    ] = DEFAULT,
    update: Annotated[
        bool, typer.Option("--update", help="Learn it again, from what it was learned from before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what it could promise, and make no model.")
    ] = False,
    jobs: ListenersOption = None,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Learn your own genres from files that you tagged by hand, as a model to scan with.

    What mgtag wrote itself is not learned from. A table shows what the model can promise, measured on songs
    of artists that it had not heard; genres that it cannot tell are left out, by name.
    """
    if update and (paths or _given(context, "source", "base")):
        raise typer.BadParameter("--update learns from what the model was learned from before, on its base.")
    if source is Source.folders and not paths:
        raise typer.BadParameter("--from folders needs the folder whose subfolders are genres.")

    from mgtag.api import load_model
    from mgtag.learn import learning
    from mgtag.view.learning import LearnView
    from mgtag.workers import executor

    absolute = tuple(path.expanduser().absolute() for path in paths or ())
    settings = learning.again(name) if update else learning.Settings(absolute, source.value, name, base)
    settings = replace(settings, dry_run=dry_run, genre_map=genre_map())
    tagger = load_model(settings.base, Device.auto.value)
    view = LearnView(json)
    with (
        open_index(index) as store,
        store.sole_writer(),
        executor(jobs or os.cpu_count() or 1, tagger.device) as pool,
        view.progress,
        closing(learning.learn(settings, tagger, store, pool)) as events,
    ):
        outcome = view.follow(events)
    view.show(outcome, settings)


def _given(context: typer.Context, *names: str) -> bool:
    """Say whether an option stands on the command line."""
    sources = (context.get_parameter_source(name) for name in names)
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)
