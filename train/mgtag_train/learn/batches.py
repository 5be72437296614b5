"""Data sources for training (random augmented batches) and evaluation (every window, in order)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn

from mgtag.arrays import I64
from mgtag.models import Network
from mgtag_train.data.splitting import OF_SLICE
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn import augment
from mgtag_train.learn.config import TrainConfig


class Examples(Protocol):
    """Items to train or to evaluate on.

    Attributes
    ----------
    labels : Tensor
        Shape ``(items,)``, int64; -1 for what is not music.
    """

    labels: Tensor

    def initialise(self, model: Network) -> Network:
        """Give a fresh network what is known before learning, mostly nothing; return what is trained."""
        ...

    def batch(self, items: Tensor, config: TrainConfig, g: Generator) -> tuple[Tensor, Tensor]:
        """Return inputs for these items, and target distributions ``(batch, n_labels)``.

        Chance comes from `g` alone, so that a resumed run sees what an uninterrupted one would have.
        """
        ...

    def tiles(self) -> tuple[Tensor, Tensor]:
        """Return every input to evaluate, and ``(inputs,)`` the index of the item that owns it."""
        ...

    def clips(self, owner: Tensor) -> tuple[I64, I64]:
        """Return the clip of each input, by its owner, and the labels of the clips.

        A clip is one item, but several where slices were split as if they were tracks.

        Returns
        -------
        clip : array of int
            Shape ``(inputs,)``, 0..clips-1.
        truth : array of int
            Shape ``(clips,)``.
        """
        ...


class Windows:
    """Windows of tracks as `Examples`: random and augmented to train on, tiling to evaluate.

    Parameters
    ----------
    dataset : SliceDataset
        Tracks with label -1 are mixed in, as `TrainConfig.negatives` says.
    n_labels : int
    """

    def __init__(self, dataset: SliceDataset, n_labels: int) -> None:
        self.dataset, self.n_labels = dataset, n_labels
        self.labels = dataset.labels
        self._others = torch.nonzero(self.labels < 0).squeeze(1)
        self._sorted, self._order = torch.sort(self.labels, stable=True)

    def initialise(self, model: Network) -> Network:
        """As `Examples.initialise`: nothing, a network of music starts from random weights."""
        return model

    def batch(self, items: Tensor, config: TrainConfig, g: Generator) -> tuple[Tensor, Tensor]:
        """Cut, augment and mix windows of these tracks and of some negatives, with their targets."""
        change, top_db = config.augment, self.dataset.spec.top_db
        n_others = round(len(items) * config.negatives) if len(self._others) else 0
        others = self._others[torch.randint(max(1, len(self._others)), (n_others,), generator=g)]
        tracks = torch.cat([items, others])
        mel = self._cut(tracks, config, g)
        if change.same_genre:
            which = torch.rand(len(tracks), generator=g) < change.same_genre
            mel = augment.add_partner(mel, self._cut(self._partners(tracks, g), config, g), which, g)
        windows = augment.standardise(augment.change(mel, change, top_db, g), top_db)
        windows = augment.mask(windows, change, g)
        return augment.mix(windows, targets(self.labels[tracks], self.n_labels, config.smoothing), change, g)

    def tiles(self) -> tuple[Tensor, Tensor]:
        """As `SliceDataset.tiles`."""
        return self.dataset.tiles()

    def clips(self, owner: Tensor) -> tuple[I64, I64]:
        """As `Examples.clips`."""
        names = [name.split(OF_SLICE)[0] for name in self.dataset.names]
        _, first, clip_of_item = np.unique(names, return_index=True, return_inverse=True)
        return clip_of_item[owner.numpy()], self.labels.numpy()[first]

    def _cut(self, tracks: Tensor, config: TrainConfig, g: Generator) -> Tensor:
        frames, n_frames = self.dataset.frames[tracks], self.dataset.spec.n_frames
        drawn = augment.columns(len(tracks), frames, n_frames, config.augment, g)
        return self.dataset.cut(tracks, drawn)

    def _partners(self, tracks: Tensor, g: Generator) -> Tensor:
        wanted = self.labels[tracks].contiguous()
        first = torch.searchsorted(self._sorted, wanted)
        count = torch.searchsorted(self._sorted, wanted, right=True) - first
        return self._order[first + (torch.rand(len(tracks), generator=g) * count).long()]


def targets(labels: Tensor, n_labels: int, smoothing: float) -> Tensor:
    """Turn labels ``(batch,)`` into distributions ``(batch, n_labels)``; -1 becomes the uniform one."""
    sure = (labels >= 0).float().unsqueeze(1) * (1 - smoothing)
    return sure * nn.functional.one_hot(labels.clamp(min=0), n_labels) + (1 - sure) / n_labels
