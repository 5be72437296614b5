"""``mgtag watch``: tag what arrives."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event as Flag
from typing import Annotated

import typer

from mgtag.bundle_folders import DEFAULT
from mgtag.cli.app import Exit, after_scan, app, fields, genre_map, hooks, open_index
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


@app.command("watch", examples=("mgtag watch ~/Music", "mgtag watch --poll /mnt/nas/Music"))
def watch_command(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders to watch.")],
    poll: Annotated[
        bool, typer.Option("--poll", help="Look every 10 s, for network drives that tell of no changes.")
    ] = False,
    still: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Tag a file that did not change for so long.")
    ] = 10.0,
    threshold: ThresholdOption = None,
    mood: MoodOption = False,
    bpm: BpmOption = False,
    key: KeyOption = False,
    no_lyrics: NoLyricsOption = False,
    jobs: ListenersOption = None,
    model: ModelOption = DEFAULT,
    device: DeviceOption = Device.auto,
    yes: YesOption = False,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Watch folders, and tag what arrives in them once it is still.

    What came while nobody watched is tagged first. Ctrl-C or SIGTERM ends it; every file is whole.
    """
    from mgtag import bundle
    from mgtag.inference import Tagger
    from mgtag.library.events import Event, Found
    from mgtag.library.policy import Policy
    from mgtag.library.roots import check_roots
    from mgtag.library.scan import scan
    from mgtag.library.watch import watch
    from mgtag.view.scanning import ScanView
    from mgtag.workers import executor

    written = fields(mood=mood, bpm=bpm, key=key)
    policy, command = (
        Policy(threshold=threshold, fields=written, genre_map=genre_map(), lyrics=not no_lyrics),
        " ".join(["watch", *map(str, folders)]),
    )
    if not yes:
        check_roots(folders, policy)
    commands = hooks()
    tagger = Tagger(bundle.find(model), device.value)

    def tag(paths: Sequence[Path]) -> Generator[Event, None, None]:
        before, run = view.counts["tagged"], 0
        with (
            open_index(index) as store,
            store.sole_writer(),
            executor(jobs or os.cpu_count() or 1, tagger.device) as pool,
            closing(scan(paths, tagger, store, policy, pool, command)) as events,
        ):
            for event in events:
                run = event.run if isinstance(event, Found) else run
                yield event
        after_scan(commands, run, view.counts["tagged"] - before)

    stop = Flag()
    view = ScanView(json, verbosity=1)

    def end(*_: object) -> None:
        stop.set()
        signal.raise_signal(signal.SIGINT)  # which waits for a write that has begun

    signal.signal(signal.SIGTERM, end)
    try:
        for event in watch(folders, tag, stop, still, poll):
            view.show(event)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.OK if stop.is_set() else Exit.INTERRUPTED) from None
