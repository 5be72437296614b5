"""A trained model on disk: a folder with everything that is needed to use it.

``card.json`` says what the model is and how good it was measured to be, ``model.onnx`` is the
graph for ONNX Runtime, ``weights.safetensors`` the same weights for the torch/CUDA path. The card
holds the SHA-256 of the other files, and a bundle is believed only when they agree.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag.bundle_folders import CARD, DEFAULT, SHIPPED, folders, roots
from mgtag.card import Card, parse, render
from mgtag.errors import BundleError, NoSuchModelError

__all__ = ["CARD", "DEFAULT", "SHIPPED", "Bundle", "at_hand", "find", "folders", "load", "roots", "write"]

GRAPH = "model.onnx"
WEIGHTS, OLD_WEIGHTS = "weights.safetensors", "weights.pt"
MOST_CARD = 1 << 22  # bytes
MOST_BYTES = 1 << 32  # of any other file


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: its card and where its files are.

    Attributes
    ----------
    id : str
        Name and first digits of the card's SHA-256, so that a retrained bundle of the same
        name is another one to the index.
    """

    folder: Path
    card: Card
    id: str

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.folder / GRAPH

    @property
    def weights(self) -> Path | None:
        """The torch state dict; None for a bundle that answers on the CPU only."""
        return next((self.folder / name for name in (WEIGHTS, OLD_WEIGHTS) if name in self.card.files), None)


def load(folder: Path) -> Bundle:
    """Read a bundle and verify every file against its card.

    Raises
    ------
    BundleError
        If a file is missing or altered, or the card is none that this mgtag can use.
    """
    again = "install the bundle again"
    try:
        text = _bounded(folder / CARD, MOST_CARD).read_bytes()
        card = parse(text)
        if GRAPH not in card.files:
            raise ValueError(f"there is no {GRAPH}")
        for name, digest in card.files.items():
            if Path(name).name != name or name == CARD or not isinstance(digest, str):
                raise ValueError(f"{name!r} is no file of a bundle")
    except FileNotFoundError as error:
        raise BundleError(f"{folder}: there is no model bundle here ({CARD} is missing).") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BundleError(f"{folder / CARD}: this card cannot be used ({error}); {again}.") from error
    for name, digest in card.files.items():
        try:
            found = _sha256(_bounded(folder / name, MOST_BYTES))
        except OSError as error:
            raise BundleError(f"{folder / name}: a file of this bundle is missing; {again}.") from error
        except ValueError as error:
            raise BundleError(f"{folder / name}: {error}; {again}.") from error
        if found != digest:
            raise BundleError(f"{folder / name}: this is not the file that the card describes; {again}.")
    return Bundle(folder, card, f"{card.name}@{hashlib.sha256(text).hexdigest()[:8]}")


def write(folder: Path, card: Card) -> Bundle:
    """Describe the files that lie in `folder` with a card, and load the result back."""
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name != CARD)
    described = replace(card, files={name: _sha256(folder / name) for name in names})
    (folder / CARD).write_bytes(render(described))
    return load(folder)


def find(name: str) -> Bundle:
    """Load a bundle by its name (shipped, or in the user's folder) or by the path of its folder.

    Raises
    ------
    NoSuchModelError
        If there is none.
    BundleError
        If it does not verify.
    """
    for folder in (Path(name), *(root / name for root in roots())):
        if os.path.isfile(folder / CARD):  # noqa: PTH113 (whatever the name, no error)
            return load(folder)
    known = ", ".join(f.name for f in folders()) or "none"
    raise NoSuchModelError(
        f"There is no model called {name!r}; at hand: {known}. Give one of these, or a bundle's folder."
    )


def at_hand() -> tuple[list[Bundle], list[BundleError]]:
    """Load every bundle at hand; those that do not verify are returned apart."""
    whole: list[Bundle] = []
    broken: list[BundleError] = []
    for folder in folders():
        try:
            whole.append(load(folder))
        except BundleError as error:
            broken.append(error)
    return whole, broken


def _bounded(path: Path, most: int) -> Path:
    """Return a path if a regular file of no more than so many bytes lies there: no device, no pipe."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > most:
        raise ValueError(f"this is no file, or larger than {most:,} bytes")
    return path


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
