"""The paper's networks: three, four and five convolutions, and four with attention over the map.

Li, *Attention-based convolutional neural network for music genre classification*, poster, KTH.

::

    windows ── 4 × (conv 3×3, batch norm, ReLU, pool) ─┬─ flattened map ───────────┬─ dense ─┬─ genre
                                                       └─ softmax over its cells,  │         └─ valence
                                                          weighted sum of cells ───┘
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mgtag.models.blocks import block
from mgtag.models.output import ModelOutput, Network, Spec

MOODS = ("sad", "neutral", "happy")

# Of blues, classical, country, disco, hiphop, jazz, metal, pop, reggae, rock: the tercile in which the
# genre's mean valence lies among the ten, since the paper's valence labels follow from the genre too.
GTZAN_MOODS = (2, 0, 1, 2, 1, 1, 0, 0, 2, 1)


@dataclass(frozen=True)
class KthSpec(Spec):
    """Arguments of a network; the defaults are the paper's four layers.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions.
    pools : tuple of (int, int)
        Pooling after each, bands by frames. The paper halves 128 × 128 until a 4 × 4 map is left;
        these get there from 128 bands × 39 frames.
    attention : bool
        Cells of the last map weighted, and their sum handed on beside the map.
    moods : tuple of int
        Index into `MOODS` of each label; empty for a network that learns no valence.
    hidden : int
        Width of the dense layer, the embedding.
    dropout : float
        Before and after the dense layer.
    batch_norm : bool
        After each convolution; the export folds it away.
    """

    channels: tuple[int, ...] = (64, 128, 256, 512)
    pools: tuple[tuple[int, int], ...] = ((4, 2), (2, 2), (2, 3), (2, 1))
    attention: bool = False
    moods: tuple[int, ...] = GTZAN_MOODS
    hidden: int = 128
    dropout: float = 0.3
    batch_norm: bool = True


FOUR = KthSpec()

ARCHITECTURES = {
    "kth-3layer": replace(FOUR, channels=FOUR.channels[:3], pools=FOUR.pools[:3]),
    "kth-4layer": FOUR,
    "kth-5layer": replace(FOUR, channels=(*FOUR.channels, 512), pools=(*FOUR.pools, (2, 2))),
    "kth-attention": replace(FOUR, attention=True),
}


class Kth(Network):
    """Any network of the paper, by its spec.

    Raises
    ------
    ValueError
        If there are moods, but not one a label.
    """

    spec: KthSpec
    owner: Tensor
    covered: Tensor

    def __init__(self, spec: KthSpec = FOUR) -> None:
        super().__init__(spec)
        if spec.moods and len(spec.moods) != spec.n_labels:
            raise ValueError(f"{len(spec.moods)} moods for {spec.n_labels} labels: give one a label, or none")
        widths = (1, *spec.channels)
        pools: list[tuple[int, int] | nn.Module] = list(spec.pools)
        if spec.attention:
            pools[-1] = AverageAndMax(spec.pools[-1])
        self.blocks = nn.Sequential(
            *(
                block(n_in, n_out, pool, spec.batch_norm)
                for n_in, n_out, pool in zip(widths, spec.channels, pools, strict=False)
            )
        )
        bands = math.ceil(spec.n_mels / math.prod(p[0] for p in spec.pools))
        stride = math.prod(p[1] for p in spec.pools)
        width = spec.channels[-1] * bands * math.ceil(spec.n_frames / stride)
        if spec.attention:
            self.scores = nn.Conv2d(spec.channels[-1], 1, 1)
            width += spec.channels[-1]
            # The column of the map that each frame fell into, and how many frames share it.
            owner = torch.arange(spec.n_frames) // stride
            self.register_buffer("owner", owner, persistent=False)
            self.register_buffer("covered", torch.bincount(owner)[owner].float(), persistent=False)
        self.hidden = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(width, spec.hidden), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, spec.n_labels))
        if spec.moods:
            self.mood = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, len(MOODS)))

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised windows, shape ``(batch, n_mels, n_frames)``."""
        maps = self.blocks(windows.unsqueeze(1))
        features, attention = maps.flatten(1), None
        if self.spec.attention:
            cells = torch.softmax(self.scores(maps).flatten(1).float(), dim=1)
            vector = torch.bmm(maps.flatten(2), cells.to(maps.dtype).unsqueeze(2)).squeeze(2)
            features = torch.cat([features, vector], dim=1)
            columns = cells.reshape(-1, *maps.shape[2:]).sum(dim=1)
            attention = columns.index_select(1, self.owner) / self.covered
        embedding = self.hidden(features)
        return ModelOutput(self.classifier(embedding), attention, embedding)

    def valence(self, embedding: Tensor) -> Tensor:
        """Logits of `MOODS`, shape ``(batch, 3)``, from embeddings, shape ``(batch, hidden)``."""
        logits: Tensor = self.mood(embedding)
        return logits

    def loss(self, windows: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the genre, and of the valence that follows from it."""
        answer = self(windows)
        loss = nn.functional.cross_entropy(answer.logits.float(), targets)
        if not self.spec.moods:
            return loss
        moods = nn.functional.one_hot(torch.tensor(self.spec.moods, device=targets.device), len(MOODS))
        # In full precision, outside autocast, so that a target's shares still sum to 1.
        wanted = (targets.unsqueeze(2) * moods).sum(dim=1)
        return loss + nn.functional.cross_entropy(self.valence(answer.embedding).float(), wanted)


class AverageAndMax(nn.Module):
    """The mean of average-pooling and max-pooling, the paper's ``Pool4Combined``."""

    def __init__(self, pool: tuple[int, int]) -> None:
        super().__init__()
        self.average = nn.AvgPool2d(pool, ceil_mode=True)
        self.maximum = nn.MaxPool2d(pool, ceil_mode=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps, shape ``(batch, channels, bands, frames)``."""
        pooled: Tensor = (self.average(maps) + self.maximum(maps)) / 2
        return pooled
