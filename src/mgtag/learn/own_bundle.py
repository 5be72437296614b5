"""Own genres as a bundle: the base model's graph with one linear head more, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mgtag import bundle
from mgtag.arrays import F32
from mgtag.bundle import Bundle
from mgtag.card import BASE, GENRE, Card, Head
from mgtag.errors import BundleError, UsageError
from mgtag.inference import FORMAT_1
from mgtag.install import placing
from mgtag.install.graph import Node, outputs, renamed, with_nodes, with_weights
from mgtag.learn.promise import NOT_MUSIC, PROMISE, Learned
from mgtag.vote import TINY

ARCHITECTURE = "own-genres"
EMBEDDING = "embedding"


def check_name(name: str) -> Path:
    """Return where a bundle of this name goes.

    Raises
    ------
    UsageError
        If it is no name, or one of mgtag's own models.
    BundleError
        If a model that `learn` did not make lies there.
    """
    if not name.isprintable() or Path(name).name != name or name.startswith("."):
        raise UsageError(f"{name!r} is no name for a model; give a plain one, such as --name mine.")
    if (bundle.SHIPPED / name).exists():
        raise UsageError(f"{name}: this model comes with mgtag; give the name of another.")
    return placing.target(name, ARCHITECTURE)


def check_base(model: Bundle) -> None:
    """Raise `UsageError` for a model that own genres cannot be learned on."""
    if model.card.architecture == ARCHITECTURE:
        raise UsageError(
            f"{model.card.name}: these are own genres already; --base names what they are learned on, as "
            f"{model.card.arguments.get('base', bundle.DEFAULT)}."
        )


def bundle_ids(base: Bundle) -> set[str]:
    """Return the ids of the bundles with the base's embedding: the base, and all that was learned on it.

    Those too that were replaced when it was learned again.
    """
    learned = (one for one in bundle.at_hand()[0] if one.card.architecture == ARCHITECTURE)
    same = [one for one in learned if one.card.arguments.get("base_id") == base.id]
    before = (old for one in same for old in one.card.arguments.get("before", ()))
    return {base.id, *(one.id for one in same), *before}


def build(name: str, base: Bundle, learned: Learned, data: Mapping[str, Any]) -> Bundle:
    """Make the bundle and put it into the user's models folder.

    Parameters
    ----------
    data : mapping
        What it was learned from.

    Raises
    ------
    UsageError, BundleError
        See `check_name`; or the folder cannot be written.
    """
    folder = check_name(name)
    joined = _joined(base, learned)
    card = _card(name, base, learned, data, _ids_before(folder, base))

    def make(made: Path) -> None:
        made.mkdir()
        (made / bundle.GRAPH).write_bytes(joined)
        bundle.write(made, card)

    return placing.put(folder, make)


def remove(name: str) -> Path:
    """Remove what `build` made, and return where it was.

    Raises
    ------
    UsageError, BundleError
        See `check_name`; or it is not there, or cannot be removed.
    """
    return placing.take_out(check_name(name))


def _joined(base: Bundle, learned: Learned) -> bytes:
    """Return the base's graph with a head more.

    It answers with logarithms: of a genre's probability, given that this is music, times the base's of that;
    and, as the last label, of the base's that it is not.
    """
    graph, head, of = base.graph.read_bytes(), base.card.genre, learned.head
    nodes, constants = [Node("Gemm", (EMBEDDING, "own.weight", "own.bias"), "own.logits")], dict[str, F32]()
    constants["own.weight"] = (of.weight / learned.temperature).astype(np.float32)
    constants["own.bias"] = (of.bias / learned.temperature).astype(np.float32)
    is_music = np.array(head.writable, np.float32)[:, None]
    if all(head.writable):
        nodes.append(Node("LogSoftmax", ("own.logits",), GENRE))
    else:
        constants["own.music"], constants["own.other"] = is_music, 1 - is_music
        constants["own.least"] = np.array([TINY], np.float32)
        constants["own.sharpness"] = np.array([1 / (head.temperature * head.vote_temperature)], np.float32)
        nodes += [
            Node("LogSoftmax", ("own.logits",), "own.given_music"),
            Node("Mul", (BASE, "own.sharpness"), "own.base_logits"),
            Node("Softmax", ("own.base_logits",), "own.base_shares"),
            *_log_share("own.music"),
            *_log_share("own.other"),
            Node("Add", ("own.given_music", "own.music.log"), "own.genres"),
            Node("Concat", ("own.genres", "own.other.log"), GENRE, {"axis": 1}),
        ]
    genre = GENRE if GENRE in outputs(graph) else FORMAT_1
    joined = with_nodes(renamed(graph, genre, BASE), nodes, GENRE, len(_labels(base, learned)))
    return with_weights(joined, constants)


def _log_share(of: str) -> tuple[Node, Node, Node]:
    """Sum the base's probabilities of some labels, and take the logarithm."""
    return (
        Node("MatMul", ("own.base_shares", of), f"{of}.share"),
        Node("Max", (f"{of}.share", "own.least"), f"{of}.some"),
        Node("Log", (f"{of}.some",), f"{of}.log"),
    )


def _labels(base: Bundle, learned: Learned) -> dict[str, str | None]:
    """Return every label, and what is written for it."""
    labels: dict[str, str | None] = {genre: genre for genre in learned.genres}
    return labels if all(base.card.genre.writable) else labels | {NOT_MUSIC: None}


def _ids_before(folder: Path, base: Bundle) -> list[str]:
    """Return the ids of the bundles that this one replaces and that had the same base."""
    if not folder.exists():
        return []
    try:
        old = bundle.load(folder)
    except BundleError:
        return []
    same = old.card.arguments.get("base_id") == base.id
    return [*old.card.arguments.get("before", ()), old.id] if same else []


def _card(name: str, base: Bundle, learned: Learned, data: Mapping[str, Any], before: list[str]) -> Card:
    labels = _labels(base, learned)
    genre = Head(tuple(labels), labels, threshold=learned.threshold)
    others = {head: of for head, of in base.card.heads.items() if head != GENRE}
    return Card(
        name=name,
        heads={GENRE: genre, **others, BASE: base.card.genre},
        mel=base.card.mel,
        architecture=ARCHITECTURE,
        arguments={"base": base.card.name, "base_id": base.id, "before": before},
        data=data,
        split={"name": "out of fold: no artist, album or folder on both sides"},
        measured={
            "out_of_fold": {
                "promise": PROMISE,
                "accuracy": round(learned.accuracy, 4),
                "coverage": round(learned.coverage, 4),
                "precision": None if learned.precision is None else round(learned.precision, 4),
                "calibration_error": round(learned.calibration_error, 4),
            },
            "by_genre": {row.genre: _rounded(asdict(row)) for row in learned.rows},
        },
    )


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "genre"}
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in kept.items()}
