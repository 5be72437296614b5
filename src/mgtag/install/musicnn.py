"""musicnn as a bundle in the user's models folder, made from the wheel that its authors published.

Pons and Serra trained the network; the heads for genre and mood were trained here, on its embedding.
``musicnn.json`` is the card, ``musicnn.npz`` the heads' weights, ``musicnn.onnx`` the graph without any.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from mgtag import bundle
from mgtag.bundle import Bundle
from mgtag.card import parse
from mgtag.install import placing
from mgtag.install.checkpoint import tensors
from mgtag.install.graph import with_weights
from mgtag.install.weights import converted
from mgtag.install.wheel import Tell, Wheel, fetch, verify

HERE = Path(__file__).parent
CARD, HEADS, SKELETON = (HERE / f"musicnn.{kind}" for kind in ("json", "npz", "onnx"))
WHEEL = Wheel(
    name="musicnn",
    version="0.1.0",
    file="musicnn-0.1.0-py3-none-any.whl",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    size=29_292_476,
)
CHECKPOINT = "musicnn/MSD_musicnn/"  # the one of the four with most genres among its tags
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
NAME = "musicnn"


def install(wheel: Path | None = None, tell: Tell = lambda count: None) -> Bundle:
    """Make the bundle; one that was installed before is replaced in one step.

    Parameters
    ----------
    wheel : Path, optional
        The wheel's file; without it, pip fetches it.
    tell : callable
        Told how many bytes of the wheel are here.

    Raises
    ------
    BundleError
        If the wheel cannot be had or is another one, or the folder cannot be written.
    """
    folder = placing.target(NAME, NAME)

    def make(made: Path) -> None:
        path = wheel or fetch(WHEEL, made.parent, tell)
        verify(WHEEL, path)
        build(path, made)

    return placing.put(folder, make)


def remove() -> Path:
    """Remove the bundle that `install` made, and return where it was.

    Raises
    ------
    BundleError
        If it is not there, or cannot be removed.
    """
    return placing.take_out(placing.target(NAME, NAME))


def build(wheel: Path, folder: Path) -> Bundle:
    """Convert a wheel to a bundle in a new folder."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        index, data = (archive.read(CHECKPOINT + name) for name in (".index", ".data-00000-of-00001"))
        (folder / "LICENSE").write_bytes(archive.read(LICENCE))
    with np.load(HEADS) as heads:
        state = converted(tensors(index, data)) | dict(heads)
    weights = {f"model.{name}": values for name, values in state.items()}
    (folder / bundle.GRAPH).write_bytes(with_weights(SKELETON.read_bytes(), weights))
    return bundle.write(folder, parse(CARD.read_bytes()))
