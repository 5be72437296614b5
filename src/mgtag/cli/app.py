"""The Typer application and what its commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from mgtag.errors import AudioError, MgtagError, TagError, UsageError
from mgtag.version import __version__

if TYPE_CHECKING:
    from mgtag.hooks import Hooks
    from mgtag.library.genre_map import GenreMap
    from mgtag.library.index import Index


F = TypeVar("F", bound=Callable[..., Any])


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SOME_FAILED = 3
    INTERRUPTED = 130


def exit_code(error: MgtagError) -> Exit:
    """Return the exit code for an error that ended a command."""
    if isinstance(error, UsageError):
        return Exit.USAGE
    return Exit.SOME_FAILED if isinstance(error, AudioError | TagError) else Exit.ERROR


# Where a command and an option stand on a help page, and in which order.
COMMANDS = {
    "Tag": "scan watch undo withdraw log check",
    "Look": "show list explain similar playlist map",
    "Models": "models learn train lab",
    "Setup": "config genres doctor",
}
OPTIONS = {
    "Tags": "keep append overwrite threshold per top mood bpm key no_tags hard_links yes",
    "Listening": "model device slices no_lyrics jobs cluster force",
    "Output": "json csv form m3u html png embed_audio quiet verbose index",
}
_PANELS = {name: panel for panel, names in (COMMANDS | OPTIONS).items() for name in names.split()}


class _PlainFlags:
    """Shows no type behind a flag: typer's help page says ``<bool>`` there."""

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
            param.show_envvar = False  # every option has one; the guide says how they are called
            if param.param_type_name == "option":
                param.rich_help_panel = _PANELS.get(param.name)
        return params


class Command(_PlainFlags, TyperCommand):
    """A command of mgtag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an empty argument: an unset variable, which as a path would be the current folder."""
        if "" in args or any(a.startswith("--") and a.endswith("=") for a in args):
            raise typer.BadParameter("an argument is empty; is a variable unset?", ctx=ctx)
        return super().parse_args(ctx, args)


class Group(_PlainFlags, TyperGroup):
    """A command with commands of its own."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of the help page."""
        if ctx.parent is not None:
            return list(self.commands)
        order = {name: place for place, name in enumerate(" ".join(COMMANDS.values()).split())}
        return sorted(super().list_commands(ctx), key=lambda name: order.get(name, -1))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, in its place on the help page."""
        command: Any = super().get_command(ctx, cmd_name)
        if command is not None and ctx.parent is None:
            command.rich_help_panel = _PANELS.get(cmd_name)
        return command


class App(typer.Typer):
    """A Typer application whose commands and groups are ours."""

    def command(  # type: ignore[override]
        self, name: str, *, examples: tuple[str, ...] = (), **settings: Any
    ) -> Callable[[F], F]:
        """Register a command, with examples below its options; see `typer.Typer.command`."""
        if examples:
            settings["epilog"] = "\n\n".join(["**Examples**", *(f"`{line}`" for line in examples)])
        return super().command(name, cls=Command, **settings)


app = App(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "MGTAG"},
    epilog="Exit codes: 0 all well, 1 mgtag could not work, 2 usage, 3 some files failed, 130 interrupted.",
)


def fields(**wanted: bool) -> tuple[str, ...]:
    """Return the fields to write: the genre, and after it those that are wanted."""
    return ("genre", *(name for name, is_wanted in wanted.items() if is_wanted))


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mgtag {__version__}")
        raise typer.Exit


def settings_of(group: Any) -> dict[str, dict[str, Any]]:
    """Return the listener's defaults for the options of each command; see `mgtag.config`."""
    from mgtag import config

    options = {
        name: {p.name for p in command.params if p.param_type_name == "option"}
        for name, command in group.commands.items()
        if not hasattr(command, "commands")
    }
    path = config.default_path()
    return config.defaults(config.read(path), options, path, os.environ)


def hooks() -> Hooks:
    """Return the listener's own commands, of the settings."""
    from mgtag import config
    from mgtag.hooks import read_hooks

    path = config.default_path()
    return read_hooks(config.read(path).get("hooks", {}), path)


def after_scan(commands: Hooks, run: int, tagged: int) -> None:
    """Run the listener's own command after a scan that wrote, and say if it failed."""
    from mgtag.hooks import run_hook

    if tagged and (sentence := run_hook(commands, "after_scan", run=run, tagged=tagged)):
        from mgtag.view.text import printable, stderr

        stderr().print(printable(sentence))


def genre_map() -> GenreMap:
    """Return what the listener's settings say is written for each genre."""
    from mgtag import config
    from mgtag.library.genre_map import read_genre_map

    path = config.default_path()
    table = config.read(path).get("genres", {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: genres is no table; write [genres] above its settings.")
    return read_genre_map(table, path)


@app.callback()
def _mgtag(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Listen to a music folder and write the genre into every file that has none, undoably."""
    if context.invoked_subcommand != "config":  # which mends what is wrong there
        context.default_map = settings_of(context.command)


def open_index(path: Path | None) -> Index:
    """Open the index that was asked for, or the user's own."""
    from mgtag.library.index import Index, default_path

    return Index(path or default_path())
