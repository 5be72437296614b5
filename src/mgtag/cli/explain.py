"""``mgtag explain``: where in the song the genre was heard."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import Exit, app, open_index
from mgtag.cli.completing import genres
from mgtag.cli.options import Device, DeviceOption, IndexOption, JsonOption, ModelOption, NoLyricsOption


class Method(StrEnum):
    """Where the weights come from."""

    occlusion = "occlusion"
    gradient = "gradient"
    attention = "attention"


@app.command("explain", examples=("mgtag explain song.mp3", "mgtag explain song.mp3 --html song.html"))
def explain_command(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]", help="Music files.")] = None,
    genre: Annotated[
        list[str] | None,
        typer.Option(
            "--genre",
            "-g",
            help="Instead of files: where attention falls in the index's tracks of this genre.",
            autocompletion=genres,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page that plays the song; a folder for several songs."),
    ] = None,
    embed_audio: Annotated[
        bool, typer.Option("--embed-audio", help="Put the song into the page instead of a link to it.")
    ] = False,
    png: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a picture (or .svg, .pdf); a folder for several songs."),
    ] = None,
    mood: Annotated[
        bool, typer.Option("--mood", help="Explain the mood instead of the genre; not every model hears it.")
    ] = False,
    no_lyrics: NoLyricsOption = False,
    method: Annotated[Method, typer.Option(help="How the weights are found.")] = Method.occlusion,
    model: ModelOption = DEFAULT,
    device: DeviceOption = Device.auto,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Show where in a song its genre was heard.

    Every slice is heard, and every frame weighed: what happens to the genre's probability when that
    moment falls silent?
    """
    if bool(files) == bool(genre):
        raise typer.BadParameter("give either music files or --genre.")
    if genre and (html or png or mood):
        raise typer.BadParameter("--html, --png and --mood are for songs, not for a --genre.")
    if embed_audio and html is None:
        raise typer.BadParameter("--embed-audio needs --html.")

    from mgtag import bundle

    found = bundle.find(model)
    if genre:
        from mgtag.explain.attention_profile import profile
        from mgtag.view.profiles import show_profile

        with open_index(index) as store:
            for name in genre:
                show_profile(profile(store, found.id, found.card, name), json)
        return

    from mgtag.audio import probe
    from mgtag.errors import AudioError
    from mgtag.explain.explain_file import explain_file
    from mgtag.inference import Tagger
    from mgtag.library.lookup import check_files
    from mgtag.view.explaining import ExplainView

    songs, head = files or [], "mood" if mood else "genre"
    check_files(songs)
    tagger = Tagger(found, device.value)
    view = ExplainView(found, html, png, json, embed_audio, several=len(songs) > 1)
    for path in songs:
        try:
            with view.listening(probe(path).duration_s) as (heard, explained):
                made, sound = explain_file(path, tagger, method.value, head, heard, explained, not no_lyrics)
        except (AudioError, OSError) as error:
            view.fail(path, error)
        else:
            view.show(path, made, sound)
    if view.failed:
        raise typer.Exit(Exit.SOME_FAILED)
