"""How a network is trained, as one value; an experiment is a `dataclasses.replace` of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mgtag.features import DYNAMIC_RANGE


@dataclass(frozen=True)
class Augment:
    """How far each change may go; zero switches it off.

    Attributes
    ----------
    speed : float
        Frames are read at 1 ± this speed; the texture within a frame stays.
    shift : float
        Bands up or down; one is about half a semitone above 1 kHz.
    equaliser_db : float
        Deviation of a smooth random curve over the bands.
    band_limit : float
        Share of windows that lose their lowest or highest bands, as old records and radios do.
    noise_floor : float
        Share of windows under which noise is laid, 20 to 60 dB below their loudest cell.
    dynamics : float
        Decibels below the maximum are bent by a power of ``2 ** ±this``.
    floor_db : float
        A window is cut this many dB below its loudest cell, or less deep, up to its `MelSpec.top_db`.
    same_genre : float
        Share of windows to which another of their genre is added, as sound adds.
    mask_bands, mask_frames : int
        Widest stretch that is blanked, twice each (SpecAugment, arXiv:1904.08779).
    mixup : float
        Both parameters of the Beta from which mixing weights come (arXiv:1710.09412).
    """

    speed: float = 0.2
    shift: float = 2.0
    equaliser_db: float = 4.0
    band_limit: float = 0.3
    noise_floor: float = 0.3
    dynamics: float = 0.3
    floor_db: float = 50.0
    same_genre: float = 0.2
    mask_bands: int = 16
    mask_frames: int = 6
    mixup: float = 0.3


NONE = Augment(0, 0, 0, 0, 0, 0, DYNAMIC_RANGE, 0, 0, 0, 0)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that shapes a training run besides data and seed.

    Attributes
    ----------
    architecture, arguments
        For `mgtag.models.build`.
    augment : Augment
    top_db : float
        Of the windows, `MelSpec.top_db`.
    epochs : int
        Length of the schedule; early stopping may end it before.
    cycles : int
        Into how many equal parts the schedule falls, each from the peak to zero (arXiv:1608.03983).
    slices : int
        Windows drawn from each track in an epoch.
    batch : int
        Windows of music in a step; negatives come on top.
    negatives : float
        Windows without music for each window of music, with uniform targets.
    learning_rate : float
        At the peak: linear warm-up over the first `warmup` of a cycle, then half a cosine to zero.
    weight_decay : float
        AdamW's.
    smoothing : float
        Of the labels, towards the uniform distribution.
    averaging : float
        Decay a step of the running mean of the weights, which is what is validated and kept.
    distillation_weight : float
        Share of the teachers' probabilities in the target, where there are teachers; the rest is the label.
    patience : int
        Epochs without a better validation before stopping.
    optimiser : {"adamw", "sgd"}
        The second with Nesterov's momentum of 0.9.
    choose : {"log_loss", "slice_accuracy", "last"}
        What validation means, and which epoch's weights are kept: of tracks, or of their slices; or the
        last, where nothing is held back to choose on.
    """

    architecture: str = "queens-parallel"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    augment: Augment = field(default_factory=Augment)
    top_db: float = DYNAMIC_RANGE
    epochs: int = 60
    cycles: int = 1
    slices: int = 10
    batch: int = 64
    negatives: float = 0.1
    learning_rate: float = 2e-3
    warmup: float = 0.05
    weight_decay: float = 0.02
    smoothing: float = 0.1
    averaging: float = 0.998
    distillation_weight: float = 0.7
    patience: int = 15
    optimiser: Literal["adamw", "sgd"] = "adamw"
    choose: Literal["log_loss", "slice_accuracy", "last"] = "log_loss"
