"""Pairs of a song's words and a clip of the same genre: no set with both is at hand.

The words are not those of the clip, so what is measured is how far two sources about a *genre* help
each other. Artists are held apart on both sides, by the table's split and by GTZAN's filtered lists.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Generator, Tensor

from mgtag.arrays import I64
from mgtag.models import Network
from mgtag.models.fusion import pack
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.lyrics_batches import Texts

SONGS_PER_CLIP = 5  # in the fixed pairs that are chosen and measured on


class Pairs:
    """Songs with a clip each as `Examples`.

    To train on, a song is an item and is paired with another clip, and another part of it, whenever it
    is drawn; to choose and measure on, every clip is paired with `SONGS_PER_CLIP` songs, the same for a seed.

    Parameters
    ----------
    texts : Texts
    clips : SliceDataset
        With the same labels.
    seed : int
        Of the fixed pairs.
    learn : bool
        Whether songs, not fixed pairs, are the items.
    """

    def __init__(self, texts: Texts, clips: SliceDataset, seed: int, learn: bool) -> None:
        self.texts, self.windows = texts, Windows(clips, texts.spec.n_labels)
        fixed = fixed_pairs(clips.labels, texts.labels, Generator().manual_seed(seed))
        self.learn, self.pairs = learn, fixed
        self.labels = texts.labels if learn else clips.labels[fixed[:, 1]]

    def initialise(self, model: Network) -> Network:
        """As `Texts.initialise`."""
        return self.texts.initialise(model)

    def batch(self, items: Tensor, config: TrainConfig, g: Generator) -> tuple[Tensor, Tensor]:
        """Pair these songs with clips of their genre, windows cut and augmented; nothing is mixed.

        A mixture of two clips would need a mixture of two songs' words, which there is not.
        """
        if not self.learn:
            raise TypeError("fixed pairs are to choose and measure on; learn=True makes those to train on")
        clips = _same_label(self.texts.labels[items], self.windows.labels, g)
        plain = replace(config, augment=replace(config.augment, mixup=0.0), negatives=0.0)
        heard, _ = self.windows.batch(clips, plain, g)
        words, wanted = self.texts.batch(items, config, g)
        return pack(words, heard), wanted

    def tiles(self) -> tuple[Tensor, Tensor]:
        """Return the fixed pairs, every window of the clip with the same words."""
        windows, clip = self.windows.tiles()
        per_clip = len(windows) // len(self.windows.labels)
        pair = torch.arange(len(self.pairs)).repeat_interleave(per_clip)
        window = self.pairs[pair, 1] * per_clip + torch.arange(per_clip).repeat(len(self.pairs))
        assert torch.equal(clip[window], self.pairs[pair, 1])
        return pack(self.texts.words[self.pairs[pair, 0]], windows[window]), pair

    def clips(self, owner: Tensor) -> tuple[I64, I64]:
        """As `Examples.clips`: a fixed pair is a clip."""
        return owner.numpy(), self.windows.labels[self.pairs[:, 1]].numpy()


def fixed_pairs(clips: Tensor, songs: Tensor, g: Generator) -> Tensor:
    """Pair each clip with `SONGS_PER_CLIP` songs of its label.

    Parameters
    ----------
    clips, songs : Tensor
        Labels, int64.

    Returns
    -------
    Tensor
        Shape ``(clips * SONGS_PER_CLIP, 2)``: song, clip.
    """
    clip = torch.arange(len(clips)).repeat_interleave(SONGS_PER_CLIP)
    return torch.stack([_same_label(clips[clip], songs, g), clip], dim=1)


def _same_label(wanted: Tensor, labels: Tensor, g: Generator) -> Tensor:
    ordered, order = torch.sort(labels, stable=True)
    first = torch.searchsorted(ordered, wanted.contiguous())
    count = torch.searchsorted(ordered, wanted.contiguous(), right=True) - first
    if (count == 0).any():
        raise ValueError("a label has no song or no clip to be paired with")
    drawn: Tensor = order[first + (torch.rand(len(wanted), generator=g) * count).long()]
    return drawn
