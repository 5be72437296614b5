"""The weights of a musicnn checkpoint, as `mgtag.models.musicnn` names them, without what never answers.

Weight decay brought most of MSD_musicnn's first filters to kernels of 1e-28: all but 64 of 561 answer with
one constant, whatever they hear. They are left out, and their constants go on into the layers that
listened to them: the same answers to 1e-5, for a tenth of the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from mgtag.arrays import F32

EPSILON = 1e-3  # of TensorFlow's batch norm
SILENT = 1e-6  # a filter whose weights sum to less than this, scaled, answers with a constant
KINDS = 5  # of filters in the front
LAYERS = 3  # convolutions over time
Tensors = Mapping[str, F32]


def converted(tensors: Tensors) -> dict[str, F32]:
    """Return the state of a `mgtag.models.musicnn.Musicnn`, its 50 tags as the classifier.

    Parameters
    ----------
    tensors : mapping
        Of a checkpoint, see `mgtag.install.checkpoint.tensors`.

    Raises
    ------
    KeyError
        If a tensor is missing.
    """
    heard, constant = _answering(tensors)
    state = _affine("input", _norm(tensors, 0)) | _front(tensors, heard)
    state |= _time(tensors, heard, constant) | _dense(tensors, heard, constant)
    tags = _of(tensors, "dense", 1, "kernel").T  # of the embedding alone
    state["classifier.weight"] = np.pad(tags, ((0, 0), (0, state["dense.weight"].shape[1])))
    state["classifier.bias"] = _of(tensors, "dense", 1, "bias")
    return {name: np.ascontiguousarray(value, np.float32) for name, value in state.items()}


def _answering(tensors: Tensors) -> tuple[np.ndarray, F32]:
    """Which filters of the front hear anything, and what each would answer to silence."""
    kernels = [_of(tensors, "conv2d", n, "kernel") for n in range(KINDS)]
    bias = np.concatenate([_of(tensors, "conv2d", n, "bias") for n in range(KINDS)])
    scale, shift = _front_norm(tensors)
    weight = np.concatenate([np.abs(kernel).sum(axis=(0, 1, 2)) for kernel in kernels])
    return weight * np.abs(scale) > SILENT, np.maximum(bias, 0) * scale + shift


def _front(tensors: Tensors, heard: np.ndarray) -> dict[str, F32]:
    kernels = [_of(tensors, "conv2d", n, "kernel") for n in range(KINDS)]  # (frames, bands, 1, filters)
    bias = np.concatenate([_of(tensors, "conv2d", n, "bias") for n in range(KINDS)])
    scale, shift = _front_norm(tensors)
    sign = np.where(scale < 0, -1, 1).astype(np.float32)
    ends = np.cumsum([0, *(kernel.shape[-1] for kernel in kernels)])
    state = {
        f"front.{n}.weight": (kernel * sign[i:j])[..., heard[i:j]].transpose(3, 2, 0, 1)
        for n, (kernel, (i, j)) in enumerate(zip(kernels, pairwise(ends), strict=True))
    }
    state |= _affine("front_bias", (sign[heard, None], bias[heard, None]))
    return state | _affine("front_norm", (scale[heard, None], shift[heard, None]))


def _time(tensors: Tensors, heard: np.ndarray, constant: F32) -> dict[str, F32]:
    state: dict[str, F32] = {}
    for n in range(LAYERS):
        kernel = _of(tensors, "conv2d", KINDS + n, "kernel")[:, :, 0]  # (frames, inputs, channels)
        if n == 0:
            ones = np.einsum("fic,i->fc", kernel[:, ~heard], constant[~heard])
            kernel = np.concatenate([kernel[:, heard], ones[:, None]], axis=1)
        scale, shift = _norm(tensors, 1 + KINDS + n)
        state[f"time.{n}.weight"] = kernel.transpose(2, 1, 0)
        state[f"time.{n}.bias"] = _of(tensors, "conv2d", KINDS + n, "bias")
        state |= _affine(f"time_norm.{n}", (scale[:, None], shift[:, None]))
    return state


def _dense(tensors: Tensors, heard: np.ndarray, constant: F32) -> dict[str, F32]:
    """Fold the norm of what was pooled, and the constants, into the dense layer behind."""
    scale, shift = _norm(tensors, 1 + KINDS + LAYERS)
    kernel = _of(tensors, "dense", 0, "kernel")
    # There, maximum and mean of a channel lie side by side; here, all maxima before all means.
    channels = (kernel * scale[:, None]).reshape(-1, 2, kernel.shape[1])
    front, time = channels[: len(heard)], channels[len(heard) :]
    kept = np.concatenate([front[heard], time])
    constants = constant[~heard] @ front[~heard].sum(axis=1)
    return {
        "dense.weight": kept.swapaxes(0, 1).reshape(-1, kernel.shape[1]).T,
        "dense.bias": _of(tensors, "dense", 0, "bias") + shift @ kernel + constants,
    } | _affine("dense_norm", _norm(tensors, 2 + KINDS + LAYERS))


def _affine(name: str, values: tuple[F32, F32]) -> dict[str, F32]:
    return {f"{name}.weight": values[0], f"{name}.bias": values[1]}


def _front_norm(tensors: Tensors) -> tuple[F32, F32]:
    scales, shifts = zip(*(_norm(tensors, 1 + n) for n in range(KINDS)), strict=True)
    return np.concatenate(scales), np.concatenate(shifts)


def _norm(tensors: Tensors, n: int) -> tuple[F32, F32]:
    """Scale and shift of a batch norm."""
    gamma, beta, mean, variance = (
        _of(tensors, "batch_normalization", n, what)
        for what in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale: F32 = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - mean * scale


def _of(tensors: Tensors, layer: str, n: int, what: str) -> F32:
    """Return a layer's tensor; TensorFlow numbers all but the first of a kind."""
    return tensors[f"{layer}_{n}/{what}" if n else f"{layer}/{what}"]
