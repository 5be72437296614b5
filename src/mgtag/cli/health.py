"""``mgtag check`` and ``mgtag doctor``: whether all is as it should be."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from mgtag.cli.app import Exit, app, open_index
from mgtag.cli.options import IndexOption, JsonOption


@app.command("check", examples=("mgtag check", "mgtag check --mend"))
def check_command(
    mend: Annotated[
        bool,
        typer.Option("--mend", help="Make index and journal say what the files say; no file is changed."),
    ] = False,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Compare index, journal and files, and name every difference."""
    from mgtag.library.check import check
    from mgtag.view.health import CheckView

    view = CheckView(json)
    with open_index(index) as store, store.sole_writer() if mend else nullcontext(), view.status:
        for event in check(store, mend):
            view.show(event)
    if view.mendable:
        raise typer.Exit(Exit.SOME_FAILED)


@app.command("doctor", examples=("mgtag doctor > report.txt",))
def doctor_command(json: JsonOption = False, index: IndexOption = None) -> None:
    """Tell versions, devices, codecs, paths, index and models, for a bug report.

    Your home folder is written as ~; nothing is sent anywhere.
    """
    from mgtag.doctor import examine
    from mgtag.view.health import show_facts

    show_facts(examine(index), json)
