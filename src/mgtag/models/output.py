"""What every network answers."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class ModelOutput(NamedTuple):
    """One row a window.

    Attributes
    ----------
    logits : Tensor
        Shape ``(batch, n_labels)``, before the softmax.
    attention : Tensor or None
        Shape ``(batch, n_frames)``, rows sum to 1; None for a network without attention.
    embedding : Tensor
        Shape ``(batch, hidden)``, what the last layer sees.
    """

    logits: Tensor
    attention: Tensor | None
    embedding: Tensor
