"""Average a student's heads with linear probes on its embedding of unchanged pieces.

The heads were trained beside four other losses, on changed and mixed slices; logistic regression on the final
embeddings of whole pieces is more accurate outside GTZAN and less on it. The mean of both heads keeps the
better part of each.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mgtag.arrays import F32, I64
from mgtag.models import Network
from mgtag_train.data.outside import MOODS, Piece
from mgtag_train.data.tracks import SliceDataset
from mgtag_train.learn import linear_probe
from mgtag_train.learn.distillation import Labels, labels_of, possible_of_clips
from mgtag_train.learn.trainer import predict

PENALTY = 100.0
SHARE = 0.5  # of the linear probe


def average_heads(
    network: Network, pieces: Sequence[Piece], tracks: SliceDataset, clips: SliceDataset
) -> Network:
    """Return a network whose heads are the means of its own and of linear probes.

    Parameters
    ----------
    pieces : sequence of Piece
        The training pieces, and their `tracks`.
    clips : SliceDataset
        GTZAN's clips and made-up sounds, labelled with `mgtag_train.data.outside.LABELS`.
    """
    known, more = labels_of(pieces), clip_labels(clips)
    embedding = np.concatenate([_means(network, tracks), _means(network, clips)])
    genre = np.concatenate([known.genre, more.genre])
    possible = np.concatenate([known.possible, more.possible])
    mood = np.concatenate([known.mood, more.mood])
    averaged = copy.deepcopy(network)
    _blend(averaged.classifier, linear_probe.fit(embedding, genre, possible, PENALTY))
    any_mood = np.ones((len(mood), len(MOODS)), np.float32)
    _blend(averaged.mood, linear_probe.fit(embedding, mood, any_mood, PENALTY))
    return averaged


def clip_labels(clips: SliceDataset) -> Labels:
    """Labels of GTZAN's clips, of its ten genres only, and of made-up sounds."""
    genre = clips.labels.numpy()
    return Labels(genre, np.full(len(genre), -1), possible_of_clips(genre))


def _means(network: Network, tracks: SliceDataset) -> F32:
    inputs, owner_tensor = tracks.tiles()
    embedding, owner = predict(network, inputs, output=lambda answer: answer.embedding), owner_tensor.numpy()
    return _mean_by(embedding, owner)


def _mean_by(rows: F32, owner: I64) -> F32:
    sums = np.zeros((owner.max() + 1, rows.shape[1]), np.float32)
    np.add.at(sums, owner, rows)
    return (sums / np.bincount(owner)[:, None]).astype(np.float32)


@torch.no_grad()
def _blend(head: Tensor | nn.Module, fitted: linear_probe.LinearProbe) -> None:
    assert isinstance(head, nn.Sequential)
    linear = head[-1]
    assert isinstance(linear, nn.Linear)
    linear.weight.lerp_(torch.from_numpy(fitted.weight), SHARE)
    linear.bias.lerp_(torch.from_numpy(fitted.bias), SHARE)
