"""Songs' words as examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from mgtag.arrays import F32, I64
from mgtag.models import Network
from mgtag.models.han import Han, HanSpec
from mgtag_train.data.lyrics import FIRST_WORD, Song, encode, vocabulary, word_vectors
from mgtag_train.data.tracks import save_whole
from mgtag_train.learn.batches import targets
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.tfidf import held_out


class Texts:
    """Songs as `Examples`: a song is an item, whole, and its own only tile.

    Parameters
    ----------
    songs : sequence of Song
    known : sequence of str
        The vocabulary, of the training songs.
    spec : HanSpec
    vectors : mapping of str to F32, optional
        What is known of words before learning; a network starts with them.
    soft_targets : F32, optional
        A teacher's probabilities of each song, shape ``(songs, n_labels)``, mixed with the labels.
    """

    def __init__(
        self,
        songs: Sequence[Song],
        known: Sequence[str],
        spec: HanSpec,
        vectors: Mapping[str, F32] | None = None,
        soft_targets: F32 | None = None,
    ) -> None:
        self.known, self.spec, self.vectors = tuple(known), spec, vectors or {}
        self.words = encode(songs, known, spec)
        self.labels = torch.tensor([song.label for song in songs])
        self.soft_targets = None if soft_targets is None else torch.from_numpy(soft_targets)

    def initialise(self, model: Network) -> Network:
        """Give a fresh network the word vectors; the words without keep their random ones."""
        han = next((part for part in model.modules() if isinstance(part, Han)), None)
        if han is not None and self.vectors:
            table = {FIRST_WORD + i: self.vectors[w] for i, w in enumerate(self.known) if w in self.vectors}
            known = torch.from_numpy(np.stack(list(table.values())))
            with torch.no_grad():
                han.vectors.weight.mul_(known.std())  # as far from nought as the known ones
                han.vectors.weight[list(table)] = known
        return model

    def batch(self, items: Tensor, config: TrainConfig, g: Generator) -> tuple[Tensor, Tensor]:
        """Return the words of these songs, and their targets; words are dropped by the network."""
        wanted = targets(self.labels[items], self.spec.n_labels, config.smoothing)
        if self.soft_targets is not None:
            wanted = wanted.lerp(self.soft_targets[items], config.distillation_weight)
        return self.words[items], wanted

    def tiles(self) -> tuple[Tensor, Tensor]:
        """Return every song, and its own index."""
        return self.words, torch.arange(len(self.labels))

    def clips(self, owner: Tensor) -> tuple[I64, I64]:
        """As `Examples.clips`: a song is a clip."""
        return owner.numpy(), self.labels.numpy()


def make_texts(
    parts: Mapping[str, Sequence[Song]], spec: HanSpec, cache: Path | None = None, baseline: bool = False
) -> dict[str, Texts]:
    """Make examples of a split; vocabulary and word vectors are of its training songs only.

    Parameters
    ----------
    cache : Path, optional
        A folder to keep the vectors and the baseline's predictions in, named after a hash of what they
        were made from.
    baseline : bool
        Whether to distil it; see `mgtag_train.learn.tfidf.held_out`.
    """
    songs = parts["train"]
    known = vocabulary(songs, spec.n_words)

    def vectors() -> dict[str, F32]:
        found = word_vectors(songs, spec.vector)
        return {"words": np.array(list(found)), "vectors": np.stack(list(found.values()))}

    place = f"words-{_digest(song.lyrics for song in songs)}-{spec.vector}.npz"
    start = _kept(vectors, cache and cache / place)
    table = dict(zip(start["words"].tolist(), start["vectors"], strict=True))
    soft: dict[str, F32] = {}
    if baseline:
        place = f"held-out-{_digest(f'{song}' for song in songs)}.npz"
        soft["train"] = _kept(lambda: {"said": held_out(songs)}, cache and cache / place)["said"]
    return {part: Texts(found, known, spec, table, soft.get(part)) for part, found in parts.items()}


def _kept(make: Callable[[], dict[str, F32]], place: Path | None) -> dict[str, F32]:
    """Return what was made before, or make it and keep it."""
    if place and place.is_file():
        with np.load(place) as file:
            return dict(file)
    made = make()
    if place:
        save_whole(place, **made)
    return made


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
