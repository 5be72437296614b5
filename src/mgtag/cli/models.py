"""``mgtag models``: the bundles at hand."""

from __future__ import annotations

from typing import Annotated

import typer

from mgtag.cli.app import Exit, JsonOption, app


@app.command("models")
def models_command(
    name: Annotated[str | None, typer.Argument(help="Show the whole card of this model.")] = None,
    json: JsonOption = False,
) -> None:
    """List the models at hand, and how good they were measured to be."""
    from mgtag import bundle
    from mgtag.view.models import show_broken, show_card, show_models

    if name is not None:
        show_card(bundle.find(name), json)
        return
    whole, broken = bundle.at_hand()
    show_models(whole, json)
    if broken:
        show_broken(broken)
        raise typer.Exit(Exit.ERROR)
