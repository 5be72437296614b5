"""A checkpoint becomes our network, and our network a graph: all three answer the same."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from checkpoints import random_checkpoint  # noqa: E402
from musicnn_reference import answer  # noqa: E402

from mgtag.install.graph import with_weights  # noqa: E402
from mgtag.install.musicnn import SKELETON  # noqa: E402
from mgtag.install.weights import converted  # noqa: E402
from mgtag.models import Musicnn, build  # noqa: E402

CHECKPOINT = random_checkpoint()
STATE = converted(CHECKPOINT)
WINDOWS = (4 * np.random.default_rng(1).random((7, 96, 187))).astype(np.float32)
LOGITS, EMBEDDING = answer(CHECKPOINT, WINDOWS)


def network() -> Musicnn:
    filters = [len(STATE[f"front.{n}.weight"]) for n in range(5)]
    made = build("musicnn", {"filters": filters}).eval()
    made.load_state_dict({name: torch.tensor(values) for name, values in STATE.items()})
    assert isinstance(made, Musicnn)
    return made


def test_the_reference_says_something() -> None:
    assert LOGITS.std(axis=0).min() > 0.01


def test_filters_that_hear_nothing_are_left_out() -> None:
    heard = sum(len(STATE[f"front.{n}.weight"]) for n in range(5))
    assert heard == sum(
        (np.abs(CHECKPOINT[f"conv2d{n}/kernel"]).max((0, 1, 2)) > 1e-9).sum()
        for n in ("", "_1", "_2", "_3", "_4")
    )
    assert 60 < heard < 200


def test_the_network_answers_as_the_reference() -> None:
    with torch.inference_mode():
        logits, attention, embedding = network().answer(torch.tensor(WINDOWS))
    np.testing.assert_allclose(logits, LOGITS, atol=1e-4)
    np.testing.assert_allclose(embedding, EMBEDDING, atol=1e-4)
    np.testing.assert_allclose(attention, 1 / 187, rtol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_graph_answers_as_the_reference(batch: int) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = with_weights(SKELETON.read_bytes(), {f"model.{name}": values for name, values in STATE.items()})
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    logits, attention, embedding = session.run(
        ["logits", "attention", "embedding"], {"windows": WINDOWS[:batch]}
    )
    np.testing.assert_allclose(logits, LOGITS[:batch], atol=1e-4)
    np.testing.assert_allclose(embedding, EMBEDDING[:batch], atol=1e-4)
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)


def test_the_graph_is_whole_to_the_onnx_package() -> None:
    onnx = pytest.importorskip("onnx")
    model = with_weights(SKELETON.read_bytes(), {f"model.{name}": values for name, values in STATE.items()})
    onnx.checker.check_model(onnx.load_from_string(model))


def test_the_committed_graph_is_that_of_the_network() -> None:
    onnx = pytest.importorskip("onnx")
    from mgtag_train.ship.musicnn_graph import skeleton

    ours, traced = (onnx.load_from_string(raw).graph for raw in (SKELETON.read_bytes(), skeleton()))
    assert [(n.op_type, *n.input) for n in ours.node] == [(n.op_type, *n.input) for n in traced.node]
