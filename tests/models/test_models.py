"""The networks: shapes, what attention means, and one-line ablations."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

torch = pytest.importorskip("torch")

from small_networks import smaller  # noqa: E402

from mgtag.models import ARCHITECTURES, ModelOutput, Queens, Tokens, build  # noqa: E402
from mgtag.models.queens import PARALLEL  # noqa: E402

SMALL = {"n_mels": 32, "n_frames": 33, "channels": (4, 4), "pools": ((2, 2), (4, 4)), "units": 5, "dense": 6}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_answers_alike(architecture: str) -> None:
    model = smaller(architecture).eval()
    windows = torch.randn(3, 32, 33)
    answer = model(windows)
    assert isinstance(answer, ModelOutput)
    assert answer.logits.shape == (3, 10)
    width = model.spec.code if isinstance(model, Tokens) else getattr(model.spec, "hidden", None)
    assert answer.embedding.shape == (3, width)
    attends = isinstance(model, Tokens) or getattr(model.spec, "attention", False)
    assert (answer.attention is not None) == attends
    named = model.answer(windows)
    assert ("attention" in named) == attends
    if attends:
        assert named["attention"].shape == (3, 33)
        torch.testing.assert_close(named["attention"].sum(1), torch.ones(3))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_parameter_learns(architecture: str) -> None:
    torch.manual_seed(1)
    model = smaller(architecture)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss(torch.randn(8, 32, 33), torch.softmax(torch.randn(8, 10), dim=1))
    assert loss.dtype == torch.float32
    assert loss.isfinite()
    loss.backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # One bias for all cells of the poster's map, which the softmax over them does not see.
    assert silent <= {"scores.bias"}


def test_the_default_is_the_report() -> None:
    model = Queens(PARALLEL)
    convolutions = [layer for layer in model.cnn if isinstance(layer, torch.nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [32, 32, 64, 128, 64]
    assert all(layer.kernel_size == (3, 3) for layer in convolutions)
    assert (model.gru.num_layers, model.gru.hidden_size, model.gru.bidirectional) == (2, 256, True)
    assert model.dense[0].out_features == 512
    assert model.hidden[1].in_features == 2 * 256 + 512
    assert model.hidden[1].out_features == 80
    assert model.scores.out_features == PARALLEL.n_frames


def test_an_ablation_is_one_changed_value() -> None:
    with_attention = Queens(replace(PARALLEL, **SMALL))
    without = Queens(replace(PARALLEL, **SMALL, attention=False))
    assert set(with_attention.state_dict()) - set(without.state_dict()) == {"scores.weight", "scores.bias"}


def test_attention_weighs_the_frames_of_the_bgru() -> None:
    """All weight on one frame, and the classifier sees that frame's vector and no other."""
    model = Queens(replace(PARALLEL, **SMALL)).eval()
    seen = {}
    model.gru.register_forward_hook(lambda module, given, answer: seen.update(frames=answer[0]))
    model.hidden.register_forward_pre_hook(lambda module, given: seen.update(features=given[0]))
    with torch.no_grad():
        model.scores.weight.zero_()
        model.scores.bias.copy_(100 * torch.nn.functional.one_hot(torch.tensor(7), 33).float())
        model(torch.randn(2, 32, 33))
    torch.testing.assert_close(seen["features"][:, :10], seen["frames"][:, 7])


def test_arguments_survive_json() -> None:
    import json

    spec = replace(PARALLEL, **SMALL)
    again = build("queens-parallel", json.loads(json.dumps(asdict(spec))))
    assert again.spec == spec


def test_what_cannot_be_built_says_so() -> None:
    with pytest.raises(KeyError, match="queens-parallel"):
        build("resnet", {})
    with pytest.raises(TypeError):
        build("queens-cnn", {"heads": 8})
    with pytest.raises(ValueError, match="attention"):
        Queens(replace(PARALLEL, recurrent=False))
    with pytest.raises(ValueError, match="nothing"):
        Queens(replace(PARALLEL, recurrent=False, convolutional=False, attention=False))
