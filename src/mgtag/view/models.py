"""Bundles and their cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mgtag.bundle import DEFAULT, Bundle
from mgtag.card import BASE, warnings
from mgtag.errors import BundleError
from mgtag.view.text import BAD, CARE, dumps, printable, stderr, stdout
from mgtag.words import weight_beside, words_card

# Share of test tracks whose best answer is right, share that is tagged, share of the tags that is right: of a
# bundle for music of any genre (accepted: the genre, or its parent), and of one for a single data set.
MEASURES = (
    ("genre_accuracy", "coverage", "accepted"),
    ("track_accuracy", "tagged_share", "tagged_precision"),
)


def show_models(bundles: Sequence[Bundle], as_json: bool) -> None:
    """Print one line a bundle."""
    if as_json:
        for bundle in bundles:
            print(dumps(_card(bundle)))  # noqa: T201
        return
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = ("Model", "answers", "threshold", "MB", "measured", "folder")
    shown = len(titles) - (console.width < 120)  # where a model lies, `mgtag models NAME` tells too
    for title in titles[:shown]:
        table.add_column(title, overflow="fold", no_wrap=title == "Model")
    for bundle in bundles:
        card = bundle.card
        size = sum((bundle.folder / file).stat().st_size for file in card.files) / 1e6
        name = Text.assemble(
            (printable(card.name), "bold"), ("\n(default)" if card.name == DEFAULT else "", "dim")
        )
        cells = (
            name,
            ", ".join(f"{sum(h.writable)} {name}s" for name, h in card.heads.items() if name != BASE),
            "never" if card.genre.threshold is None else f"{card.genre.threshold:.2f}",
            f"{size:.1f}",
            _measured(card.measured),
            printable(bundle.folder),
        )
        table.add_row(*cells[:shown])
    console.print(table if bundles else "There is no model at hand.")
    for bundle in bundles:
        warn(bundle)


def warn(bundle: Bundle) -> None:
    """Say what must be known before a model tags anything."""
    for sentence in warnings(bundle.card, bundle.card.genre.threshold):
        stderr().print(Text.assemble(("warning  ", CARE), printable(sentence)))


def show_broken(errors: Sequence[BundleError]) -> None:
    """Print what is wrong with the bundles that do not verify."""
    for error in errors:
        stderr().print(Text.assemble(("broken  ", f"bold {BAD}"), printable(error)))


def show_card(bundle: Bundle, as_json: bool) -> None:
    """Print a whole card."""
    if as_json:
        print(dumps(_card(bundle)))  # noqa: T201
        return
    tree = Tree(Text(printable(bundle.id), "bold"), guide_style="dim")
    _grow(tree, {k: v for k, v in _card(bundle).items() if k not in {"id", "name"}})
    stdout().print(tree)
    warn(bundle)


@contextmanager
def fetching(size: int) -> Iterator[Callable[[int], None]]:
    """Show how much of a file is here; nothing before its first byte is."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=stderr(), transient=True) as progress:
        task = progress.add_task("fetching", total=size, visible=False)
        yield lambda count: progress.update(task, completed=count, visible=True)


def show_installed(bundle: Bundle) -> None:
    """Print where a bundle was put, and how it is used."""
    name = printable(bundle.card.name)
    stdout().print(Text(f"Installed {name} in {printable(bundle.folder)}; use it with --model {name}."))
    if licence := bundle.card.data.get("licence"):
        stdout().print(
            Text(f"{printable(bundle.card.data.get('citation', name))} {printable(licence)}", "dim")
        )


def show_removed(folder: Path) -> None:
    """Print which bundle was removed."""
    stdout().print(f"Removed {printable(folder)}.")


def _measured(measured: Mapping[str, Any]) -> str:
    for keys in MEASURES:
        with suppress(KeyError, TypeError, ValueError):  # not measured so, or somebody else's card
            right, dared, kept = (f"{measured['shipped']['test'][key]:.0%}" for key in keys)
            return f"{right} of test tracks right; tags {dared}, {kept} of them right"
    with suppress(KeyError, TypeError, ValueError):
        own = measured["out_of_fold"]
        tagged = (
            f"tags {own['coverage']:.0%}, {own['precision']:.0%} of them right"
            if own["precision"]
            else "tags none"
        )
        return f"out of fold, right for {own['accuracy']:.0%} of your songs; {tagged}"
    return "nothing"


def _grow(tree: Tree, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping):
            _grow(tree.add(Text(printable(name), "bold")), value)
        else:
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            tree.add(Text.assemble((f"{printable(name)}  ", "dim"), printable(text)))


def _card(bundle: Bundle) -> dict[str, Any]:
    card = {"id": bundle.id, "folder": str(bundle.folder)} | asdict(bundle.card)
    weight = weight_beside(bundle.card.name)
    return card | ({"words": {"weight": weight, **words_card()}} if weight else {})
