"""A checkpoint becomes our network, and our network a graph: all three answer the same."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from checkpoints import HEARING, random_checkpoint  # noqa: E402
from musicnn_reference import answer  # noqa: E402

from mgtag.install.graph import with_weights  # noqa: E402
from mgtag.install.musicnn import SKELETON  # noqa: E402
from mgtag.install.weights import converted  # noqa: E402
from mgtag.models import Musicnn, build  # noqa: E402

CHECKPOINT = random_checkpoint()
STATE = converted(CHECKPOINT)
WINDOWS = (4 * np.random.default_rng(1).random((7, 96, 187))).astype(np.float32)
LOGITS, EMBEDDING = answer(CHECKPOINT, WINDOWS)


MOOD = np.zeros((4, STATE["classifier.weight"].shape[1]), np.float32)
MOOD[:, :200] = np.random.default_rng(2).normal(0, 0.1, (4, 200))
HEADS = {"mood.weight": MOOD, "mood.bias": np.ones(4, np.float32)}
GRAPH = with_weights(
    SKELETON.read_bytes(), {f"model.{name}": values for name, values in (STATE | HEADS).items()}
)


def network() -> Musicnn:
    made = build("musicnn", {"filters": [len(STATE[f"front.{n}.weight"]) for n in range(5)]}).eval()
    made.load_state_dict({name: torch.tensor(values) for name, values in STATE.items()})
    assert isinstance(made, Musicnn)
    return made


def test_the_reference_says_something() -> None:
    assert LOGITS.std(axis=0).min() > 0.01


def test_filters_that_hear_nothing_are_left_out() -> None:
    assert tuple(len(STATE[f"front.{n}.weight"]) for n in range(5)) == HEARING


def test_the_network_answers_as_the_reference() -> None:
    with torch.inference_mode():
        answer = network().answer(torch.tensor(WINDOWS))
    assert set(answer) == {"genre", "embedding"}
    np.testing.assert_allclose(answer["genre"], LOGITS, atol=1e-4)
    np.testing.assert_allclose(answer["embedding"], EMBEDDING, rtol=2e-6, atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_the_graph_answers_as_the_reference(batch: int) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(GRAPH, providers=["CPUExecutionProvider"])
    genre, mood, embedding = session.run(["genre", "mood", "embedding"], {"windows": WINDOWS[:batch]})
    np.testing.assert_allclose(genre, LOGITS[:batch], atol=1e-4)
    np.testing.assert_allclose(mood, EMBEDDING[:batch] @ MOOD[:, :200].T + 1, atol=1e-4)
    # An embedding reaches 94 here, of which float32 has no more than seven digits.
    np.testing.assert_allclose(embedding, EMBEDDING[:batch], rtol=2e-6, atol=1e-4)


def test_the_graph_is_whole_to_the_onnx_package() -> None:
    onnx = pytest.importorskip("onnx")
    onnx.checker.check_model(onnx.load_from_string(GRAPH))


def test_the_committed_graph_is_that_of_the_network() -> None:
    onnx = pytest.importorskip("onnx")
    from mgtag_train.ship.musicnn_graph import skeleton

    ours, traced = (onnx.load_from_string(raw).graph for raw in (SKELETON.read_bytes(), skeleton()))
    assert [(n.op_type, *n.input) for n in ours.node] == [(n.op_type, *n.input) for n in traced.node]
