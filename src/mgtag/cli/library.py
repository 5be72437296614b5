"""``mgtag show`` and ``mgtag list``: the commands that only read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli.app import IndexOption, JsonOption, app, open_index, share


class Order(StrEnum):
    """What a list is sorted by."""

    path = "path"
    genre = "genre"
    confidence = "confidence"


class Outcome(StrEnum):
    """How the last scan ended for a file."""

    tagged = "tagged"
    kept = "kept"
    unsure = "unsure"
    too_short = "too_short"
    failed = "failed"
    heard = "heard"
    undone = "undone"


@app.command("show")
def show_command(
    file: Annotated[Path, typer.Argument(help="A music file.")],
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Show what a file's tags say, and what mgtag heard in it."""
    from mgtag.library.lookup import file_info
    from mgtag.view.library import show_track

    with open_index(index) as store:
        show_track(file_info(file, store), json)


@app.command("list")
def list_command(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH...]", help="Only below these.")
    ] = None,
    genre: Annotated[
        str | None, typer.Option("--genre", "-g", help="Only files tagged with this genre, or heard as it.")
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Only answers at least as sure.")
    ] = 0.0,
    max_confidence: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Only answers at most as sure.")
    ] = 1.0,
    event: Annotated[
        Outcome | None, typer.Option(help="Only files for which the last scan ended so.")
    ] = None,
    sort: Annotated[Order, typer.Option(help="Order of the rows.")] = Order.path,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values with a header line.")] = False,
    index: IndexOption = None,
) -> None:
    """List the files of the index, by genre, confidence or folder."""
    if json and csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    from mgtag.library.lookup import Filter, matching
    from mgtag.view.library import show_tracks

    wanted = Filter(
        tuple(folders or ()),
        genre,
        min_confidence,
        max_confidence,
        event.value if event else None,
        sort.value,
    )
    with open_index(index) as store:
        show_tracks(list(matching(store, wanted)), "json" if json else "csv" if csv else "table")
