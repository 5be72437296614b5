"""What ``import mgtag`` offers: a model that listens to files, and the scan of a library."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from mgtag import bundle, inference, workers
from mgtag.audio import Sound
from mgtag.card import BASE, GENRE
from mgtag.inference import Amount, Device
from mgtag.library import scan as scanning
from mgtag.library.events import Event
from mgtag.library.index import Index, default_path
from mgtag.library.policy import Policy
from mgtag.prediction import Prediction
from mgtag.vote import vote
from mgtag.words import together, weight_beside, words_of

__all__ = ["Answer", "Policy", "Prediction", "Tagger", "load_model", "scan"]

AnyPath: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True)
class Answer:
    """What a model answers for one file.

    Attributes
    ----------
    genres : tuple of str
        Best first; none for what is not music. Of another head, such as mood, its own labels.
    confidence : float
        Probability that the first of them is right, 0..1, as calibrated on validation tracks.
    probabilities : dict of str to float
        Of every label; they sum to 1.
    threshold : float or None
        Confidence above which mgtag would write the answer; None means never.
    sure : bool
        Whether it is above.
    """

    genres: tuple[str, ...]
    confidence: float
    probabilities: Mapping[str, float]
    threshold: float | None
    sure: bool


class Tagger(inference.Tagger):
    """A model, ready to listen; made by `load_model`."""

    def genre(self, path: AnyPath, top: int = 1, head: str = GENRE, lyrics: bool = True) -> Answer:
        """Listen to a file and vote over its slices, and with its words where they are at hand.

        Parameters
        ----------
        path : str or path-like
        top : int
            How many genres at most; all but the first must be likelier than chance.
        head : str
            ``"genre"``, or another question that the model answers; see ``tagger.bundle.card.heads``.
        lyrics : bool
            Whether the song's words may vote, as in a scan.

        Raises
        ------
        mgtag.errors.AudioError
            If there is no sound to be read, or less than one slice.
        """
        heads, heard = self.bundle.card.heads, self.predict(path).heads
        asked = heads[head]
        result, name = vote(asked, heard[head].probabilities), self.bundle.card.name
        said = words_of(Path(path).expanduser(), name) if lyrics and head == GENRE else None
        if said is not None:
            result = together(result, asked, said, weight_beside(name))
        result = result.decided(asked.threshold)
        shares = {name: float(p) for name, p in zip(result.labels, result.probabilities, strict=True)}
        music = (
            head != GENRE or BASE not in heads or not vote(heads[BASE], heard[BASE].probabilities).not_music
        )
        sure = music and result.passes(asked.threshold)
        return Answer(result.best(top) if music else (), result.confidence, shares, asked.threshold, sure)

    def predict(self, source: AnyPath | Sound, slices: Amount = "auto") -> Prediction:
        """Listen to a file, slice by slice.

        Parameters
        ----------
        source : str or path-like
        slices : int or {"auto", "all"}
            How many slices are heard: at most so many, evenly spread over the track; every one; or as
            many of 30 as it takes until the rest is not expected to change the genre.

        Returns
        -------
        Prediction
            Of each slice: where it begins, the probabilities of every head, attention over its frames (if
            the model has it), and an embedding.

        Raises
        ------
        mgtag.errors.AudioError
            If there is no sound to be read, or less than one slice.
        """
        if not isinstance(source, Sound):
            source = Path(source).expanduser()
        return super().predict(source, slices)


def load_model(name: AnyPath = bundle.DEFAULT, device: Device = "auto") -> Tagger:
    """Load a model.

    Parameters
    ----------
    name : str or path-like
        As `mgtag models` lists them, or a bundle's folder.
    device : {"auto", "cpu", "cuda"}

    Raises
    ------
    mgtag.errors.BundleError
        If there is none of that name, or its files do not match its card.
    mgtag.errors.UsageError
        If CUDA is asked for and not to be had.
    """
    return Tagger(bundle.find(os.fspath(name)), device)


def scan(
    paths: Iterable[AnyPath],
    policy: Policy = Policy(),  # noqa: B008 (frozen)
    *,
    dry_run: bool = False,
    model: AnyPath | inference.Tagger = bundle.DEFAULT,
    index: AnyPath | None = None,
    jobs: int | None = None,
    cluster: str | None = None,
) -> Generator[Event, None, None]:
    """Tag the music below some paths, as ``mgtag scan`` does.

    Parameters
    ----------
    paths : iterable of str or path-like
        Folders and files; ``~`` is the home folder.
    policy : Policy
        What may be done to the tags.
    dry_run : bool
        Only tell what would happen; the same as ``Policy(dry_run=True)``.
    model : str, path-like or Tagger
    index : str or path-like, optional
        By default the listener's own, in their data folder.
    jobs : int, optional
        Files heard at once; by default one a core.
    cluster : str, optional
        Address of a Dask scheduler whose workers listen instead of this machine.

    Yields
    ------
    Event
        First a `Found` with their number, then one event a file, in the order in which they are ready.

    Raises
    ------
    mgtag.errors.MgtagError
        A subclass whose text is one sentence for a person: there is no such path, model or index, or
        another mgtag is at work on the index.
    """
    tagger = model if isinstance(model, inference.Tagger) else load_model(model)
    policy = replace(policy, dry_run=policy.dry_run or dry_run)
    roots = [Path(path).expanduser() for path in paths]
    with (
        Index(Path(index) if index is not None else default_path()) as store,
        store.sole_writer(),
        _executor(tagger, jobs, cluster) as pool,
    ):
        yield from scanning.scan(roots, tagger, store, policy, pool)


def _executor(tagger: inference.Tagger, jobs: int | None, cluster: str | None) -> Executor:
    if cluster is None:
        return workers.executor(jobs or os.cpu_count() or 1, tagger.device)
    from mgtag.cluster import Cluster

    return Cluster(cluster)
