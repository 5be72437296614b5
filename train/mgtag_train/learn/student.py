"""Distillation: a network with its own heads, and auxiliary heads that only the training needs.

From the embedding, one linear layer each predicts the teacher's tags and the teacher's embedding. The genre
and mood heads are trained on the labels, where there are any, and on out-of-fold predictions of heads on the
teacher's embedding.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from mgtag.models import ModelOutput, Network

TAG_WEIGHT, EMBEDDING_WEIGHT, MOOD_WEIGHT = 0.1, 1.0, 0.5  # against the genre's losses
MOOD_LABEL_WEIGHT = 4.0  # a labelled mood is rare in a batch
IMPOSSIBLE = -1e4  # logit of a label that a window could not have had


@dataclass(frozen=True)
class Targets:
    """The targets of a batch's windows; rows of zeros where nothing is known.

    Attributes
    ----------
    genre, possible, teacher_genre : Tensor
        Shape ``(batch, labels)``: label distributions, 1 for the labels that the window could have had,
        and the predictions of a head on the teacher's embedding.
    mood, teacher_mood : Tensor
        Shape ``(batch, moods)``.
    tags, embedding : Tensor
        Shape ``(batch, 50)`` and ``(batch, 912)``, the latter standardised.
    has_teacher : Tensor
        Shape ``(batch, 1)``, 1 where there are predictions of the teacher.
    """

    genre: Tensor
    possible: Tensor
    teacher_genre: Tensor
    mood: Tensor
    teacher_mood: Tensor
    tags: Tensor
    embedding: Tensor
    has_teacher: Tensor

    def joined(self) -> Tensor:
        """Return everything side by side, as one tensor of a batch."""
        return torch.cat([getattr(self, field.name) for field in fields(self)], dim=1)


@dataclass(frozen=True)
class Widths:
    """Columns of a `Targets`."""

    labels: int
    moods: int
    tags: int
    embedding: int

    def split(self, joined: Tensor) -> Targets:
        """Take apart what `Targets.joined` put together."""
        n, m = self.labels, self.moods
        return Targets(*torch.split(joined, [n, n, n, m, m, self.tags, self.embedding, 1], dim=1))


class Student(Network):
    """A network with the heads that only training needs.

    Parameters
    ----------
    network : Network
        With a mood head.
    tags : Tensor
        Shape ``(50,)``, how often the teacher gives each tag: a new head begins there.
    widths : Widths
    """

    def __init__(self, network: Network, tags: Tensor, widths: Widths) -> None:
        super().__init__(network.spec)
        self.network, self.widths = network, widths
        hidden = network(torch.zeros(2, network.spec.n_mels, network.spec.n_frames)).embedding.shape[1]
        # From zero: a random start would first destroy the embedding.
        self.taught_tags = _from_zero(nn.Linear(hidden, widths.tags))
        self.taught_embedding = _from_zero(nn.Linear(hidden, widths.embedding))
        self.taught_tags.bias.data.copy_(torch.logit(tags, eps=1e-3))

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer as the network does."""
        answer: ModelOutput = self.network(windows)
        return answer

    def loss(self, windows: Tensor, targets: Tensor) -> Tensor:
        """Sum of the losses of all targets, over the size of the batch."""
        answer, wanted = self(windows), self.widths.split(targets)
        genre, mood = answer.logits.float(), answer.heads["mood"].float()
        tags, embedding = self.taught_tags(answer.embedding), self.taught_embedding(answer.embedding)
        losses = (
            _cross_entropy(genre + IMPOSSIBLE * (1 - wanted.possible), wanted.genre),
            _cross_entropy(genre, wanted.teacher_genre),
            MOOD_WEIGHT * MOOD_LABEL_WEIGHT * _cross_entropy(mood, wanted.mood),
            MOOD_WEIGHT * _cross_entropy(mood, wanted.teacher_mood),
            TAG_WEIGHT
            * wanted.has_teacher
            * binary_cross_entropy_with_logits(tags.float(), wanted.tags, reduction="none"),
            EMBEDDING_WEIGHT
            / self.widths.embedding
            * wanted.has_teacher
            * (embedding.float() - wanted.embedding) ** 2,
        )
        return torch.stack([loss.sum() for loss in losses]).sum() / len(windows)


def network_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's own weights, of a student's or of any network's state."""
    return {
        name.removeprefix("network."): value
        for name, value in state.items()
        if not name.startswith("taught_")
    }


def _cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    return -wanted * log_softmax(logits, dim=1)


def _from_zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
