"""``mgtag config``: the listener's settings."""

from __future__ import annotations

import os
import shlex
import subprocess

import typer

from mgtag.cli.app import App, Group, app, settings_of

config_app = App(cls=Group, no_args_is_help=True, help="Show and edit your settings.")
app.add_typer(config_app, name="config")


@config_app.command("path", examples=("mgtag config path",))
def path_command() -> None:
    """Print where the settings lie."""
    from mgtag import config

    typer.echo(config.default_path())


@config_app.command("show", examples=("mgtag config show",))
def show_command(context: typer.Context) -> None:
    """Print the settings in force, checked: the file's, and those of MGTAG_ variables over them."""
    import json

    from mgtag import config

    path = config.default_path()
    typer.echo(f"# {path}" + ("" if path.exists() else "\n# not there yet; `mgtag config edit` makes it"))
    for command, settings in settings_of(context.find_root().command).items():
        if settings:
            lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items())
            typer.echo("\n".join(["", f"[{command}]", *lines]))


@config_app.command("edit", examples=("mgtag config edit", "EDITOR=nano mgtag config edit"))
def edit_command(context: typer.Context) -> None:
    """Open the settings in your editor (VISUAL, EDITOR, or the system's), and check them afterwards."""
    from mgtag import config

    path = config.default_path()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config.TEMPLATE, encoding="utf-8")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if editor:
        subprocess.run([*shlex.split(editor), path], check=False)
    else:
        typer.launch(str(path), wait=True)
    show_command(context)
