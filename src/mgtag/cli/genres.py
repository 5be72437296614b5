"""``mgtag genres``: what is written for each genre that a model hears."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import app, genre_map
from mgtag.cli.options import JsonOption, ModelOption


@app.command("genres", examples=("mgtag genres", "mgtag genres --model mine --tree genres-tree.yaml"))
def genres_command(
    model: ModelOption = DEFAULT,
    tree: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Show what a genre tree, as beets reads it, would put before them."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the genres that a model hears, and what is written for each.

    `[genres]` in your settings says so: other words, several values, parents, what is never written.
    """
    from mgtag import bundle, config
    from mgtag.library.genre_map import read_tree
    from mgtag.view.genres import show_genres

    mapped = genre_map()
    if tree is not None:
        mapped = replace(mapped, parents=read_tree(tree), with_parents=True)
    show_genres(bundle.find(model).card, mapped, config.default_path(), json)
