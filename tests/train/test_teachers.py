"""Teachers of random weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgtag_train.data.musicnn_vgg import EPSILON, POOLS, STRIDES, Vgg  # noqa: E402
from mgtag_train.data.musicnn_wheel import Teachers  # noqa: E402

from mgtag.models.musicnn import Musicnn  # noqa: E402

FILTERS = 8


def checkpoint(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights as TensorFlow names them, with dead filters and negative scales."""
    rng, made, n_in = np.random.default_rng(seed), {}, 1
    for n in range(len(POOLS) + 1):
        norm, size = f"batch_normalization_{n}" if n else "batch_normalization", FILTERS if n else 1
        made[f"{norm}/gamma"] = rng.normal(1, 1, size)
        made[f"{norm}/beta"], made[f"{norm}/moving_mean"] = rng.normal(0, 1, (2, size))
        made[f"{norm}/moving_variance"] = rng.uniform(0.5, 2, size)
        if n:
            kernel = rng.normal(0, 0.3, (3, 3, n_in, FILTERS))
            kernel[..., n] = 0  # what is left of this filter is its bias
            made[f"{n}CNN/kernel"], made[f"{n}CNN/bias"] = kernel, rng.normal(0.5, 0.5, FILTERS)
            n_in = FILTERS
    made["dense/kernel"], made["dense/bias"] = rng.normal(0, 1, (2 * FILTERS, 50)), rng.normal(0, 1, 50)
    return {name: value.astype(np.float32) for name, value in made.items()}


def plain(tensors: dict[str, np.ndarray], windows: torch.Tensor) -> torch.Tensor:
    """The embedding by the layers as they were published."""

    def norm(x: torch.Tensor, n: int) -> torch.Tensor:
        name = f"batch_normalization_{n}" if n else "batch_normalization"
        gamma, beta, mean, variance = (
            torch.tensor(tensors[f"{name}/{what}"])
            for what in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, eps=EPSILON)

    x = norm(windows.transpose(1, 2).unsqueeze(1), 0)
    for n, (pool, stride) in enumerate(zip(POOLS, STRIDES, strict=True), 1):
        kernel = torch.tensor(tensors[f"{n}CNN/kernel"]).permute(3, 2, 0, 1)
        x = torch.nn.functional.conv2d(x, kernel, torch.tensor(tensors[f"{n}CNN/bias"]), padding=1)
        x = torch.nn.functional.max_pool2d(norm(torch.relu(x), n), pool, stride)
    return x.permute(0, 2, 3, 1).flatten(1)


def test_leaving_out_dead_filters_and_pooling_first_change_no_answer() -> None:
    tensors, windows = checkpoint(), torch.randn(2, 96, 187)
    network = Vgg(tensors)
    with torch.inference_mode():
        tags, embedding = network(windows)
    assert network.layers[0].convolution.out_channels == FILTERS - 1
    torch.testing.assert_close(embedding, plain(tensors, windows), rtol=1e-3, atol=1e-3)
    assert tags.shape == (2, 50)


def test_only_the_first_of_each_kind_names_tags_and_all_give_embeddings() -> None:
    torch.manual_seed(0)
    musicnns, vggs = [Musicnn().eval(), Musicnn().eval()], [Vgg(checkpoint(0)), Vgg(checkpoint(1))]
    windows = torch.rand(2, 96, 187)
    with torch.inference_mode():
        tags, embedding = Teachers(musicnns, vggs)(windows)
        first, second = (network(windows) for network in musicnns)
        third, fourth = (network(windows.to(torch.bfloat16)) for network in vggs)
    torch.testing.assert_close(tags, (first.logits + third[0].float()) / 2, rtol=0.02, atol=0.1)
    wanted = [first.embedding, second.embedding, third[1].float(), fourth[1].float()]
    torch.testing.assert_close(embedding, torch.cat(wanted, dim=1), rtol=0.05, atol=0.1)
