"""A genre has one colour, and no two share one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from rich.color import Color, ColorSystem

from mgtag.bundle import Bundle
from mgtag.view.text import BAD, CARE, COLOURS, GOOD, MOODS, hex_colours


def test_every_genre_of_the_shipped_model_has_a_colour_of_its_own(shipped: Bundle) -> None:
    head = shipped.card.genre
    written = [name for name, ours in zip(head.names, head.writable, strict=True) if ours]
    assert set(written) <= set(COLOURS)
    assert len({COLOURS[name] for name in written}) == len(written)
    colours = hex_colours(head.names)
    assert list(colours) == list(head.names)
    assert len(set(colours.values())) == len(colours)


# What the red-blind and the green-blind see, of linear RGB (Machado, Oliveira, Fernandes 2009, severity 1).
RED_BLIND = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
GREEN_BLIND = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def linear(colour: str) -> np.ndarray:
    c = np.array(Color.parse(colour).get_truecolor()) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast of WCAG 2, from 1 to 21."""
    low, high = sorted(float(linear(c) @ XYZ[1]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, eye: list[list[float]]) -> np.ndarray:
    """CIE L*a*b*, in which a distance of 2 can just be seen."""
    white = np.array(XYZ).sum(axis=1)
    x, y, z = np.cbrt(XYZ @ np.clip(eye @ linear(colour), 1e-4, 1) / white)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("colour", {*COLOURS.values(), GOOD, CARE, BAD})
def test_a_colour_reads_on_light_and_on_dark_and_is_one_of_256(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 3 and contrast(colour, "#1e1e1e") >= 3
    eight_bit = Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT)
    assert eight_bit.get_truecolor() == Color.parse(colour).get_truecolor()


@pytest.mark.parametrize(
    ("eye", "least"),
    [(np.eye(3), 25), (RED_BLIND, 7), (GREEN_BLIND, 7)],
    ids=["most", "red-blind", "green-blind"],
)
def test_no_two_look_alike(eye: list[list[float]], least: float) -> None:
    for kind in ([name for name in COLOURS if name not in MOODS], MOODS):
        seen = {name: lab(COLOURS[name], eye) for name in kind}
        for one, other in combinations(kind, 2):
            assert np.linalg.norm(seen[one] - seen[other]) >= least, (one, other)


def test_a_genre_keeps_its_colour_and_strangers_take_what_is_free() -> None:
    assert hex_colours(["Polka", "Jazz"])["Jazz"] == hex_colours(["Jazz"])["Jazz"]
    made = hex_colours(["Polka", "Blues", "Ska"])
    assert len(set(made.values())) == 3
