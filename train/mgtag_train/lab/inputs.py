"""From where the data lies on disk to what an experiment learns from, chooses on and is measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mgtag.models import OF_WORDS
from mgtag_train.data import reading
from mgtag_train.data.corpus import NEGATIVES_SEED
from mgtag_train.data.lyrics import load_songs
from mgtag_train.data.not_music import make_negatives
from mgtag_train.data.sources import GTZAN, HOMBURG, Source
from mgtag_train.data.splitting import Parts, genre_of, slices_as_tracks, split, split_names
from mgtag_train.data.tracks import MelTrack, SliceDataset, load_cache, take
from mgtag_train.lab.experiment import Experiment
from mgtag_train.learn.batches import Examples, Windows
from mgtag_train.learn.fusion import Pairs
from mgtag_train.learn.lyrics_batches import Texts, read


@dataclass(frozen=True)
class Inputs:
    """Where the data is.

    Attributes
    ----------
    features : Path, optional
        GTZAN's mels, ``mel.npz``.
    audio : Path, optional
        GTZAN's audio: one folder a genre.
    lyrics : Path, optional
        The lyrics table.
    homburg : Path, optional
        The Garageband clips: a folder a genre, or the features that were kept of them.
    cache : Path, optional
        A folder for what takes long to make and is the same for every run: word vectors, mels of audio.
    """

    features: Path | None = None
    audio: Path | None = None
    lyrics: Path | None = None
    homburg: Path | None = None
    cache: Path | None = None


NEEDS: Mapping[str, Mapping[str, str]] = {
    "gtzan": {"features": "GTZAN's mels: --features mel.npz"},
    "gtzan-audio": {"audio": "GTZAN's audio: --audio DIR"},
    "homburg": {"homburg": "the Garageband clips of Homburg and others: --homburg DIR"},
    "lyrics": {"lyrics": "the lyrics table: --lyrics genre.csv.gz"},
    "fusion": {
        "features": "GTZAN's mels: --features mel.npz",
        "lyrics": "the lyrics table: --lyrics genre.csv.gz",
    },
}
OF_MUSIC: Mapping[str, Source] = {"gtzan": GTZAN, "gtzan-audio": GTZAN, "homburg": HOMBURG}


def missing(experiment: Experiment, inputs: Inputs) -> str:
    """Say what data an experiment needs that was not given; empty where nothing is missing."""
    needs = NEEDS[experiment.data]
    return " and ".join(told for name, told in needs.items() if getattr(inputs, name) is None)


def materials(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> dict[str, Examples]:
    """Read and split what an experiment is about.

    Returns
    -------
    dict
        ``"train"``, ``"valid"`` and ``"test"``.

    Raises
    ------
    UsageError
        If the data is not what it should be.
    """
    return READERS[experiment.data](experiment, protocol, seed, inputs)


def music(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> Parts:
    """Read the tracks of an experiment on music, labelled as it labels them, and split them."""
    source, labels = OF_MUSIC[experiment.data], experiment.labels
    if experiment.data == "homburg":
        assert inputs.homburg is not None
        parts = {part: _ours(tracks, labels) for part, tracks in _homburg(inputs.homburg).items()}
        if protocol == source.split:
            return parts
        ours = [track for tracks in parts.values() for track in tracks]
    elif experiment.data == "gtzan-audio":
        assert inputs.audio is not None
        source = replace(source, labels=labels, spec=experiment.spec)
        heard = reading.read_tracks(source, audio=inputs.audio).parts.values()
        ours = [track for tracks in heard for track in tracks]
    else:
        assert inputs.features is not None
        ours = _ours(load_cache(inputs.features).values(), labels)
    tracks = {track.name: track for track in ours}
    return split(protocol, tracks, source, experiment.spec.n_frames, seed, experiment.test_share)


def _homburg(place: Path) -> Mapping[str, list[MelTrack]]:
    if place.is_file():
        return reading.read_tracks(HOMBURG, features=place).parts
    return reading.read_tracks(HOMBURG, audio=place).parts


def _ours(tracks: Iterable[MelTrack], labels: Sequence[str]) -> list[MelTrack]:
    told = ((track, genre_of(track.name)) for track in tracks)
    return [replace(track, label=labels.index(genre)) for track, genre in told if genre in labels]


def _windows(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> dict[str, Examples]:
    spec, config = replace(experiment.spec, top_db=experiment.config.top_db), experiment.config
    parts = music(experiment, protocol, seed, inputs)
    if experiment.refit:
        parts["train"] = parts["train"] + parts["valid"]
    if not experiment.anywhere:
        parts["train"] = slices_as_tracks(parts["train"], spec.n_frames)
    if config.negatives:
        parts["train"] = parts["train"] + make_negatives(spec, NEGATIVES_SEED)
    n_labels = len(experiment.labels)
    return {part: Windows(SliceDataset(tracks, spec), n_labels) for part, tracks in parts.items()}


def _texts(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> dict[str, Texts]:
    assert inputs.lyrics is not None
    config = experiment.config
    spec = replace(OF_WORDS[config.architecture], **config.arguments)
    return read(
        load_songs(inputs.lyrics, experiment.labels),
        spec,
        inputs.cache,
        experiment.baseline and not experiment.members,
    )


def _read(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> dict[str, Examples]:
    return dict(_texts(experiment, protocol, seed, inputs))


def _paired(experiment: Experiment, protocol: str, seed: int, inputs: Inputs) -> dict[str, Examples]:
    assert inputs.features is not None
    labels, tracks = experiment.labels, load_cache(inputs.features)
    paired: dict[str, Examples] = {}
    for part, texts in _texts(experiment, protocol, seed, inputs).items():
        names = [name for name in split_names(part) if genre_of(name) in labels]
        clips = [replace(track, label=labels.index(genre_of(track.name))) for track in take(tracks, names)]
        paired[part] = Pairs(texts, SliceDataset(clips, experiment.spec), seed, learn=part == "train")
    return paired


Reader = Callable[[Experiment, str, int, Inputs], dict[str, Examples]]
READERS: Mapping[str, Reader] = {
    "gtzan": _windows,
    "gtzan-audio": _windows,
    "homburg": _windows,
    "lyrics": _read,
    "fusion": _paired,
}
