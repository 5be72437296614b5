"""What an experiment classifies, how it is split, and the road from the data on disk to examples.

Whatever needs torch is imported where it is used, so that `mgtag lab list` needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from mgtag.errors import UsageError
from mgtag.features import MelSpec
from mgtag_train.data.sources import GTZAN, HOMBURG, LYRICS, Source

if TYPE_CHECKING:
    from mgtag_train.data.lyrics import Song
    from mgtag_train.data.splitting import Parts
    from mgtag_train.data.tracks import MelTrack
    from mgtag_train.learn.batches import Windows
    from mgtag_train.learn.config import TrainConfig
    from mgtag_train.learn.fusion import Pairs
    from mgtag_train.learn.lyrics_batches import Texts

Option = Literal["features", "audio", "lyrics", "homburg"]
OPTIONS: Mapping[Option, str] = {
    "features": "GTZAN's mels: --features mel.npz",
    "audio": "GTZAN's audio: --audio DIR",
    "lyrics": "the lyrics table: --lyrics genre.csv.gz",
    "homburg": "the Garageband clips of Homburg and others: --homburg DIR",
}


@dataclass(frozen=True)
class Inputs:
    """Where the data is.

    Attributes
    ----------
    features : Path, optional
        GTZAN's mels, ``mel.npz``.
    audio : Path, optional
        GTZAN's audio: one subfolder per genre.
    lyrics : Path, optional
        The lyrics table.
    homburg : Path, optional
        The Garageband clips: one subfolder per genre, or a mel cache of them.
    cache : Path, optional
        A folder for word vectors and the baseline's predictions, which are the same for every run.
    """

    features: Path | None = None
    audio: Path | None = None
    lyrics: Path | None = None
    homburg: Path | None = None
    cache: Path | None = None

    @property
    def given(self) -> tuple[Option, ...]:
        """The options that were given."""
        return tuple(option for option in OPTIONS if getattr(self, option) is not None)

    def need(self, option: Option) -> Path:
        """Return the path of an option.

        Raises
        ------
        UsageError
            If it was not given.
        """
        path: Path | None = getattr(self, option)
        if path is None:
            raise UsageError(f"This needs {OPTIONS[option]}.")
        return path


@dataclass(frozen=True)
class MusicTask:
    """The genre of music.

    Attributes
    ----------
    data : {"gtzan", "gtzan-audio", "homburg"}
        GTZAN from its mels or from its audio, or the Garageband set of Homburg and others.
    labels : tuple of str
    spec : MelSpec
        Of the windows, but for its ``n_mels``, always the data set's.
    paper_split, honest_split : str
        How the paper split the data ("" for a system of our own), and how it is split without a leak; see
        `mgtag_train.data.splitting.DESCRIPTIONS`.
    test_share : float
        Where tracks or slices are drawn at random.
    random_crops : bool
        Train on windows from anywhere in a track; otherwise on slices that lie end to end.
    """

    data: Literal["gtzan", "gtzan-audio", "homburg"] = "gtzan"
    labels: tuple[str, ...] = GTZAN.labels
    spec: MelSpec = field(default_factory=MelSpec)
    paper_split: str = ""
    honest_split: str = "filtered"
    test_share: float = 0.2
    random_crops: bool = False

    @property
    def needs(self) -> tuple[Option, ...]:
        """The options that say where its data is."""
        options: Mapping[str, Option] = {"gtzan": "features", "gtzan-audio": "audio", "homburg": "homburg"}
        return (options[self.data],)

    @property
    def source(self) -> Source:
        """Its data set, with its labels and windows."""
        known = HOMBURG if self.data == "homburg" else GTZAN
        return replace(known, labels=self.labels, spec=self.spec)

    def parts(self, split: str, seed: int, inputs: Inputs) -> Parts:
        """Read the tracks and split them.

        Raises
        ------
        UsageError
            If the data is not what it should be.
        """
        from mgtag_train.data.reading import read_tracks
        from mgtag_train.data.splitting import split_tracks
        from mgtag_train.data.tracks import load_cache

        if self.data == "homburg":
            place = inputs.need("homburg")
            read = (
                read_tracks(HOMBURG, features=place) if place.is_file() else read_tracks(HOMBURG, audio=place)
            )
            parts = {part: _of_labels(tracks, self.labels) for part, tracks in read.parts.items()}
            if split == HOMBURG.split:
                return parts
            ours = [track for tracks in parts.values() for track in tracks]
        elif self.data == "gtzan-audio":
            of_genre = read_tracks(self.source, audio=inputs.need("audio")).parts.values()
            ours = [track for tracks in of_genre for track in tracks]
        else:
            ours = _of_labels(load_cache(inputs.need("features")).values(), self.labels)
        tracks = {track.name: track for track in ours}
        return split_tracks(split, tracks, self.source, self.spec.n_frames, seed, self.test_share)

    def windows(self, parts: Parts, config: TrainConfig) -> dict[str, Windows]:
        """Turn split tracks into examples, with sounds that are not music to train on as `config` says."""
        from mgtag_train.data.not_music import training_negatives
        from mgtag_train.data.splitting import slices_as_tracks
        from mgtag_train.data.tracks import SliceDataset
        from mgtag_train.learn.batches import Windows

        spec, train = replace(self.spec, top_db=config.top_db), parts["train"]
        if not self.random_crops:
            train = slices_as_tracks(train, spec.n_frames)
        if config.negatives:
            train = train + training_negatives(spec)
        sets = parts | {"train": train}
        return {part: Windows(SliceDataset(tracks, spec), len(self.labels)) for part, tracks in sets.items()}

    def examples(self, split: str, seed: int, inputs: Inputs, config: TrainConfig) -> dict[str, Windows]:
        """Read, split and cut: the examples of ``"train"``, ``"valid"`` and ``"test"``."""
        return self.windows(self.parts(split, seed, inputs), config)


@dataclass(frozen=True)
class LyricsTask:
    """The genre of songs by their words; the table is split by artist.

    Attributes
    ----------
    labels : tuple of str
    distil_baseline : bool
        Mix the targets of training songs with out-of-fold predictions of the linear baseline; see
        `mgtag_train.learn.tfidf.held_out`.
    """

    labels: tuple[str, ...] = LYRICS.labels
    distil_baseline: bool = False
    data: ClassVar[str] = "lyrics"
    needs: ClassVar[tuple[Option, ...]] = ("lyrics",)
    paper_split: ClassVar[str] = ""
    honest_split: ClassVar[str] = "artists"

    def songs(self, inputs: Inputs) -> dict[str, list[Song]]:
        """Read the songs of each part."""
        from mgtag_train.data.lyrics import load_songs

        return load_songs(inputs.need("lyrics"), self.labels)

    def examples(self, split: str, seed: int, inputs: Inputs, config: TrainConfig) -> dict[str, Texts]:
        """Return the songs of each part as word ids."""
        from mgtag.models import OF_WORDS
        from mgtag_train.learn.lyrics_batches import make_texts

        spec = replace(OF_WORDS[config.architecture], **config.arguments)
        return make_texts(self.songs(inputs), spec, inputs.cache, self.distil_baseline)


@dataclass(frozen=True)
class PairsTask:
    """The genre of a song's words and a GTZAN clip of the same genre; artists apart on both sides."""

    labels: tuple[str, ...]
    spec: MelSpec
    data: ClassVar[str] = "fusion"
    needs: ClassVar[tuple[Option, ...]] = ("features", "lyrics")
    paper_split: ClassVar[str] = ""
    honest_split: ClassVar[str] = "artists"

    def examples(self, split: str, seed: int, inputs: Inputs, config: TrainConfig) -> dict[str, Pairs]:
        """Pair the songs of each part with clips of GTZAN's filtered lists."""
        from mgtag_train.data.splitting import split_names
        from mgtag_train.data.tracks import SliceDataset, load_cache, take
        from mgtag_train.learn.fusion import Pairs

        tracks = {
            track.name: track
            for track in _of_labels(load_cache(inputs.need("features")).values(), self.labels)
        }
        paired = {}
        for part, texts in LyricsTask(self.labels).examples(split, seed, inputs, config).items():
            clips = take(tracks, [name for name in split_names(part) if name.split(".")[0] in self.labels])
            paired[part] = Pairs(texts, SliceDataset(clips, self.spec), seed, learn=part == "train")
        return paired


Task = MusicTask | LyricsTask | PairsTask


def _of_labels(tracks: Iterable[MelTrack], labels: Sequence[str]) -> list[MelTrack]:
    """Keep the tracks whose genre is one of the labels, labelled by its place among them."""
    from mgtag_train.data.splitting import genre_of

    named = ((track, genre_of(track.name)) for track in tracks)
    return [replace(track, label=labels.index(genre)) for track, genre in named if genre in labels]
