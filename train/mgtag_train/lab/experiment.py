"""What an experiment is: one frozen value, with what a report claims beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mgtag.features import MelSpec
from mgtag_train.data.sources import GTZAN
from mgtag_train.learn.config import TrainConfig


@dataclass(frozen=True)
class Claim:
    """A figure of a report, and where it stands."""

    where: str
    conditions: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Experiment:
    """One system.

    Attributes
    ----------
    name : str
    report : str
        File name of the report, without suffix; "mgtag" for our own.
    told : str
        What it is, in a phrase.
    config : TrainConfig
    data : {"gtzan", "gtzan-audio", "homburg", "lyrics", "fusion"}
        What it learns from.
    labels : tuple of str
    spec : MelSpec
        Of the windows, but for its ``n_mels``, always the source's.
    protocols : tuple of str
        The report's own first; see `mgtag_train.data.splitting`.
    test_share : float
        Where tracks or slices are drawn at random.
    anywhere : bool
        Learn windows from anywhere in a track; otherwise from slices that lie end to end.
    seeds : int
    claim : Claim, optional
    grid : mapping
        Settings to search over: a field of the config, or an argument of the network, and its values.
    baseline : bool
        Whether the linear baseline of `mgtag_train.learn.tfidf` teaches, by its answers to songs held out
        from it; where there are members, it is asked beside them instead.
    refit : str
        The experiment whose settings and temperatures this one takes over, to learn from the validation
        tracks as well. Nothing is chosen on them then, and test is as far away as before.
    teachers, members : tuple of str
        Experiments whose networks, of every seed, teach this one, or are averaged to make it.
    """

    name: str
    report: str
    told: str
    config: TrainConfig
    data: str = "gtzan"
    labels: tuple[str, ...] = GTZAN.labels
    spec: MelSpec = field(default_factory=MelSpec)
    protocols: tuple[str, ...] = ("leaking", "filtered")
    test_share: float = 0.2
    anywhere: bool = False
    seeds: int = 1
    claim: Claim | None = None
    grid: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    baseline: bool = False
    refit: str = ""
    teachers: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
