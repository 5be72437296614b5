"""How much each frame of a slice counts for a genre, by three methods.

``occlusion`` silences one frame after the other and watches the probability fall; ``gradient`` is
integrated gradients (Sundararajan, Taly, Yan, arXiv:1703.01365), through captum; ``attention`` is
the network's own attention weight of the frame, as in the Queen's paper. How faithful each is, is
measured by ``mgtag lab faithfulness``; `DEFAULT` is the best of those that need no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mgtag import audio
from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag.explain.whole_file import Tell
from mgtag.extras import not_installed
from mgtag.inference import Tagger, torch_model
from mgtag.prediction import Prediction
from mgtag.slices import tiles

Method = Literal["occlusion", "gradient", "attention"]
METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT: Method = "occlusion"

OCCLUDED_S = 0.08  # about a frame of the networks trained here; musicnn's last a fifth of it
STEPS = 16  # of the integral; the sum of the weights is then right to a hundredth of the probability

Target = tuple[str, int]  # a head, and the index of one of its labels
# windows (k, n_mels, n_frames), probability of the genre in each (k,) -> weights (k, n_frames)
Weigher = Callable[[F32, F32], F32]


def frame_weights(
    path: Path,
    tagger: Tagger,
    prediction: Prediction,
    target: Target,
    method: Method = DEFAULT,
    tell: Tell = lambda seconds: None,
) -> F32:
    """Weigh every frame of a file that was heard whole.

    Parameters
    ----------
    prediction : Prediction
        Of this file, every slice; see `mgtag.explain.whole_file.predict_whole`.
    target : (str, int)
        Head, and index of its label, that is to be explained.

    Returns
    -------
    F32
        Shape ``(w, n_frames)``, not negative; rows sum to 1, or are zeros where no frame counts
        for the genre.

    Raises
    ------
    UsageError
        If the method needs what is not installed, or attention that the network has not got.
    """
    if method == "attention":
        # A graph of format 1 without attention answers with the same weight for every frame; no other does.
        if prediction.attention is None or not np.ptp(prediction.attention):
            raise UsageError(
                f"{tagger.bundle.card.name}: this model's network has no attention to show;"
                f" use --method {DEFAULT}."
            )
        return prediction.attention
    weigh = weigher(tagger, target, method)
    head, label = target
    rows, mel, first = [], tagger.bundle.card.mel, 0
    with audio.opened(path) as sound:
        for part in tiles(sound, mel):
            end = first + len(part.windows)
            weights = weigh(part.windows, prediction.heads[head].probabilities[first:end, label])
            weights[~part.audible] = 0
            rows.append(weights)
            tell(end * mel.slice_s)
            first = end
    return np.concatenate([shares(row) for row in rows])


def weigher(tagger: Tagger, target: Target, method: Method) -> Weigher:
    """Return the function that weighs the frames of some windows for a label of a head.

    Raises
    ------
    UsageError
        If the method needs what is not installed.
    """
    if method == "occlusion":
        return lambda x, before: occlusion(tagger, target, x, before)
    return _gradient(tagger, target)


def occlusion(tagger: Tagger, target: Target, x: F32, before: F32) -> F32:
    """Fall of a label's probability when a frame falls silent, shape ``(k, n_frames)``; may be negative.

    Frames shorter than `OCCLUDED_S` fall silent several at a time, and share the fall.
    """
    head, label = target
    spec = tagger.bundle.card.mel
    step = max(1, round(OCCLUDED_S * spec.sample_rate / spec.hop))
    falls = np.empty((len(x), x.shape[2]), np.float32)
    for first in range(0, x.shape[2], step):
        mask = np.zeros((len(x), x.shape[2]), np.bool_)
        mask[:, first : first + step] = True
        after = tagger.ask(silenced(x, mask)).heads[head].probabilities[:, label]
        falls[:, first : first + step] = ((before - after) / mask[0].sum())[:, None]
    return falls


def silenced(x: F32, frames: NDArray[np.bool_]) -> F32:
    """Silence frames of standardised windows: every band falls to the window's softest cell.

    Parameters
    ----------
    x : F32
        Shape ``(k, n_mels, n_frames)``.
    frames : array of bool
        Shape ``(k, n_frames)``.
    """
    return np.where(frames[:, None, :], x.min(axis=(1, 2), keepdims=True), x).astype(np.float32)


def shares(weights: F32) -> F32:
    """Bring rows to a sum of 1, leaving out what counts against; a row without any becomes zeros."""
    positive = np.maximum(weights, 0)
    total = positive.sum(axis=-1, keepdims=True)
    divided: F32 = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    return divided


def _gradient(tagger: Tagger, target: Target) -> Weigher:
    try:
        import torch
        from captum.attr import IntegratedGradients
    except ModuleNotFoundError as error:
        raise not_installed("--method gradient", str(error.name), "gradient") from error

    head, label = target
    network, temperature = torch_model(tagger.bundle), tagger.bundle.card.heads[head].temperature

    def probability(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(network.answer(x)[head] / temperature, dim=-1)[:, label]

    integrated = IntegratedGradients(probability)

    def weigh(x: F32, before: F32) -> F32:
        # From zeros, which are the mean of a standardised window, to the window itself.
        cells = integrated.attribute(torch.from_numpy(x), n_steps=STEPS, internal_batch_size=len(x))
        frames: F32 = cells.sum(dim=1).float().numpy()
        return frames

    return weigh
