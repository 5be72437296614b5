"""musicnn from its paper and its checkpoint's names, straight on: nothing folded, nothing left out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad, relu

from mgtag.arrays import F32


def answer(tensors: Mapping[str, F32], windows: F32) -> tuple[F32, F32]:
    """Logits and embedding of windows, shape ``(batch, bands, frames)``."""

    def get(layer: str, n: int, what: str) -> Tensor:
        return torch.tensor(tensors[f"{layer}_{n}/{what}" if n else f"{layer}/{what}"])

    def norm(n: int, x: Tensor) -> Tensor:  # channels last, as TensorFlow has them
        gamma, beta, mean, variance = (
            get("batch_normalization", n, k) for k in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - mean) / torch.sqrt(variance + 1e-3) * gamma + beta

    def conv(n: int, x: Tensor) -> Tensor:  # (batch, frames, bands, channels), no padding
        kernel = get("conv2d", n, "kernel").permute(3, 2, 0, 1)
        y = conv2d(x.permute(0, 3, 1, 2), kernel, get("conv2d", n, "bias")).permute(0, 2, 3, 1)
        return norm(n + 1, relu(y))

    def padded(x: Tensor, before: int, after: int) -> Tensor:
        return pad(x, (0, 0, 0, 0, before, after))

    x = norm(0, torch.tensor(windows.swapaxes(1, 2))[..., None])
    around = ((3, 3), (3, 3), (63, 64), (31, 32), (15, 16))  # SAME: the odd one comes behind
    front = torch.cat([conv(n, padded(x, *sides)).amax(2) for n, sides in enumerate(around)], dim=2)

    def middle(n: int, x: Tensor) -> Tensor:
        return conv(n, padded(x[..., None], 3, 3))[:, :, 0]

    first = middle(5, front)
    second = middle(6, first) + first
    third = middle(7, second) + second
    joined = torch.cat([front, first, second, third], dim=2)
    pooled = torch.stack([joined.amax(1), joined.mean(1)], dim=2).flatten(1)  # maximum, mean, maximum, mean
    hidden = relu(norm(9, pooled) @ get("dense", 0, "kernel") + get("dense", 0, "bias"))
    embedding = norm(10, hidden)
    logits = embedding @ get("dense", 1, "kernel") + get("dense", 1, "bias")
    return np.asarray(logits), np.asarray(embedding)
