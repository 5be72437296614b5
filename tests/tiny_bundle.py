"""A model small enough to know its answer by heart: does the sound lie low, in the middle, or high.

``tiny/model.onnx`` (800 bytes) is committed, so that no test of the runtime needs the ``onnx`` package;
``python tests/tiny_bundle.py`` writes it again, and a test compares.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from mgtag import bundle
from mgtag.bundle import Bundle, Card
from mgtag.features import MelSpec

GRAPH = Path(__file__).parent / "tiny" / "model.onnx"
MEL = MelSpec(n_mels=32, n_frames=13)  # slices of a second
LABELS = ("blues", "jazz", "metal")  # heard in a hum, in a 440 Hz sine, in what lies above
BANDS = (0, 3, 8, 32)  # first mel band of each label
GAIN = 4.0
BIAS = np.array([0.3, 0.0, 0.0], np.float32)  # what it would say of silence, if it were asked


def make(folder: Path, **changes: Any) -> Bundle:
    """Write the bundle into `folder` and load it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GRAPH, folder / "model.onnx")
    (folder / "weights.pt").write_bytes(b"no test looks in here")
    genres = {"blues": "Blues", "jazz": "Jazz", "metal": "Metal"}
    values = {
        "name": "tiny-1", "labels": LABELS, "genres": genres, "mel": MEL, "architecture": "none",
        "arguments": {}, "temperature": 1.0, "vote_temperature": 1.0, "threshold": 0.6,
    }  # fmt: skip
    return bundle.write(folder, Card(**values | changes))


def graph() -> bytes:
    """Return the ONNX graph: the mean level of each third of the bands, as logits."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.zeros((MEL.n_mels, len(LABELS)), np.float32)
    for n in range(len(LABELS)):
        weights[BANDS[n] : BANDS[n + 1], n] = GAIN / (BANDS[n + 1] - BANDS[n])
    nodes = [
        helper.make_node("ReduceMean", ["windows", "time"], ["embedding"], keepdims=0),
        helper.make_node("MatMul", ["embedding", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["logits"]),
        helper.make_node("ReduceMean", ["windows", "band"], ["loudness"], keepdims=0),
        helper.make_node("Softmax", ["loudness"], ["attention"], axis=-1),
    ]
    sizes = {"logits": len(LABELS), "attention": MEL.n_frames, "embedding": MEL.n_mels}
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["n", MEL.n_mels, MEL.n_frames])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", size]) for k, size in sizes.items()],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(BIAS, "bias"),
            numpy_helper.from_array(np.array([2]), "time"),
            numpy_helper.from_array(np.array([1]), "band"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    raw: bytes = model.SerializeToString(deterministic=True)
    return raw


if __name__ == "__main__":
    GRAPH.parent.mkdir(exist_ok=True)
    GRAPH.write_bytes(graph())
