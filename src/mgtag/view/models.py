"""Bundles and their cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mgtag.bundle import DEFAULT, Bundle
from mgtag.card import warnings
from mgtag.errors import BundleError
from mgtag.view.text import dumps, printable, stderr, stdout


def show_models(bundles: Sequence[Bundle], as_json: bool) -> None:
    """Print one line a bundle."""
    if as_json:
        for bundle in bundles:
            print(dumps(_card(bundle)))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Model", "answers", "threshold", "MB", "measured", "folder"):
        table.add_column(title, overflow="fold")
    for bundle in bundles:
        card = bundle.card
        size = sum((bundle.folder / file).stat().st_size for file in card.files) / 1e6
        name = Text(printable(card.name), "bold") + Text(" (default)" if card.name == DEFAULT else "", "dim")
        table.add_row(
            name,
            ", ".join(f"{sum(head.writable)} {name}s" for name, head in card.heads.items()),
            "never" if card.genre.threshold is None else f"{card.genre.threshold:.2f}",
            f"{size:.1f}",
            _measured(card.measured),
            printable(bundle.folder),
        )
    stdout().print(table if bundles else "There is no model at hand.")
    for bundle in bundles:
        warn(bundle)


def warn(bundle: Bundle) -> None:
    """Say what must be known before a model tags anything."""
    for sentence in warnings(bundle.card, bundle.card.genre.threshold):
        stderr().print(Text("warning  ", "yellow") + Text(printable(sentence)))


def show_broken(errors: Sequence[BundleError]) -> None:
    """Print what is wrong with the bundles that do not verify."""
    for error in errors:
        stderr().print(Text("broken  ", "bold red") + Text(printable(error)))


def show_card(bundle: Bundle, as_json: bool) -> None:
    """Print a whole card."""
    if as_json:
        print(dumps(_card(bundle)))  # noqa: T201
        return
    tree = Tree(Text(printable(bundle.id), "bold"), guide_style="dim")
    _grow(tree, {k: v for k, v in _card(bundle).items() if k not in {"id", "name"}})
    stdout().print(tree)
    warn(bundle)


def _measured(measured: Mapping[str, Any]) -> str:
    keys = ("track_accuracy", "tagged_share", "tagged_precision")
    try:
        right, dared, precision = (f"{measured['shipped']['test'][key]:.0%}" for key in keys)
    except (KeyError, TypeError, ValueError):  # not measured so, or somebody else's card
        return "nothing"
    return f"right for {right} of test tracks; dares to tag {dared}, and is right for {precision} of those"


def _grow(tree: Tree, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _grow(tree.add(Text(printable(name), "bold")), value)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            tree.add(Text(f"{printable(name)}  ", "dim") + Text(printable(text)))


def _card(bundle: Bundle) -> dict[str, Any]:
    return {"id": bundle.id, "folder": str(bundle.folder)} | asdict(bundle.card)
