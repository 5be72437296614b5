"""``mgtag models``: the bundles at hand, and one that can be had."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mgtag.cli import completing
from mgtag.cli.app import App, Exit, Group, app
from mgtag.cli.options import JsonOption


class Installable(StrEnum):
    """Models that others trained, and that mgtag makes into bundles."""

    musicnn = "musicnn"


class _Models(Group):
    """Takes a word that is no command for a model's name: ``mgtag models musicnn`` shows its card."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


models = App(cls=_Models, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND]")
app.add_typer(models, name="models")


@models.callback()
def models_command(ctx: typer.Context, json: JsonOption = False) -> None:
    """List the models at hand, and how good they were measured to be.

    With a name, the whole card of that model.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = json
        return
    from mgtag import bundle
    from mgtag.view.models import show_broken, show_models

    whole, broken = bundle.at_hand()
    show_models(whole, json)
    if broken:
        show_broken(broken)
        raise typer.Exit(Exit.ERROR)


@models.command("show", examples=("mgtag models show", "mgtag models show wide-parallel-4"))
def show_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A model's name or folder.", autocompletion=completing.models)],
    json: JsonOption = False,
) -> None:
    """Show the whole card of a model."""
    from mgtag import bundle
    from mgtag.view.models import show_card

    show_card(bundle.find(name), json or ctx.obj)


@models.command("install", examples=("mgtag models install musicnn", "mgtag scan --model musicnn ~/Music"))
def install_command(
    name: Annotated[Installable, typer.Argument(help="The model.")],
    wheel: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its wheel, where pip shall not fetch it.")
    ] = None,
) -> None:
    """Install a model that others trained: musicnn, by Pons and Serra, with heads that were trained here.

    pip fetches its wheel from the index that you have configured; mgtag checks it and makes a bundle of it.
    """
    from mgtag.install import musicnn
    from mgtag.view.models import fetching, show_installed

    with fetching(musicnn.WHEEL.size) as tell:
        made = musicnn.install(wheel, tell)
    show_installed(made)


@models.command("remove", examples=("mgtag models remove musicnn", "mgtag models remove mine"))
def remove_command(
    name: Annotated[str, typer.Argument(help="The model.", autocompletion=completing.models)],
) -> None:
    """Remove a model that was installed or learned."""
    from mgtag.install import musicnn
    from mgtag.learn import own_bundle
    from mgtag.view.models import show_removed

    show_removed(musicnn.remove() if name == Installable.musicnn else own_bundle.remove(name))
