"""What every network is given, what it answers, and what it has in common with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn


class ModelOutput(NamedTuple):
    """One row a window.

    Attributes
    ----------
    logits : Tensor
        Shape ``(batch, n_labels)``, before the softmax.
    attention : Tensor or None
        Shape ``(batch, n_frames)``, rows sum to 1; None for a network without attention.
    embedding : Tensor
        Shape ``(batch, d)``, what the last layer sees.
    heads : mapping of str to Tensor
        Logits of further heads, such as mood, by their names.
    """

    logits: Tensor
    attention: Tensor | None
    embedding: Tensor
    heads: Mapping[str, Tensor] = {}


@dataclass(frozen=True)
class Spec:
    """Arguments that every network of sound has.

    Attributes
    ----------
    n_labels, n_mels, n_frames : int
        Sizes of the answer and of a window.
    """

    n_labels: int = 10
    n_mels: int = 128
    n_frames: int = 39


class Network(nn.Module):
    """Base of every network of sound.

    Shape: standardised windows ``(batch, n_mels, n_frames)`` to `ModelOutput`.
    """

    spec: Spec

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised windows, shape ``(batch, n_mels, n_frames)``."""
        raise NotImplementedError

    def answer(self, windows: Tensor) -> dict[str, Tensor]:
        """Answer as a bundle does: logits by head, attention of a network that has it, embedding."""
        output: ModelOutput = self(windows)
        attention = {} if output.attention is None else {"attention": output.attention}
        return {"genre": output.logits, **output.heads, **attention, "embedding": output.embedding}

    def loss(self, windows: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch; networks that learn more than labels add to it.

        Parameters
        ----------
        targets : Tensor
            Shape ``(batch, n_labels)``, rows sum to 1.
        """
        logits: Tensor = self(windows).logits
        return nn.functional.cross_entropy(logits.float(), targets)
