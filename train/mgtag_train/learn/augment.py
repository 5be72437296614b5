"""What may happen to a window without its genre changing, done to decibels before standardising.

Only five genres of the set at hand have all their audio, so nothing is done to waveforms: all
ten genres must reach the network by one road, or it learns "touched" instead of the genre.
Every operation works on a batch ``(batch, n_mels, n_frames)`` and draws from the generator it
is given, so that a resumed run sees what an uninterrupted one would have.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from mgtag.features import DYNAMIC_RANGE, FLAT
from mgtag_train.learn.config import Augment

LN10_10 = float(np.log(10) / 10)  # natural logarithms a decibel of power
KNOTS = 7  # of the random equaliser over the mel axis: about one an octave


def columns(n: int, frames: int | Tensor, n_frames: int, augment: Augment, g: Generator) -> Tensor:
    """Draw which frames of a track make each of `n` windows: any start, any allowed speed.

    The nearest frame is read, never a mean of two, which would be smoother than any real one.

    Parameters
    ----------
    frames : int or Tensor
        Length of the track, or ``(n,)`` lengths.

    Returns
    -------
    Tensor
        Shape ``(n, n_frames)``, integers in ``0..frames-1``.
    """
    last = torch.as_tensor(frames).expand(n)[:, None] - 1
    speed = 1 + augment.speed * _signed(n, 1, g=g)
    speed = torch.minimum(speed, last / (n_frames - 1))
    start = torch.rand(n, 1, generator=g) * (last - (n_frames - 1) * speed)
    return torch.minimum((start + speed * torch.arange(n_frames)).round().long(), last).clamp_(min=0)


def change(mel: Tensor, augment: Augment, top_db: float, g: Generator) -> Tensor:
    """Equalise, band-limit, add noise, bend and cut windows in decibels; same shape."""
    mel = shift_bands(mel, augment.shift * _signed(len(mel), 1, g=g)) if augment.shift else mel
    mel = equalise(mel, augment.equaliser_db, g) if augment.equaliser_db else mel
    mel = limit_band(mel, augment.band_limit, g) if augment.band_limit else mel
    mel = add_noise(mel, augment.noise_floor, g) if augment.noise_floor else mel
    mel = bend(mel, augment.dynamics, g) if augment.dynamics else mel
    least = min(augment.floor_db, top_db)
    depth = least + (top_db - least) * torch.rand(len(mel), 1, 1, generator=g)
    return torch.maximum(mel, mel.amax((1, 2), keepdim=True) - depth)


def shift_bands(mel: Tensor, bands: Tensor) -> Tensor:
    """Move the spectrum up by `bands`, shape ``(batch, 1)``; the edge band is repeated."""
    n = mel.shape[1]
    source = (torch.arange(n) - bands).clamp(0, n - 1)
    low = source.floor().long()
    weight = (source - low).unsqueeze(-1)
    rows = torch.arange(len(mel))[:, None]
    return mel[rows, low].lerp(mel[rows, (low + 1).clamp(max=n - 1)], weight)


def equalise(mel: Tensor, deviation_db: float, g: Generator) -> Tensor:
    """Add a smooth random curve over the bands; how wild it is differs from window to window."""
    knots = torch.randn(len(mel), 1, KNOTS, generator=g) * torch.rand(len(mel), 1, 1, generator=g)
    curve = interpolate(2 * deviation_db * knots, size=mel.shape[1], mode="linear", align_corners=True)
    return mel + curve.transpose(1, 2)


def limit_band(mel: Tensor, share: float, g: Generator) -> Tensor:
    """Let the spectrum fall off below a low band or above a high one, 1 to 8 dB a band."""
    n, bands = len(mel), torch.arange(mel.shape[1])
    low = mel.shape[1] * 0.15 * torch.rand(n, 1, generator=g)
    high = mel.shape[1] * (0.55 + 0.45 * torch.rand(n, 1, generator=g))
    low = low * (torch.rand(n, 1, generator=g) < share)
    high = torch.where(torch.rand(n, 1, generator=g) < share, high, float(mel.shape[1]))
    slope = 1 + 7 * torch.rand(n, 1, generator=g)
    loss = slope * ((low - bands).clamp(min=0) + (bands - high).clamp(min=0))
    return mel - loss.unsqueeze(-1)


def add_noise(mel: Tensor, share: float, g: Generator) -> Tensor:
    """Lay coloured noise under some windows; powers add."""
    n = len(mel)
    level = mel.amax((1, 2), keepdim=True) - 20 - 40 * torch.rand(n, 1, 1, generator=g)
    level = torch.where(torch.rand(n, 1, 1, generator=g) < share, level, torch.tensor(-200.0))
    tilt = 15 * _signed(n, 1, 1, g=g) * torch.linspace(-1, 1, mel.shape[1])[:, None]
    grain = 2 * torch.randn(mel.shape, generator=g)  # a band's power in noise varies by a few dB
    return torch.logaddexp(mel * LN10_10, (level + tilt + grain) * LN10_10) / LN10_10


def bend(mel: Tensor, octaves: float, g: Generator) -> Tensor:
    """Compress or expand: decibels below the maximum to a power, 60 dB staying where it is."""
    top = mel.amax((1, 2), keepdim=True)
    power = torch.exp2(octaves * _signed(len(mel), 1, 1, g=g))
    return top - 60 * ((top - mel) / 60).clamp(min=1e-6) ** power


def add_partner(mel: Tensor, partner: Tensor, which: Tensor, g: Generator) -> Tensor:
    """Add the power of two windows where `which` (shape ``(batch,)``) says so, within 10 dB of each other."""
    gain = 10 * _signed(len(mel), 1, 1, g=g)
    both = torch.logaddexp(mel * LN10_10, (partner + gain) * LN10_10) / LN10_10
    return torch.where(which[:, None, None], both, mel)


def standardise(mel: Tensor, top_db: float = DYNAMIC_RANGE) -> Tensor:
    """Do as `mgtag.features.standardise`, in torch."""
    mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - top_db)
    deviation = mel.std((1, 2), correction=0, keepdim=True)
    return (mel - mel.mean((1, 2), keepdim=True)) / deviation.clamp(min=FLAT)


def mask(windows: Tensor, augment: Augment, g: Generator) -> Tensor:
    """Blank stretches of bands and of frames of standardised windows with their mean, zero."""
    for axis, widest in ((1, augment.mask_bands), (2, augment.mask_frames)):
        for _ in range(2 if widest else 0):
            size = windows.shape[axis]
            width = torch.rand(len(windows), 1, generator=g) * widest
            start = torch.rand(len(windows), 1, generator=g) * (size - width)
            at = torch.arange(size)
            kept = (at < start.round()) | (at >= (start + width).round())
            windows = windows * (kept.unsqueeze(2) if axis == 1 else kept.unsqueeze(1))
    return windows


def mix(windows: Tensor, targets: Tensor, augment: Augment, g: Generator) -> tuple[Tensor, Tensor]:
    """Mixup: windows and target distributions as weighted sums with those of a shuffled batch."""
    if not augment.mixup:
        return windows, targets
    seed = int(torch.randint(2**31, (1,), generator=g))
    drawn = np.random.default_rng(seed).beta(augment.mixup, augment.mixup, len(windows))
    weight = torch.from_numpy(np.maximum(drawn, 1 - drawn)).float()
    other = torch.randperm(len(windows), generator=g)
    mixed = windows[other].lerp(windows, weight[:, None, None])
    return mixed, targets[other].lerp(targets, weight[:, None])


def _signed(*shape: int, g: Generator) -> Tensor:
    return 2 * torch.rand(*shape, generator=g) - 1
