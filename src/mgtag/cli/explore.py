"""``mgtag similar``, ``mgtag playlist`` and ``mgtag map``: what lies near what."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgtag.cli.app import app, open_index
from mgtag.cli.completing import genres, models
from mgtag.cli.options import IndexOption, JsonOption

if TYPE_CHECKING:
    from mgtag.explore.space import Space

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="Whose hearing counts; default: the model that heard most.", autocompletion=models
    ),
]
M3uOption = Annotated[
    Path | None, typer.Option("--m3u", metavar="FILE", help="Write a playlist that players read.")
]


class Method(StrEnum):
    """How the map is laid out."""

    auto = "auto"
    tsne = "tsne"
    pca = "pca"


def length(value: str | float) -> float:
    """Read a length of time, in seconds: 60m, 1h30m, 90 (minutes)."""
    text = str(value).strip().lower()
    found = re.fullmatch(r"(?:(\d+)h)?\s*(?:(\d+)m?)?", text)
    if not text or found is None or not any(found.groups()):
        raise typer.BadParameter(f"{text!r} is no length; give one like 60m or 1h30m.")
    hours, mins = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + mins * 60)


@app.command(
    "similar",
    examples=("mgtag similar song.mp3", "mgtag similar --plus blues --plus pop --minus country"),
)
def similar_command(
    songs: Annotated[
        list[Path] | None, typer.Argument(metavar="[SONG...]", help="Songs that the index knows.")
    ] = None,
    plus: Annotated[
        list[str] | None,
        typer.Option(metavar="GENRE", help="Further in the direction of a genre.", autocompletion=genres),
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(metavar="GENRE", help="Away from a genre.", autocompletion=genres)
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many songs to show.")] = 20,
    m3u: M3uOption = None,
    json: JsonOption = False,
    model: ModelOption = None,
    index: IndexOption = None,
) -> None:
    """Show the songs of the index that sound most like these, or like a sum of genres."""
    if not (songs or plus or minus):
        raise typer.BadParameter("give a song, or genres with --plus and --minus.")
    from mgtag.explore.space import blend, load_space
    from mgtag.view.near import show_near

    with open_index(index) as store:
        space = load_space(store, model)
    seeds = [space.find(song) for song in songs or ()]
    found = space.nearest(blend(space, seeds, plus or (), minus or ()), count, seeds)
    numbers, nearness = [n for n, _ in found], [c for _, c in found]
    show_near(space, numbers, nearness, json)
    _write(space, numbers, m3u)


@app.command(
    "playlist",
    examples=("mgtag playlist song.mp3 --length 60m --m3u evening.m3u8", "mgtag playlist a.mp3 b.mp3"),
)
def playlist_command(
    seeds: Annotated[list[Path], typer.Argument(metavar="SEED...", help="Songs to begin with.")],
    length_s: Annotated[
        float, typer.Option("--length", parser=length, metavar="TIME", help="How long: 60m, 1h30m.")
    ] = "60m",  # type: ignore[assignment]
    m3u: M3uOption = None,
    json: JsonOption = False,
    model: ModelOption = None,
    index: IndexOption = None,
) -> None:
    """Make a playlist around some songs: each near the one before, no artist twice in a row."""
    from mgtag.explore.playlist import playlist
    from mgtag.explore.space import load_space
    from mgtag.view.near import show_near, total_s
    from mgtag.view.text import minutes, stderr

    with open_index(index) as store:
        space = load_space(store, model)
    numbers = playlist(space, [space.find(seed) for seed in seeds], length_s)
    show_near(space, numbers, None, json)
    if (seconds := total_s(space, numbers)) < length_s:
        stderr().print(f"The library has no more that may follow: {minutes(seconds)} of {minutes(length_s)}.")
    _write(space, numbers, m3u)


@app.command("map", examples=("mgtag map library.html", "mgtag map library.html --method pca"))
def map_command(
    target: Annotated[Path, typer.Argument(metavar="FILE.html", help="The page to write.")],
    method: Annotated[
        Method, typer.Option(help="t-SNE (extra mgtag[map]) or principal components.")
    ] = Method.auto,
    model: ModelOption = None,
    index: IndexOption = None,
) -> None:
    """Write a page on which the library lies in two dimensions: search, zoom, play, save a playlist."""
    from mgtag.explore.layout import positions
    from mgtag.explore.space import load_space
    from mgtag.view.map_page import write_map
    from mgtag.view.text import stderr

    with open_index(index) as store:
        space = load_space(store, model)
    console = stderr()
    with console.status(f"laying out {len(space.tracks):,} songs"):
        points, taken = positions(space, method.value)
    write_map(target, space, points, taken)
    console.print(f"{target}: {len(space.tracks):,} songs; open it in a browser.")


def _write(space: Space, numbers: list[int], m3u: Path | None) -> None:
    if m3u is None:
        return
    from mgtag.library.paths import from_text
    from mgtag.view.m3u import write_m3u
    from mgtag.view.text import stderr

    count = write_m3u(m3u, ((Path(from_text(space.tracks[n].path)), space.tracks[n]) for n in numbers))
    stderr().print(f"{m3u}: {count:,} songs.")
