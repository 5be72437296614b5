"""The genres that excite each convolution block of `mfcc-26`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mgtag.arrays import F64, I64
from mgtag.errors import UsageError
from mgtag.models import Mfcc
from mgtag_train.lab.tasks import Inputs
from mgtag_train.lab.trained import load_trained
from mgtag_train.report import class_statistics

FAINT = 0.01  # of a block's mean activation: channels below it are dead
BATCH = 32


@torch.inference_mode()
def blocks(inputs: Inputs, runs: Path) -> dict[str, Any]:
    """Find the genre that excites each channel of each block of `mfcc-26` most."""
    run = load_trained("mfcc-26", "filtered", inputs, runs)
    assert isinstance(run.model, Mfcc)
    examples = run.parts["test"]
    windows, owner = examples.tiles()
    n_tracks = len(examples.labels)
    found: list[list[Tensor]] = []
    for batch in torch.split(windows, BATCH):
        found.append([maps.mean(dim=(2, 3)) for maps in run.model.blocks(batch)])
    by_track = [
        class_statistics.means(torch.cat(maps).double().numpy(), owner.numpy(), n_tracks)
        for maps in zip(*found, strict=True)
    ]
    names, labels = examples.dataset.names, run.genres("test")
    each = [preferences(activation, labels, run.labels, names) for activation in by_track]
    return {"run": run.name, "labels": run.labels, "tracks": n_tracks, "blocks": each}


def preferences(
    activation: F64, labels: I64, names: tuple[str, ...], tracks: tuple[str, ...]
) -> dict[str, Any]:
    """Return which genre each channel of a block prefers, and how much.

    Parameters
    ----------
    activation : F64
        Shape ``(tracks, channels)``: mean over a track, not negative.
    labels : I64
        Shape ``(tracks,)``.
    names, tracks : sequence of str
        Of the labels, and of the tracks.

    Returns
    -------
    dict
        ``alive`` channels of all ``channels``; ``share`` of the living that prefer each genre;
        ``ratio``, the median over channels of the preferred genre's mean to the mean of all genres;
        ``explained``, the median share of a channel's variance over tracks that lies between genres;
        ``most``: the most selective channel, its genre, ratio, and the track that excites it most.
    """
    mean = class_statistics.means(activation, labels, len(names))
    level = mean.mean(axis=0)
    alive = np.flatnonzero(level > FAINT * level.mean())
    if not len(alive):
        raise UsageError("no channel of this block answers to any track; the run cannot have learned.")
    ratio = mean[:, alive].max(axis=0) / level[alive]
    prefers = mean[:, alive].argmax(axis=0)
    counts = np.bincount(labels, minlength=len(names))[:, None]
    total = activation[:, alive].var(axis=0) * len(labels)
    between = (counts * (mean[:, alive] - activation[:, alive].mean(axis=0)) ** 2).sum(axis=0)
    first = int(ratio.argmax())
    return {
        "channels": activation.shape[1],
        "alive": len(alive),
        "share": {name: float((prefers == label).mean()) for label, name in enumerate(names)},
        "ratio": float(np.median(ratio)),
        "explained": float(np.median(between / np.maximum(total, 1e-12))),
        "most": {
            "channel": int(alive[first]),
            "genre": names[prefers[first]],
            "ratio": float(ratio[first]),
            "track": tracks[int(activation[:, alive[first]].argmax())],
        },
    }
