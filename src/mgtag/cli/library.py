"""``mgtag show`` and ``mgtag list``: the commands that only read."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli.app import app, genre_map, open_index
from mgtag.cli.completing import genres
from mgtag.cli.options import IndexOption, JsonOption, share
from mgtag.library.outcome import STORED, Outcome


class Order(StrEnum):
    """What a list is sorted by."""

    path = "path"
    genre = "genre"
    confidence = "confidence"
    mood = "mood"
    added = "added"


@app.command("show", examples=("mgtag show song.mp3", "mgtag show song.mp3 --json"))
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


@app.command(
    "list",
    examples=(
        "mgtag list 'genre:jazz confidence:90%.. added:-1w..' -f '$artist - $title'",
        "mgtag list ~/Music/Incoming --event unsure --sort confidence",
    ),
)
def list_command(
    terms: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|QUERY...]", help="Only below these; only what these terms hold for."),
    ] = None,
    genre: Annotated[
        str | None,
        typer.Option(
            "--genre", "-g", help="Only files tagged with this genre, or heard as it.", autocompletion=genres
        ),
    ] = None,
    mood: Annotated[
        str | None, typer.Option(help="Only files tagged with this mood, or heard as it.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Only where artist, title, album or path hold these.")
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Only answers at least as sure.")
    ] = 0.0,
    max_confidence: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Only answers at most as sure.")
    ] = 1.0,
    event: Annotated[
        Outcome | None,
        typer.Option(metavar="|".join(STORED), help="Only files for which the last scan ended so."),
    ] = None,
    sort: Annotated[Order, typer.Option(help="Order of the rows.")] = Order.path,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values with a header line.")] = False,
    form: Annotated[
        str | None, typer.Option("--format", "-f", help="A line a file, such as '$artist - $title'.")
    ] = None,
    m3u: Annotated[
        Path | None, typer.Option("--m3u", metavar="FILE", help="Write a playlist that players read.")
    ] = None,
    index: IndexOption = None,
) -> None:
    """List the files of the index, by folder and by query.

    A query is as in beets: `genre:jazz confidence:90%.. added:-1w.. artist:"Nina Simone"`; `^` before a
    term turns it round, a comma of its own means or. The fields stand in the user guide.
    """
    if json + csv + (form is not None) + (m3u is not None) > 1:
        raise typer.BadParameter("--json, --csv, --format and --m3u exclude each other.")
    if event is Outcome.FRESH:
        raise typer.BadParameter("a fresh file keeps the outcome that it had.", param_hint="--event")
    from mgtag.library.lookup import matching
    from mgtag.library.records import Filter
    from mgtag.view.listing import show_tracks, write_playlist

    words = terms or []
    folders = tuple(Path(word).expanduser() for word in words if _is_path(word))
    wanted = Filter(
        folders=folders,
        genre=genre,
        mood=mood,
        min_confidence=min_confidence,
        max_confidence=max_confidence,
        outcome=event,
        text=search,
        order=sort.value,
        spelling=genre_map().canonical,
    )
    with open_index(index) as store:
        tracks = matching(store, wanted, [word for word in words if not _is_path(word)])
        if m3u is not None:
            write_playlist(m3u, tracks)
        else:
            show_tracks(tracks, "json" if json else "csv" if csv else "table", form)


def _is_path(word: str) -> bool:
    """Tell a folder or a file from a query: it is there, or is written as only a path is."""
    return os.path.lexists(Path(word).expanduser()) or word.startswith(("/", "./", "../", "~"))
