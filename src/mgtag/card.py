"""A bundle's description of itself: its heads, how its windows are made, how good it was measured to be.

A card comes with whatever bundle a listener was given, so nothing in it is believed before it was
checked: a temperature of nought, a threshold of NaN or a label that is a number ends in a sentence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, TypeGuard

from mgtag.features import MelSpec

FORMAT = 2  # of a card that is written; raised when an older mgtag could misread a newer bundle
GENRE = "genre"  # the head that every bundle has
BASE = (
    "base"  # beside own genres: the genres of the model that they were learned on, which keep out not music
)
MOST_LABELS = 10_000
MOST_CELLS = 1 << 24  # of a window, and samples of its slice: hostile sizes shall take no memory
TEMPERATURES = (1e-3, 1e3)

READABLE = {"notmusic": "not music"}  # labels of cards that no listener should read


@dataclass(frozen=True)
class Head:
    """One question that a network answers, such as genre or mood.

    Attributes
    ----------
    labels : tuple of str
        In the order of the logits.
    written : mapping of str to (str or None)
        What is written to a tag for each label; None for one that is never written, such as
        *not music*.
    temperature : float
        Divides a slice's logits (calibration of slices).
    vote_temperature : float
        Divides the pooled log-probabilities (calibration of tracks).
    threshold : float or None
        Confidence above which an answer is written, 0..1; None means never.
    parents : mapping of str to str
        Of a label: a wider one that is right for it too, such as rock for punk. It is written where no
        label is sure and the wider one, with the probability of both, is; and accepted when measuring.
    measured : mapping
        For people to read.
    """

    labels: tuple[str, ...]
    written: Mapping[str, str | None]
    temperature: float = 1.0
    vote_temperature: float = 1.0
    threshold: float | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """How each label is shown: as it is written, or in words where it never is."""
        return tuple(self.written[label] or READABLE.get(label, label) for label in self.labels)

    @cached_property
    def writable(self) -> tuple[bool, ...]:
        """Whether each label may be written to a tag."""
        return tuple(bool(self.written[label]) for label in self.labels)

    @cached_property
    def unwritten(self) -> frozenset[str]:
        """Names of the labels that are never written."""
        return frozenset(
            name for name, writable in zip(self.names, self.writable, strict=True) if not writable
        )

    @property
    def wider(self) -> tuple[int, ...]:
        """For each label the index of its parent; of a label without one, its own."""
        index = {label: n for n, label in enumerate(self.labels)}
        return tuple(index.get(self.parents.get(label, label), n) for label, n in index.items())


@dataclass(frozen=True)
class Card:
    """A bundle's description of itself.

    Attributes
    ----------
    name : str
        Also the folder's name.
    heads : mapping of str to Head
        ``"genre"``, and whatever else the network answers, such as ``"mood"``.
    mel : MelSpec
        How the windows are made.
    architecture, arguments
        What ``mgtag.models.build`` takes.
    data, split, measured : mapping
        Where the model comes from and what was measured, for people to read.
    files : mapping of str to str
        SHA-256 of every other file of the bundle.
    """

    name: str
    heads: Mapping[str, Head]
    mel: MelSpec
    architecture: str
    arguments: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def genre(self) -> Head:
        """The head of genres."""
        return self.heads[GENRE]

    def keeps_out_not_music(self, threshold: float | None) -> bool:
        """Whether something keeps speech and noise from being tagged with a genre at this threshold.

        A label that is never written; or that no such sound passed the threshold when it was measured.
        """
        if threshold is None or not all(all(head.writable) for head in self.heads.values()):
            return True
        measured = self.measured.get("not_music")
        if not isinstance(measured, Mapping):
            return False
        highest = [value for name, value in measured.items() if name.endswith("_highest")]
        return bool(highest) and all(_number(v) and v <= threshold for v in highest)


def warnings(card: Card, threshold: float | None) -> list[str]:
    """Return warnings, in sentences, that a listener needs before a model tags with this threshold."""
    if threshold is None:
        return [
            f"{card.name}: how sure is sure enough could not be measured, so this model never writes a genre "
            "by itself; --threshold 0.9 makes it."
        ]
    if not card.keeps_out_not_music(threshold):
        return [
            f"{card.name}: nothing keeps speech and noise from being tagged by this model; "
            "see with --dry-run what it would write."
        ]
    return []


def parse(text: bytes) -> Card:
    """Read a card, of this format or of format 1, which knew one head.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError, RecursionError
        If it is none, or holds what no network can have.
    """
    raw = json.loads(text, parse_constant=_refuse)
    if raw["format"] not in (1, FORMAT):
        raise ValueError(f"format {raw['format']} is none that this mgtag reads; it reads 1 and {FORMAT}")
    if raw["format"] == 1:
        raw = _from_format_1(raw)
    for name in ("name", "architecture"):
        _check(isinstance(raw[name], str), f"{name} is no text")
    for name in ("heads", "mel", "arguments", "files", *{"data", "split", "measured"} & set(raw)):
        _check(isinstance(raw[name], dict), f"{name} is no object")
    _check(GENRE in raw["heads"], "there is no head of genres")
    heads = {name: _head(name, values) for name, values in raw["heads"].items()}
    return Card(**raw | {"heads": heads, "mel": _mel(raw["mel"]), "format": FORMAT})


def render(card: Card) -> bytes:
    """Return a card as it lies in its bundle."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _from_format_1(raw: Mapping[str, Any]) -> dict[str, Any]:
    moved = ("labels", "temperature", "vote_temperature", "threshold")
    head = {name: raw[name] for name in moved} | {"written": raw["genres"]}
    rest = {name: value for name, value in raw.items() if name not in (*moved, "genres")}
    return rest | {"heads": {GENRE: head}}


