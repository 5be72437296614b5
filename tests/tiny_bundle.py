"""Models small enough to know their answers by heart: does the sound lie low, in the middle, or high.

``tiny/*.onnx`` (a kilobyte each) are committed, so that no test of the runtime needs the ``onnx`` package;
``python tests/tiny_bundle.py`` writes it again, and a test compares.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mgtag import bundle
from mgtag.arrays import F32
from mgtag.bundle import Bundle
from mgtag.card import Card, Head
from mgtag.features import MelSpec
from mgtag.prediction import HeadOutput, Prediction

GRAPH = Path(__file__).parent / "tiny" / "model.onnx"
TWO_HEADS = GRAPH.with_name("two-heads.onnx")
MEL = MelSpec(n_mels=32, n_frames=13)  # slices of a second
LABELS = ("blues", "jazz", "metal")  # heard in a hum, in a 440 Hz sine, in what lies above
HEAD = Head(LABELS, {"blues": "Blues", "jazz": "Jazz", "metal": "Metal"}, threshold=0.6)
SILENT_OF_NOISE = {"not_music": {"noise_highest": 0.5}}  # so that it is used without a warning
BANDS = (0, 3, 8, 32)  # first mel band of each label
GAIN = 4.0
BIAS = np.array([0.3, 0.0, 0.0], np.float32)  # what it would say of silence, if it were asked
NOT_MUSIC = "not music"  # heard by the model with two heads where no band stands out
GENRES = replace(HEAD, labels=(*LABELS, NOT_MUSIC), written={**HEAD.written, NOT_MUSIC: None})
MOODS = Head(("sad", "happy"), {"sad": "Sad", "happy": "Happy"}, threshold=0.6)  # low and high sounds


def make(folder: Path, **changes: Any) -> Bundle:
    """Write the bundle into `folder` and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GRAPH, folder / "model.onnx")
    (folder / "weights.safetensors").write_bytes(b"no test looks in here")
    of_head = {name: changes.pop(name) for name in vars(HEAD) if name in changes and name != "measured"}
    values = {"name": "tiny-1", "heads": {"genre": replace(HEAD, **of_head)}, "mel": MEL}
    return bundle.write(
        folder,
        Card(**values | {"architecture": "none", "arguments": {}, "measured": SILENT_OF_NOISE} | changes),
    )


def make_two_heads(folder: Path, genres: Head = GENRES, moods: Head = MOODS) -> Bundle:
    """Write a bundle that hears genres, one of which is not music, and moods; it has no attention."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TWO_HEADS, folder / "model.onnx")
    return bundle.write(folder, Card("two-heads-1", {"genre": genres, "mood": moods}, MEL, "none", {}))


def prediction(
    labels: tuple[str, ...], starts_s: F32, shares: F32, attention: F32 | None, embedding: F32
) -> Prediction:
    """What a network with nothing but a head of genres heard."""
    return Prediction(starts_s, {"genre": HeadOutput(labels, shares)}, attention, embedding)


def _levels(columns: int) -> F32:
    """Return the weights that take the mean level of each third of the bands; other columns are noughts."""
    weights = np.zeros((MEL.n_mels, columns), np.float32)
    for n in range(len(LABELS)):
        weights[BANDS[n] : BANDS[n + 1], n] = GAIN / (BANDS[n + 1] - BANDS[n])
    return weights


def graph() -> bytes:
    """Return the ONNX graph, of format 1: the mean level of each third of the bands, as logits."""
    from onnx import helper

    nodes = [
        helper.make_node("ReduceMean", ["windows", "time"], ["embedding"], keepdims=0),
        helper.make_node("MatMul", ["embedding", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["logits"]),
        helper.make_node("ReduceMean", ["windows", "band"], ["loudness"], keepdims=0),
        helper.make_node("Softmax", ["loudness"], ["attention"], axis=-1),
    ]
    sizes = {"logits": len(LABELS), "attention": MEL.n_frames, "embedding": MEL.n_mels}
    constants = {"weights": _levels(len(LABELS)), "bias": BIAS, "time": np.array([2]), "band": np.array([1])}
    return _serialised(nodes, sizes, constants)


def two_heads_graph() -> bytes:
    """Return the ONNX graph with two heads: the same genres, a fourth where no level stands out; moods."""
    from onnx import helper

    nodes = [
        helper.make_node("ReduceMean", ["windows", "time"], ["embedding"], keepdims=0),
        helper.make_node("MatMul", ["embedding", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["genre"]),
        helper.make_node("Gather", ["genre", "low_and_high"], ["mood"], axis=1),
    ]
    sizes = {"genre": len(GENRES.labels), "mood": len(MOODS.labels), "embedding": MEL.n_mels}
    constants = {
        "weights": _levels(len(GENRES.labels)),
        "bias": np.array([0.0, 0.0, 0.0, 1.5], np.float32),
        "time": np.array([2]),
        "low_and_high": np.array([0, 2]),
    }
    return _serialised(nodes, sizes, constants)


def _serialised(nodes: list[Any], sizes: dict[str, int], constants: dict[str, Any]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", MEL.n_mels, MEL.n_frames])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", size]) for k, size in sizes.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    raw: bytes = model.SerializeToString(deterministic=True)
    return raw


if __name__ == "__main__":
    GRAPH.parent.mkdir(exist_ok=True)
    GRAPH.write_bytes(graph())
    TWO_HEADS.write_bytes(two_heads_graph())
