"""The spectrogram network of the lyrics paper: kernels along time only, and 500 numbers a clip.

*Music genre classification from audio and lyrics* (a CNN beside a hierarchical attention network),
after Murauer and Specht, *Detecting music genre using extreme gradient boosting*, WWW 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from mgtag.models.output import ModelOutput, Network, Spec


@dataclass(frozen=True)
class LyricsCnnSpec(Spec):
    """Arguments of the network.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions.
    pools : tuple of (int, int)
        Max-pooling after each, bands by frames. It is what brings bands together: no kernel does.
    kernel : int
        Frames that a kernel spans; odd.
    hidden : int
        Length of the feature vector, the embedding; the paper's 500.
    dropout : float
        Of what the convolutions say; the paper's 0.5. Only after the last pooling: a batch norm behind
        a dropout sees another variance in training than afterwards (Li et al., arXiv:1801.05134).
    """

    n_frames: int = 380
    channels: tuple[int, ...] = (16, 32, 64, 128)
    pools: tuple[tuple[int, int], ...] = ((2, 4), (4, 4), (2, 2), (2, 2))
    kernel: int = 5
    hidden: int = 500
    dropout: float = 0.5


LYRICS_CNN = LyricsCnnSpec()

ARCHITECTURES = {"lyrics-cnn": LYRICS_CNN}


class LyricsCnn(Network):
    """The paper's network of sound, with a classifier of its own."""

    spec: LyricsCnnSpec

    def __init__(self, spec: LyricsCnnSpec = LYRICS_CNN) -> None:
        super().__init__(spec)
        layers: list[nn.Module] = []
        widths = (1, *spec.channels)
        for n_in, n_out, pool in zip(widths, spec.channels, spec.pools, strict=False):
            # ReLU before the norm, as the paper has it: it cannot be folded into a convolution.
            layers += [
                nn.Conv2d(n_in, n_out, (1, spec.kernel), padding=(0, spec.kernel // 2)),
                nn.ReLU(),
                nn.BatchNorm2d(n_out),
                nn.MaxPool2d(pool, ceil_mode=True),
            ]
        self.cnn = nn.Sequential(*layers, nn.Dropout(spec.dropout), nn.Flatten())
        rows = math.ceil(spec.n_mels / math.prod(pool[0] for pool in spec.pools))
        columns = math.ceil(spec.n_frames / math.prod(pool[1] for pool in spec.pools))
        self.hidden = nn.Sequential(nn.Linear(spec.channels[-1] * rows * columns, spec.hidden), nn.ReLU())
        self.classifier = nn.Linear(spec.hidden, spec.n_labels)

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised clips, shape ``(batch, n_mels, n_frames)``."""
        embedding = self.hidden(self.cnn(windows.unsqueeze(1)))
        return ModelOutput(self.classifier(embedding), None, embedding)
