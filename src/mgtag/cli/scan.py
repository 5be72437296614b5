"""``mgtag scan``: listen, and tag."""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import Exit, after_scan, app, fields, genre_map, hooks
from mgtag.cli.options import (
    BpmOption,
    Device,
    DeviceOption,
    IndexOption,
    JsonOption,
    KeyOption,
    ListenersOption,
    ModelOption,
    MoodOption,
    NoLyricsOption,
    ThresholdOption,
    YesOption,
)

if TYPE_CHECKING:
    from mgtag.inference import Amount


def amount(value: str | int) -> int | str:
    """Read how many slices to hear: auto, all, or a number."""
    text = str(value).strip()
    if text in ("auto", "all"):
        return text
    if not text.isdecimal() or not int(text):
        raise typer.BadParameter(f"{text!r} is no number of slices; give auto, all, or one like 30.")
    return int(text)


class Per(StrEnum):
    """What has one genre."""

    track = "track"
    album = "album"
    artist = "artist"


@app.command(
    "scan",
    examples=("mgtag scan --dry-run ~/Music", "mgtag scan ~/Music --append --threshold 0.9"),
)
def scan_command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders and files to listen to.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Listen and tell what would happen, but write no tag.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Fill genres that are empty or a placeholder (the default).")
    ] = False,
    append: Annotated[bool, typer.Option("--append", help="Add to the genres that are there.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the genres that are there.")
    ] = False,
    threshold: ThresholdOption = None,
    per: Annotated[
        Per, typer.Option(help="Whose genre is written: the file's own, or its album's or artist's.")
    ] = Per.track,
    top: Annotated[int, typer.Option(min=1, help="Write up to so many genres, if likelier than chance.")] = 1,
    jobs: ListenersOption = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Listen on the workers of a Dask cluster, as tcp://HOST:8786."),
    ] = None,
    model: ModelOption = DEFAULT,
    device: DeviceOption = Device.auto,
    slices: Annotated[
        str,
        typer.Option(
            parser=amount,
            metavar="auto|all|N",
            help="Slices of 3 s to hear: as many as the answer needs, 30 at most; every one; or N.",
        ),
    ] = "auto",
    mood: MoodOption = False,
    bpm: BpmOption = False,
    key: KeyOption = False,
    no_lyrics: NoLyricsOption = False,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Fill the index only.")] = False,
    hard_links: Annotated[
        bool, typer.Option("--hard-links", help="Also write to files that have several names (parting them).")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Listen again to files that did not change.")
    ] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell failures only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell a line for every file.")] = False,
    index: IndexOption = None,
) -> None:
    """Listen to music and write the genre into every file that has none.

    What is unsure stays unwritten, what you wrote by hand stays yours, and `mgtag undo` puts
    every file back byte for byte.
    """
    if keep + append + overwrite > 1:
        raise typer.BadParameter("--keep, --append and --overwrite exclude each other.")
    mode: Literal["keep", "append", "overwrite"] = (
        "append" if append else "overwrite" if overwrite else "keep"
    )

    from mgtag.api import load_model, scan
    from mgtag.card import warnings
    from mgtag.library.policy import Policy
    from mgtag.library.roots import check_roots
    from mgtag.view.scanning import ScanView

    so_many = cast("Amount", slices)  # as `amount` reads it
    written = fields(mood=mood, bpm=bpm, key=key)
    policy = Policy(
        mode,
        threshold,
        top,
        not no_tags,
        dry_run,
        force,
        hard_links,
        so_many,
        written,
        per.value,
        genre_map(),
        not no_lyrics,
    )
    if not yes:
        check_roots(paths, policy)
    commands = hooks()
    tagger = load_model(model, device.value)
    view = ScanView(json, -1 if quiet else int(verbose), dry_run)
    card = tagger.bundle.card
    view.warn(warnings(card, card.genre.threshold if threshold is None else threshold))
    interrupted = False
    try:
        heard = scan(paths, policy, model=tagger, index=index, jobs=jobs, cluster=cluster)
        with view.progress, closing(heard) as events:
            for event in events:
                view.show(event)
    except KeyboardInterrupt:
        interrupted = True
    at = "" if index is None else f" --index {quote(str(index))}"
    view.summary(interrupted, _program(), _again(sys.argv[1:]), at)
    if interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    after_scan(commands, view.run, 0 if dry_run else view.counts["tagged"])
    if view.counts["failed"]:
        raise typer.Exit(Exit.SOME_FAILED)


def _program() -> str:
    """Return how mgtag was called: by its name where that leads to it."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m mgtag"
    found = shutil.which("mgtag")
    plain = str(called) == "mgtag" or (found is not None and called.exists() and called.samefile(found))
    return "mgtag" if plain else quote(str(called))


def _again(arguments: list[str]) -> str:
    """Return the words of the command that writes what this one told; none where no option made it dry."""
    short = re.compile("-[a-z]+")
    words = [word.replace("n", "", 1) if short.fullmatch(word) else word for word in arguments]
    words = [word for word in words if word not in ("-", "--dry-run")]
    return "" if words == arguments else join(word for word in words if word != "--force")
