"""What is written for each genre: a table and JSON."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table
from rich.text import Text

from mgtag.card import Card
from mgtag.library.genre_map import GenreMap
from mgtag.view.text import CARE, COLOURS, dumps, joined, printable, stderr, stdout


def show_genres(card: Card, genre_map: GenreMap, settings: Path, as_json: bool) -> None:
    """Print a row for each genre that a model hears, and the settings that are of none of them."""
    heard = [name for name, ours in zip(card.genre.names, card.genre.writable, strict=True) if ours]
    if as_json:
        for name in heard:
            print(dumps(_row(name, genre_map)))  # noqa: T201
        return
    aliases = any(genre_map.names_of(name) for name in heard)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Heard", "Written", *(["found as, too"] if aliases else [])):
        table.add_column(title, overflow="fold")
    for name in heard:
        values, refusal = genre_map.values(name), genre_map.refusal(name)
        written = Text(joined(values)) if values else Text(f"– ({printable(refusal)})", "dim")
        also = [Text(", ".join(map(printable, genre_map.names_of(name))))] if aliases else []
        table.add_row(Text(printable(name), COLOURS.get(name, "")), written, *also)
    stdout().print(table)
    if strange := genre_map.strangers(heard):
        told = (
            f"{printable(card.name)} hears no {', '.join(map(printable, strange))}, of which [genres] speaks."
        )
        stderr().print(Text.assemble(("note  ", CARE), told))
    stderr().print(Text(f"[genres] in {printable(settings)} sets this.", "dim"))


def _row(name: str, genre_map: GenreMap) -> dict[str, object]:
    return {
        "heard": name,
        "written": genre_map.values(name),
        "reason": genre_map.refusal(name) or None,
        "parents": genre_map.above(name),
        "aliases": genre_map.names_of(name),
    }
