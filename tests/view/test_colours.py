"""A genre has one colour, and no two share one."""

from __future__ import annotations

import pytest
from rich.color import Color

from mgtag.bundle import Bundle
from mgtag.view.text import COLOURS, hex_colours


def test_every_genre_of_the_shipped_model_has_a_colour_of_its_own(shipped: Bundle) -> None:
    head = shipped.card.genre
    written = [name for name, ours in zip(head.names, head.writable, strict=True) if ours]
    assert set(written) <= set(COLOURS)
    assert len({COLOURS[name] for name in written}) == len(written)
    colours = hex_colours(head.names)
    assert list(colours) == list(head.names)
    assert len(set(colours.values())) == len(colours)


@pytest.mark.parametrize("name", COLOURS.values())
def test_a_terminal_knows_every_colour(name: str) -> None:
    Color.parse(name)


def test_a_genre_keeps_its_colour_and_strangers_take_what_is_free() -> None:
    assert hex_colours(["Polka", "Jazz"])["Jazz"] == hex_colours(["Jazz"])["Jazz"]
    made = hex_colours(["Polka", "Blues", "Ska"])
    assert len(set(made.values())) == 3
