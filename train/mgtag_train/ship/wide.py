"""The data of a student's training, its teaching bank, and its networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from mgtag_train.learn import distributed, teaching_bank
from mgtag_train.learn.batches import Windows
from mgtag_train.learn.config import TrainConfig
from mgtag_train.learn.configs import WIDE
from mgtag_train.learn.jobs import Job, Progress, fit_and_record, run_all
from mgtag_train.learn.lessons import Lessons, taught_answers
from mgtag_train.learn.outside_evaluation import mel_tracks
from mgtag_train.learn.refit import refit

BANK_PARTS = 48
NEGATIVES_SEED, HELD_OUT_SEED = 20_03, 20_16
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wide:
    """All that the training learns from and is measured on.

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
    parts: int = BANK_PARTS,
    progress: Progress,
) -> list[Job]:
    """Make the teaching bank, train a network of each seed, and return their jobs."""

    def told(what: str, done: int, of: int) -> None:
        progress(what, done, of, {})

    with distributed.first_alone():
        lessons, check = make_lessons(data, wheel, out, config.top_db, parts, jobs, told)
    described = {
        "source": "wide",
        "split": "filtered; artists apart",
        "tracks": {part: len(of_split(data.pieces, part)) for part in PARTS},
        "slices": len(lessons.labels),
    }
    planned = [Job(f"wide-{seed}", config, seed, out / f"wide-{seed}") for seed in seeds]
    tasks = [partial(fit_and_record, job, lessons, check, described, resume) for job in planned]
    run_all(tasks, min(jobs, len(planned)), progress)
    return planned


def make_lessons(
    data: Wide, wheel: Path, out: Path, top_db: float, parts: int, jobs: int, told: Told
) -> tuple[Lessons, Windows]:
    """Return what to learn from, and the music to follow the training on."""
    spec = replace(MelSpec(), top_db=top_db)
    learn = of_split(data.pieces, "train")
    bank = teaching_bank.make_bank(learn, wheel, out / "bank", parts, jobs, told)
    taught = taught_answers(bank, learn, _teacher_embeddings(learn, wheel, out / "bank", told))
    lessons = Lessons(bank, learn, taught, clips_dataset(data, top_db))
    valid = [piece for piece in of_split(data.outside, "valid") if piece.is_music and piece.label >= 0]
    return lessons, Windows(SliceDataset(mel_tracks(valid, told), spec), len(LABELS))


def clips_dataset(data: Wide, top_db: float) -> SliceDataset:
    """GTZAN's training clips, and made-up sounds that are not music."""
    made = make_negatives(MelSpec(), NEGATIVES_SEED, each=20)
    others = [replace(track, label=LABELS.index(NOT_MUSIC)) for track in made]
    return SliceDataset(data.clips["train"] + others, replace(MelSpec(), top_db=top_db))


def refitted(networks: Sequence[Network], data: Wide, top_db: float, told: Told) -> list[Network]:
    """Fit the heads of finished students anew, see `mgtag_train.learn.refit`."""
    learn, clips = of_split(data.outside, "train"), clips_dataset(data, top_db)
    tracks = SliceDataset(mel_tracks(learn, told), clips.spec)
    return [refit(network, learn, tracks, clips) for network in networks]


def _teacher_embeddings(learn: Sequence[Piece], wheel: Path, folder: Path, told: Told) -> F32:
    """Return the teachers' embeddings of the unchanged pieces, made once."""
    file = folder / "pieces.npz"
    if not file.is_file():
        save_whole(file, embedding=teaching_bank.piece_embeddings(learn, wheel, told))
    with np.load(file) as kept:
        embedding: F32 = kept["embedding"]
    if len(embedding) != len(learn):
        raise UsageError(f"{file}: the bank was made of other pieces; choose another --out.")
    return embedding


def _relabelled(track: MelTrack) -> MelTrack:
    return replace(track, label=LABELS.index(GTZAN.labels[track.label]))