def _head(name: str, raw: Mapping[str, Any]) -> Head:
    head = Head(**raw)
    labels, written, threshold = head.labels, head.written, head.threshold
    _check(name.isidentifier(), f"{name!r} is no name of a head")
    _check(isinstance(labels, list) and 2 <= len(labels) <= MOST_LABELS, f"{name}: there are no labels")
    _check(all(map(_text, labels)), f"{name}: a label is no text")
    _check(isinstance(written, dict) and set(written) == set(labels), f"{name}: labels lack what is written")
    _check(all(not v or _text(v) for v in written.values()), f"{name}: what is written is no text")
    for temperature in (head.temperature, head.vote_temperature):
        possible = _number(temperature) and TEMPERATURES[0] <= temperature <= TEMPERATURES[1]
        _check(possible, f"{name}: {temperature} is no temperature")
    never = threshold is None
    _check(never or (_number(threshold) and 0 <= threshold <= 1), f"{name}: {threshold} is no threshold")
    _check(
        isinstance(head.parents, dict) and isinstance(head.measured, dict), f"{name}: parents are no object"
    )
    _check(all(map(_text, (*head.parents, *head.parents.values()))), f"{name}: a parent is no text")
    made = replace(head, labels=tuple(labels), written={k: v or None for k, v in written.items()})
    _check(any(made.writable), f"{name}: no label is ever written")
    for values in (made.labels, made.names):
        _check(len({value.casefold() for value in values}) == len(labels), f"{name}: a label is there twice")
    return made


def _mel(raw: Mapping[str, Any]) -> MelSpec:
    spec = MelSpec(**raw)
    sizes = ("sample_rate", "n_fft", "hop", "n_mels", "n_frames")
    for key, value in vars(spec).items():
        if key in sizes:
            _check(isinstance(value, int) and 0 < value <= MOST_CELLS, f"mel: {value!r} is no {key}")
        else:
            _check(value is None or _number(value), f"mel: {value!r} is no {key}")
    _check(max(spec.n_samples, spec.n_mels * spec.n_fft) <= MOST_CELLS, "mel: the windows are too large")
    _check(0 <= spec.fmin < spec.fmax, "mel: there is nothing between fmin and fmax")
    return spec


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
