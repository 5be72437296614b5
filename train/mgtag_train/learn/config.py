"""How a network is trained, as one value; an experiment is a `dataclasses.replace` of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mgtag.features import DYNAMIC_RANGE
from mgtag_train.learn.augment import Augment


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
    slices : int
        Windows drawn from each track in an epoch.
    batch : int
        Windows of music in a step; negatives come on top.
    negatives : float
        Windows without music for each window of music, taught as "any label alike".
    learning_rate : float
        At the peak: linear warm-up over the first `warmup` of the steps, then half a cosine to zero.
    weight_decay : float
        AdamW's.
    smoothing : float
        Of the labels, towards the uniform distribution.
    averaging : float
        Decay a step of the running mean of the weights, which is what is validated and kept.
    distillation_weight : float
        Share of the teachers' answer in the target, where there are teachers; the rest is the label.
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
