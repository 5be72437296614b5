"""A trained model on disk: a folder with everything that is needed to use it.

``card.json`` says what the model is and how good it was measured to be, ``model.onnx`` is the
graph for ONNX Runtime, ``weights.pt`` the same weights for the torch/CUDA path. The card holds
the SHA-256 of the other files, and a bundle is believed only when they agree.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from mgtag.errors import BundleError
from mgtag.features import MelSpec

CARD = "card.json"
GRAPH = "model.onnx"
WEIGHTS = "weights.pt"
FORMAT = 1  # of the card; raised when an older mgtag could misread a newer bundle
SHIPPED = Path(__file__).parent / "bundles"
DEFAULT = "gtzan-parallel-1"


@dataclass(frozen=True)
class Card:
    """What a bundle says of itself.

    Attributes
    ----------
    name : str
        Also the folder's name.
    labels : tuple of str
        In the order of the logits.
    genres : mapping of str to str
        What is written to a tag for each label.
    mel : MelSpec
        How the windows are made.
    architecture, arguments
        What ``mgtag.models.build`` takes.
    temperature : float
        Divides a slice's logits (calibration of slices).
    vote_temperature : float
        Divides the pooled log-probabilities (calibration of tracks).
    threshold : float
        Confidence from which a genre is written, 0..1.
    data, split, measured : mapping
        Where the model comes from and what was measured, for people to read.
    files : mapping of str to str
        SHA-256 of every other file of the bundle.
    """

    name: str
    labels: tuple[str, ...]
    genres: Mapping[str, str]
    mel: MelSpec
    architecture: str
    arguments: Mapping[str, Any]
    temperature: float
    vote_temperature: float
    threshold: float
    data: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


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
    def weights(self) -> Path:
        """The torch state dict."""
        return self.folder / WEIGHTS


def load(folder: Path) -> Bundle:
    """Read a bundle and verify every file against its card.

    Raises
    ------
    BundleError
        If a file is missing or altered, or the card is of another format.
    """
    try:
        text = (folder / CARD).read_bytes()
        card = _card(json.loads(text))
    except FileNotFoundError as error:
        raise BundleError(f"{folder}: there is no model bundle here ({CARD} is missing).") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{folder / CARD}: this card cannot be read ({error}); install the bundle again."
        ) from error
    for name, digest in card.files.items():
        try:
            found = _sha256(folder / name)
        except OSError as error:
            raise BundleError(
                f"{folder / name}: a file of this bundle is missing; install the bundle again."
            ) from error
        if found != digest:
            raise BundleError(
                f"{folder / name}: this is not the file that the card describes; install the bundle again."
            )
    return Bundle(folder, card, f"{card.name}@{hashlib.sha256(text).hexdigest()[:8]}")


def write(folder: Path, card: Card) -> Bundle:
    """Describe the files that lie in `folder` with a card, and load the result back."""
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name != CARD)
    described = asdict(card) | {"files": {name: _sha256(folder / name) for name in names}}
    (folder / CARD).write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return load(folder)


def find(name: str) -> Bundle:
    """Load a bundle by its name (shipped, or in the user's folder) or by the path of its folder.

    Raises
    ------
    BundleError
        If there is none, or it does not verify.
    """
    for folder in (Path(name), *(root / name for root in roots())):
        if os.path.isfile(folder / CARD):  # noqa: PTH113 (whatever the name, no error)
            return load(folder)
    known = ", ".join(f.name for f in folders()) or "none"
    raise BundleError(
        f"There is no model called {name!r}; at hand: {known}. Give one of these, or a bundle's folder."
    )


def roots() -> tuple[Path, ...]:
    """Where bundles are looked for: the user's own first, then the shipped ones."""
    return (platformdirs.user_data_path("mgtag") / "models", SHIPPED)


def folders() -> tuple[Path, ...]:
    """Every bundle folder at hand, unverified, in the order of `roots`."""
    return tuple(card.parent for root in roots() for card in sorted(root.glob(f"*/{CARD}")))


def at_hand() -> tuple[list[Bundle], list[BundleError]]:
    """Load every bundle at hand; those that do not verify are told apart."""
    whole: list[Bundle] = []
    broken: list[BundleError] = []
    for folder in folders():
        try:
            whole.append(load(folder))
        except BundleError as error:
            broken.append(error)
    return whole, broken


def _card(raw: dict[str, Any]) -> Card:
    if raw["format"] != FORMAT:
        raise ValueError(f"format {raw['format']} is not the one that this mgtag reads, {FORMAT}")
    labels = tuple(raw["labels"])
    if set(raw["genres"]) != set(labels) or not {GRAPH, WEIGHTS} <= set(raw["files"]):
        raise ValueError("labels, genres and files do not belong together")
    return Card(**raw | {"labels": labels, "mel": MelSpec(**raw["mel"])})


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
