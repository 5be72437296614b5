"""``mgtag undo``, ``mgtag withdraw`` and ``mgtag log``: take back what was written, and see what was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgtag.cli import completing
from mgtag.cli.app import Exit, app, open_index
from mgtag.cli.options import IndexOption, JsonOption, share

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Tell what would happen; change nothing.")
]
LeaveOption = Annotated[
    bool,
    typer.Option("--and-leave", help="Remember it as your decision: no scan writes the same there again."),
]


@app.command("undo", examples=("mgtag undo", "mgtag undo 3", "mgtag undo ~/Music/Incoming --genre Rock -n"))
def undo_command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN | PATH...]",
            help="A run's number, or files and folders; default: the last run that changed a file.",
            autocompletion=completing.runs,
        ),
    ] = None,
    genre: Annotated[
        str | None,
        typer.Option(
            "--genre",
            "-g",
            help="Only where mgtag wrote this genre, in any run.",
            autocompletion=completing.genres,
        ),
    ] = None,
    dry_run: DryRunOption = False,
    and_leave: LeaveOption = False,
    list_: Annotated[bool, typer.Option("--list", help="List the runs, and undo nothing.")] = False,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Put tags back as they were before mgtag wrote them, byte for byte.

    A file that somebody changed since is left alone, and said so.
    """
    from mgtag.library.undo import Which, undo
    from mgtag.view.runs import show_runs
    from mgtag.view.undoing import UndoView

    runs = [int(word) for word in what or () if word.isdecimal()]
    if len(runs) > 1:
        raise typer.BadParameter("one run at a time; ./3 is the folder called 3.")
    which = Which(
        run=next(iter(runs), None),
        paths=tuple(Path(word) for word in what or () if not word.isdecimal()),
        genre=genre,
    )
    with open_index(index) as store:
        if list_:
            show_runs(store.runs(), store.entries(), json)
            return
        view = UndoView(json, dry_run)
        with store.sole_writer(), view.status:
            for event in undo(store, which, dry_run, and_leave):
                view.show(event)
    view.summary()
    if view.refused:
        raise typer.Exit(Exit.SOME_FAILED)


@app.command(
    "withdraw",
    examples=("mgtag withdraw --below 0.9 --dry-run", "mgtag withdraw --below 90% ~/Music/Incoming"),
)
def withdraw_command(
    below: Annotated[
        float,
        typer.Option(parser=share, metavar="SHARE", help="Confidence, 0.9 or 90%, under which to take back."),
    ],
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH...]", help="Only below these.")] = None,
    dry_run: DryRunOption = False,
    and_leave: LeaveOption = False,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Put back the files of whose genre mgtag was less sure than you want it to be.

    Only what mgtag wrote and nobody changed since; whatever the run.
    """
    from mgtag.library.withdraw import withdraw
    from mgtag.view.undoing import UndoView

    view = UndoView(json, dry_run)
    with open_index(index) as store, store.sole_writer(), view.status:
        for event in withdraw(store, below, tuple(paths or ()), dry_run, and_leave):
            view.show(event)
    view.summary()
    if view.refused:
        raise typer.Exit(Exit.SOME_FAILED)


@app.command("log", examples=("mgtag log", "mgtag log 3"))
def log_command(
    run: Annotated[
        int | None,
        typer.Argument(
            metavar="[RUN]", help="Every file that this run changed.", autocompletion=completing.runs
        ),
    ] = None,
    json: JsonOption = False,
    index: IndexOption = None,
) -> None:
    """Show the runs and what each of them wrote; with a number, every file that it changed."""
    from mgtag.library.undo import entries_of
    from mgtag.view.runs import show_entries, show_runs

    with open_index(index) as store:
        if run is None:
            show_runs(store.runs(), store.entries(), json)
        else:
            show_entries(entries_of(store, run), json)
