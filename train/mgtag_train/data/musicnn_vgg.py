"""The second pretrained network of the wheel that a student learns from: a VGG of the same 50 tags.

Five convolutions 3×3, each followed by ReLU, batch norm and max-pooling; then one dense layer. Many of its
filters are dead: their constant answer joins the next convolution through a channel of ones, which makes
the network twice as fast. A norm with a negative scale turns its maxima into minima, so the kernel's sign is
changed before the pooling and back after it, and the norm has a quarter of the cells left to scale.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from mgtag.arrays import F32

EPSILON = 1e-3  # of TensorFlow's batch norm
POOLS = ((4, 1), (2, 2), (2, 2), (2, 2), (4, 4))  # frames × bands
STRIDES = ((2, 2), (2, 2), (2, 2), (2, 2), (4, 4))
HIDDEN = 256
DEAD = 1e-6  # sum of a kernel's absolute weights, times its norm's scale
Tensors = Mapping[str, F32]


class Vgg(nn.Module):
    """The network, in the precision that it is given; made for bfloat16.

    Parameters
    ----------
    tensors : mapping
        Of the checkpoint, see `mgtag.install.checkpoint.tensors`.
    """

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self.scale, self.shift = (
            nn.Parameter(torch.tensor(value), requires_grad=False) for value in _norm(tensors, 0)
        )
        layers, alive, constant = [], None, np.zeros(0, np.float32)
        for n, (pool, stride) in enumerate(zip(POOLS, STRIDES, strict=True), 1):
            kernel, bias = tensors[f"{n}CNN/kernel"], tensors[f"{n}CNN/bias"]  # (frames, bands, in, out)
            scale, shift = _norm(tensors, n)
            if alive is not None:
                rest = (kernel[:, :, ~alive] * constant[~alive, None]).sum(axis=2, keepdims=True)
                kernel = np.concatenate([kernel[:, :, alive], rest], axis=2)
            used = np.abs(kernel).sum(axis=(0, 1, 2)) * np.abs(scale) > DEAD
            alive = used if n < len(POOLS) else np.ones_like(used)
            layers.append(_Layer(kernel[..., alive], bias[alive], scale[alive], shift[alive], pool, stride))
            constant = np.maximum(bias, 0) * scale + shift
        self.layers = nn.ModuleList(layers)
        kernel = tensors["dense/kernel"]
        self.tags = nn.Linear(*kernel.shape)
        self.tags.weight.data, self.tags.bias.data = (
            torch.tensor(np.ascontiguousarray(value)) for value in (kernel.T, tensors["dense/bias"])
        )

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Turn windows ``(batch, 96, 187)`` into logits of the tags and the embedding, ``(batch, 256)``."""
        x = windows.transpose(1, 2).unsqueeze(1) * self.scale + self.shift
        x = x.to(memory_format=torch.channels_last)
        for n, layer in enumerate(self.layers):
            x = layer(torch.cat([x, torch.ones_like(x[:, :1])], dim=1) if n else x)
        embedding = x.permute(0, 2, 3, 1).flatten(1)
        return self.tags(embedding), embedding


class _Layer(nn.Module):
    def __init__(
        self,
        kernel: F32,
        bias: F32,
        scale: F32,
        shift: F32,
        pool: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        super().__init__()
        sign = np.where(scale < 0, -1, 1).astype(np.float32)
        self.convolution = nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
        self.convolution.weight.data = torch.tensor((kernel * sign).transpose(3, 2, 0, 1))
        self.convolution.bias = nn.Parameter(torch.tensor(bias * sign))
        self.sign, self.scale, self.shift = (
            nn.Parameter(torch.tensor(value)[:, None, None], requires_grad=False)
            for value in (sign, scale, shift)
        )
        self.pool = nn.MaxPool2d(pool, stride)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.relu(self.pool(self.convolution(x)) * self.sign)
        return pooled * self.scale + self.shift


def _norm(tensors: Tensors, n: int) -> tuple[F32, F32]:
    """One scale and one shift a channel."""
    name = f"batch_normalization_{n}" if n else "batch_normalization"
    gamma, beta, mean, variance = (
        tensors[f"{name}/{what}"] for what in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)
