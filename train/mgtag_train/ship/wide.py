"""The data of a student's training, its teacher cache, and its networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag.features import MelSpec
from mgtag.models import Network
from mgtag_train.data.not_music import make_negatives
from mgtag_train.data.outside import LABELS, NOT_MUSIC, Piece, gtzan_pieces, of_split, read_pieces
from mgtag_train.data.sources import GTZAN
from mgtag_train.data.splitting import PARTS, split_names
from mgtag_train.data.tracks import MelTrack, SliceDataset, load_cache, save_whole, take
from mgtag_train.learn import distributed, teacher_cache
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import WIDE
from mgtag_train.learn.distillation import DistillationExamples, out_of_fold_predictions
from mgtag_train.learn.head_averaging import average_heads
from mgtag_train.learn.jobs import Count, Job, Progress, counting, fit_and_record, run_all
from mgtag_train.learn.outside_evaluation import mel_tracks

CACHE_PARTS = 48
NEGATIVES_SEED, HELD_OUT_SEED = 20_03, 20_16


@dataclass(frozen=True)
class Wide:
    """The training, validation and test data.

    Attributes
    ----------
    pieces : tuple of Piece
        Music and other sounds outside GTZAN, and GTZAN's clips that have audio.
    clips : mapping of str to list of MelTrack
        GTZAN's clips by part, labelled with `LABELS`.
    """

    pieces: tuple[Piece, ...]
    clips: dict[str, list[MelTrack]]

    @property
    def outside(self) -> tuple[Piece, ...]:
        """The pieces that are not of GTZAN."""
        return tuple(piece for piece in self.pieces if not piece.gtzan)


def read_wide(features: Path, outside: Path, audio: Path | None) -> Wide:
    """Read the table, and GTZAN's windows.

    Raises
    ------
    UsageError
        If any of it is not there.
    """
    pieces = [*read_pieces(outside), *(gtzan_pieces(audio) if audio else ())]
    cache = load_cache(features)
    clips = {part: [_relabelled(track) for track in take(cache, split_names(part))] for part in PARTS}
    return Wide(tuple(pieces), clips)


def train_networks(
    data: Wide,
    *,
    wheel: Path,
    out: Path,
    seeds: Sequence[int],
    resume: bool,
    jobs: int,
    config: TrainConfig = WIDE,
    parts: int = CACHE_PARTS,
    progress: Progress,
) -> list[Job]:
    """Make the teacher cache, train a network of each seed, and return their jobs."""
    told = counting(progress)

    with distributed.first_alone():
        examples, check = make_examples(data, wheel, out, config.top_db, parts, jobs, told)
    described = {
        "source": "wide",
        "split": "filtered; artists apart",
        "tracks": {part: len(of_split(data.pieces, part)) for part in PARTS},
        "slices": len(examples.labels),
    }
    planned = [Job(f"wide-{seed}", config, seed, out / f"wide-{seed}") for seed in seeds]
    tasks = [partial(fit_and_record, job, examples, check, described, resume) for job in planned]
    run_all(tasks, min(jobs, len(planned)), progress)
    return planned


def make_examples(
    data: Wide, wheel: Path, out: Path, top_db: float, parts: int, jobs: int, told: Count
) -> tuple[DistillationExamples, Windows]:
    """Return the training examples, and the validation music."""
    spec = replace(MelSpec(), top_db=top_db)
    train = of_split(data.pieces, "train")
    cache = teacher_cache.make_teacher_cache(train, wheel, out / "bank", parts, jobs, told)
    teacher = out_of_fold_predictions(cache, train, _teacher_embeddings(train, wheel, out / "bank", told))
    examples = DistillationExamples(cache, train, teacher, clips_dataset(data, top_db))
    valid = [piece for piece in of_split(data.outside, "valid") if piece.is_music and piece.label >= 0]
    return examples, Windows(SliceDataset(mel_tracks(valid, told), spec), len(LABELS))


def clips_dataset(data: Wide, top_db: float) -> SliceDataset:
    """GTZAN's training clips, and made-up sounds that are not music."""
    made = make_negatives(MelSpec(), NEGATIVES_SEED, each=20)
    others = [replace(track, label=LABELS.index(NOT_MUSIC)) for track in made]
    return SliceDataset(data.clips["train"] + others, replace(MelSpec(), top_db=top_db))


def training_tracks(data: Wide, top_db: float, told: Count) -> SliceDataset:
    """Return the unchanged training pieces outside GTZAN."""
    train = of_split(data.outside, "train")
    return SliceDataset(mel_tracks(train, told), replace(MelSpec(), top_db=top_db))


def with_averaged_heads(networks: Sequence[Network], data: Wide, tracks: SliceDataset) -> list[Network]:
    """Average the heads of trained students with linear probes; see `mgtag_train.learn.head_averaging`."""
    train, clips = of_split(data.outside, "train"), clips_dataset(data, tracks.spec.top_db)
    return [average_heads(network, train, tracks, clips) for network in networks]


def _teacher_embeddings(train: Sequence[Piece], wheel: Path, folder: Path, told: Count) -> F32:
    """Return the teachers' embeddings of the unchanged pieces, made once."""
    file = folder / "pieces.npz"
    if not file.is_file():
        save_whole(file, embedding=teacher_cache.piece_embeddings(train, wheel, told))
    with np.load(file) as kept:
        embedding: F32 = kept["embedding"]
    if len(embedding) != len(train):
        raise UsageError(f"{file}: the teacher cache was made of other pieces; choose another --out.")
    return embedding


def _relabelled(track: MelTrack) -> MelTrack:
    return replace(track, label=LABELS.index(GTZAN.labels[track.label]))
