"""musicnn, the pretrained tagger that `mgtag models install musicnn` makes a bundle of.

Pons, Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging" (2019): filters as
high as a timbre or as long as a rhythm, three convolutions over time, pooling over time. Its norms follow
the ReLU; here each is one scale and one shift a channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from mgtag.models.output import ModelOutput, Network, Spec

FILTERS = ((7, 38), (7, 67), (128, 1), (64, 1), (32, 1))  # frames × bands, of the five kinds of filter
REACH = 7  # frames that a later convolution sees


@dataclass(frozen=True)
class MusicnnSpec(Spec):
    """Arguments of the network.

    Attributes
    ----------
    filters : tuple of int
        Filters of each kind; published are (204, 204, 51, 51, 51).
    channels : int
        Of the convolutions over time.
    hidden : int
        Width of the embedding.
    moods : int
        Labels of a second head; 0 for none.
    """

    n_labels: int = 50
    n_mels: int = 96
    n_frames: int = 187
    filters: tuple[int, ...] = (204, 204, 51, 51, 51)
    channels: int = 64
    hidden: int = 200
    moods: int = 0


MUSICNN = MusicnnSpec()

PRETRAINED = {"musicnn": MUSICNN}


class Affine(nn.Module):
    """One scale and one shift a channel: a batch norm that has learned.

    Parameters
    ----------
    shape : int
        Of both, as they are broadcast: ``(channels, 1)`` for channels by frames.
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift."""
        return x * self.weight + self.bias


class Musicnn(Network):
    """Timbre and rhythm, then time.

    The maximum over the bands comes before bias, ReLU and norm, which is cheaper and changes nothing, since
    all three are monotonic. Where the norm's scale is negative the minimum is wanted: that filter is
    stored negated, and `front_bias` turns its maximum back.
    """

    spec: MusicnnSpec

    def __init__(self, spec: MusicnnSpec = MUSICNN) -> None:
        super().__init__(spec)
        kinds = list(zip(spec.filters, FILTERS, strict=True))
        width, channels = sum(spec.filters), spec.channels
        self.input = Affine(1)
        self.front = nn.ModuleList(nn.Conv2d(1, n, size, bias=False) for n, size in kinds)
        self.front_bias, self.front_norm = Affine(width, 1), Affine(width, 1)
        # One channel more, of ones: what filters that always answer the same add, but not beyond the edges.
        inputs = (width + 1, channels, channels)
        self.time = nn.ModuleList(nn.Conv1d(n, channels, REACH, padding=REACH // 2) for n in inputs)
        self.time_norm = nn.ModuleList(Affine(channels, 1) for _ in inputs)
        pooled = 2 * (width + 3 * channels)
        self.dense = nn.Linear(pooled, spec.hidden)
        self.dense_norm = Affine(spec.hidden)
        # Heads see what was pooled, too: the embedding lost some of it on the way to the authors' fifty tags.
        self.classifier = nn.Linear(spec.hidden + pooled, spec.n_labels)
        self.mood = nn.Linear(spec.hidden + pooled, spec.moods) if spec.moods else None

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of windows, shape ``(batch, n_mels, n_frames)``, log10(1 + 10,000 power)."""
        features = self.features(windows)
        heads = {} if self.mood is None else {"mood": self.mood(features)}
        return ModelOutput(self.classifier(features), None, features[:, : self.spec.hidden], heads)

    def features(self, windows: Tensor) -> Tensor:
        """Return what the heads see, one row a window: the embedding, and what it was made of."""
        x = self.input(windows.transpose(1, 2).unsqueeze(1))
        maxima = [
            conv(pad(x, (0, 0, (frames - 1) // 2, frames // 2))).amax(3)
            for conv, (frames, _) in zip(self.front, FILTERS, strict=True)
        ]
        front = self.front_norm(relu(self.front_bias(torch.cat(maxima, 1))))
        parts = [front]
        x = torch.cat([front, torch.ones_like(front[:, :1])], 1)
        for n, (conv, norm) in enumerate(zip(self.time, self.time_norm, strict=True)):
            x = norm(relu(conv(x))) + (x if n else 0)
            parts.append(x)
        joined = torch.cat(parts, 1)
        pooled = torch.cat([joined.amax(2), joined.mean(2)], 1)
        embedding = self.dense_norm(relu(self.dense(pooled)))
        return torch.cat([embedding, pooled], 1)
