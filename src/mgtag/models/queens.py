"""The networks of the Queen's paper: CNN, BGRU, BGRU with attention, and both side by side.

Cai, Xiong, Li, Li, *Music genre classification using deep learning*, CMPE/CISC 452 project
report, Queen's University; the parallel network follows Feng, Liu, Liu (arXiv:1712.08370) and
the attention Yu et al. (Neurocomputing, 2019).

::

                 ┌─ BGRU ── BGRU ──────────── weighted sum over frames ─┐
    windows ─────┤                                    ▲                 ├─ hidden ─ logits
                 └─ 5 × (conv 3×3, max-pool) ─┬─ softmax over frames    │
                                              └─ dense 512 ─────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mgtag.models.output import ModelOutput, Network, Spec

KERNEL = 3  # every convolution of the paper


@dataclass(frozen=True)
class QueensSpec(Spec):
    """Arguments of a network; the defaults are the paper's parallel network.

    Attributes
    ----------
    channels : tuple of int
        Output channels of the convolutions.
    pools : tuple of (int, int)
        Max-pooling after each, bands by frames.
    recurrent : bool
        With the BGRU.
    units, layers : int
        Units in each direction, and layers, of the BGRU.
    attention : bool
        Frames weighted by the CNN; otherwise their mean is taken, as in the plain BGRU.
    convolutional : bool
        With the CNN's own features before the classifier.
    dense : int
        Width of the CNN's dense layer; 0 passes the flattened maps on.
    hidden : int
        Width of the classifier's hidden layer, the embedding.
    dropout : float
        In the classifier, before and after the hidden layer; the paper's 0.3.
    dropout_map : float
        Whole maps after each pooling of the CNN; 0 in the paper.
    dropout_frame : float
        On the BGRU's input and between its layers; 0 in the paper.
    batch_norm : bool
        After each convolution; not in the paper, which trained on ten times the slices.
    stem : int
        Bands under the first convolution's kernel, where it strides as far as its pooling would reach
        instead of pooling: half the time of a training step. 0, as in the paper, pools.
    moods : int
        Labels of a second head, ``"mood"``; 0 for a network without one.
    """

    channels: tuple[int, ...] = (32, 32, 64, 128, 64)
    pools: tuple[tuple[int, int], ...] = ((2, 2),) * 5
    recurrent: bool = True
    units: int = 256
    layers: int = 2
    attention: bool = True
    convolutional: bool = True
    dense: int = 512
    hidden: int = 80
    dropout: float = 0.3
    dropout_map: float = 0.0
    dropout_frame: float = 0.0
    batch_norm: bool = False
    stem: int = 0
    moods: int = 0


PARALLEL = QueensSpec()

ARCHITECTURES = {
    "queens-parallel": PARALLEL,
    "queens-cnn": replace(PARALLEL, recurrent=False, attention=False, dense=0, hidden=64),
    "queens-bgru": replace(PARALLEL, convolutional=False, attention=False, hidden=64),
    "queens-bgru-attention": replace(PARALLEL, convolutional=False, hidden=64),
}


class Queens(Network):
    """Any network of the paper, by its spec.

    Raises
    ------
    ValueError
        If the spec leaves nothing to listen with, or nothing to attend to.
    """

    spec: QueensSpec

    def __init__(self, spec: QueensSpec = PARALLEL) -> None:
        super().__init__(spec)
        if spec.attention and not spec.recurrent:
            raise ValueError("attention weighs the frames of the BGRU: it needs recurrent=True")
        if not (spec.recurrent or spec.convolutional):
            raise ValueError("a network without BGRU and CNN has nothing to listen with")
        width = 0
        if spec.convolutional or spec.attention:
            self.cnn = _cnn(spec)
            with torch.no_grad():
                n_maps = self.cnn.eval()(torch.zeros(1, 1, spec.n_mels, spec.n_frames)).shape[1]
            self.cnn.train()
        if spec.recurrent:
            # A frame's vector is scaled alike by every window's standardisation, but bands differ in
            # spread by a factor of ten; the norm saves the GRU from learning that first.
            self.bands = nn.BatchNorm1d(spec.n_mels) if spec.batch_norm else nn.Identity()
            self.frame_dropout = nn.Dropout(spec.dropout_frame)
            self.gru = nn.GRU(
                spec.n_mels,
                spec.units,
                num_layers=spec.layers,
                batch_first=True,
                bidirectional=True,
                dropout=spec.dropout_frame if spec.layers > 1 else 0.0,
            )
            width += 2 * spec.units
        if spec.attention:
            self.scores = nn.Linear(n_maps, spec.n_frames)
        if spec.convolutional:
            self.dense = (
                nn.Sequential(nn.Linear(n_maps, spec.dense), nn.ReLU()) if spec.dense else nn.Identity()
            )
            width += spec.dense or n_maps
        self.hidden = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(width, spec.hidden), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, spec.n_labels))
        if spec.moods:
            self.mood = nn.Sequential(nn.Dropout(spec.dropout), nn.Linear(spec.hidden, spec.moods))

    def forward(self, windows: Tensor) -> ModelOutput:
        """Answer for a batch of standardised windows, shape ``(batch, n_mels, n_frames)``."""
        spec, features, attention = self.spec, [], None
        if spec.convolutional or spec.attention:
            maps = self.cnn(windows.unsqueeze(1))
        if spec.recurrent:
            frames, _ = self.gru(self.frame_dropout(self.bands(windows).transpose(1, 2)))
            if spec.attention:
                # Over time, not over the vector's entries: a weight answers "which moment?".
                attention = torch.softmax(self.scores(maps), dim=-1)
                features.append(torch.bmm(attention.unsqueeze(1), frames).squeeze(1))
            else:
                features.append(frames.mean(dim=1))
        if spec.convolutional:
            features.append(self.dense(maps))
        embedding = self.hidden(torch.cat(features, dim=-1))
        heads = {"mood": self.mood(embedding)} if spec.moods else {}
        return ModelOutput(self.classifier(embedding), attention, embedding, heads)


def _cnn(spec: QueensSpec) -> nn.Sequential:
    layers: list[nn.Module] = []
    n_in = 1
    for n, (n_out, pool) in enumerate(zip(spec.channels, spec.pools, strict=True)):
        strides = spec.stem and n == 0
        layers.append(_stem(spec) if strides else _conv(n_in, n_out, spec))
        if spec.batch_norm:
            layers.append(nn.BatchNorm2d(n_out))
        if not strides:
            layers.append(nn.MaxPool2d(pool))
        layers.append(
            nn.ReLU()
        )  # after the pooling, of which it leaves the answers as they are, it costs less
        if spec.dropout_map:
            layers.append(nn.Dropout2d(spec.dropout_map))
        n_in = n_out
    return nn.Sequential(*layers, nn.Flatten())


def _conv(n_in: int, n_out: int, spec: QueensSpec) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, KERNEL, padding=KERNEL // 2, bias=not spec.batch_norm)


def _stem(spec: QueensSpec) -> nn.Conv2d:
    """Make a first convolution with the output size of one that is pooled."""
    stride = spec.pools[0]
    padding = (spec.stem - stride[0] + 1) // 2, (KERNEL - stride[1] + 1) // 2
    return nn.Conv2d(1, spec.channels[0], (spec.stem, KERNEL), stride, padding, bias=not spec.batch_norm)
