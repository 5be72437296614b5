"""The Polytechnic's network: a plain CNN on mel-frequency cepstral coefficients, 26 or 18 a frame.

*Music genre classification*, course presentation, after Jimenez and José, *Music genre recognition
with deep neural networks*, DSAP, ETSETB, UPC; convolution blocks as in Choi, Fazekas, Sandler
(arXiv:1606.00298).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mgtag.models.blocks import block
from mgtag.models.output import ModelOutput, Network, Spec


@dataclass(frozen=True)
class MfccSpec(Spec):
    """Arguments of a network; the defaults are the paper's first experiment.

    Attributes
    ----------
    coefficients : int
        Cepstral coefficients kept of each frame, from the lowest.
    channels, pools
        Of the convolution blocks; pooling is coefficients by frames.
    hidden : int
        Width of the fully connected layer, the embedding.
    dropout : float
        Before and after it.
    batch_norm : bool
        After each convolution; the export folds it away.
    """

    n_frames: int = 129  # 10 s
    coefficients: int = 26
    channels: tuple[int, ...] = (32, 64, 128, 128)
    pools: tuple[tuple[int, int], ...] = ((2, 2), (2, 4), (2, 4), (2, 2))
    hidden: int = 64
    dropout: float = 0.3
    batch_norm: bool = True


MFCC_26 = MfccSpec()

ARCHITECTURES = {"mfcc-26": MFCC_26, "mfcc-18": replace(MFCC_26, coefficients=18)}


class Mfcc(Network):
    """A network on cepstral coefficients."""

    spec: MfccSpec
    dct: Tensor

    def __init__(self, spec: MfccSpec = MFCC_26) -> None:
        super().__init__(spec)
        # Part of the state, so that the export rounds it as it rounds every matrix.
        self.register_buffer("dct", dct_matrix(spec.coefficients, spec.n_mels))
        self.norm = nn.BatchNorm1d(spec.coefficients)
        widths = (1, *spec.channels)
        self.convolutions = nn.ModuleList(
            block(n_in, n_out, pool, spec.batch_norm)
            for n_in, n_out, pool in zip(widths, spec.channels, spec.pools, strict=False)
        )
        rows = math.ceil(spec.coefficients / math.prod(pool[0] for pool in spec.pools))
        columns = math.ceil(spec.n_frames / math.prod(pool[1] for pool in spec.pools))
        width = spec.channels[-1] * rows * columns
        self.hidden = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(width, spec.hidden), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, spec.n_labels))

    def coefficients(self, windows: Tensor) -> Tensor:
        """Cepstral coefficients of windows, shape ``(batch, coefficients, n_frames)``."""
        return torch.matmul(self.dct, windows)

    def blocks(self, windows: Tensor) -> list[Tensor]:
        """Return what each convolution block answers, shapes ``(batch, channels, rows, columns)``."""
        maps, answers = self.norm(self.coefficients(windows)).unsqueeze(1), []
        for convolution in self.convolutions:
            maps = convolution(maps)
            answers.append(maps)
        return answers

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised windows, shape ``(batch, n_mels, n_frames)``."""
        embedding = self.hidden(self.blocks(windows)[-1].flatten(1))
        return ModelOutput(self.classifier(embedding), None, embedding)


def dct_matrix(n_kept: int, n: int) -> Tensor:
    """First rows of the orthonormal DCT-II, shape ``(n_kept, n)``.

    ``sqrt(2 / n) cos(pi k (j + 1/2) / n)``, the row ``k = 0`` divided by ``sqrt(2)`` (Ahmed, Natarajan,
    Rao, IEEE Trans. Computers 23, 1974); applied to log-mels, it gives MFCCs (Davis, Mermelstein, 1980).
    """
    k = torch.arange(n_kept, dtype=torch.float64).unsqueeze(1)
    matrix = math.sqrt(2 / n) * torch.cos(math.pi / n * k * (torch.arange(n, dtype=torch.float64) + 0.5))
    matrix[0] /= math.sqrt(2)
    return matrix.float()
