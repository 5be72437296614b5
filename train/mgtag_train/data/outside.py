"""A table of labelled music, and of sounds that are none, beyond GTZAN: ``tracks.csv`` beside its audio.

Columns: file, split (train, valid, test, gtzan), genre, mood, artist, source, note. A piece may have a
genre, a mood, both, or neither; a missing label is no negative. Pieces of the split ``gtzan`` are clips of
GTZAN itself, and follow GTZAN's own lists.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mgtag.errors import UsageError
from mgtag_train.data.sources import GTZAN
from mgtag_train.data.splitting import PARTS, split_names

TABLE = "tracks.csv"
GENRES = (
    *("blues", "classical", "country", "disco", "electronic", "folk", "hiphop", "jazz", "latin"),
    *("metal", "pop", "punk", "reggae", "rnb", "rock"),
)
NOT_MUSIC = "notmusic"  # a label that is never written
LABELS = (*GENRES, NOT_MUSIC)
GTZAN_LABELS = GTZAN.labels  # all that a clip of GTZAN could be labelled
MOODS = ("happy", "tense", "sad", "calm")  # valence and arousal: + +, - +, - -, + -
SILENT_GENRES = ("none", "spoken")  # how the table calls sounds that are not music
# A tag that is not the piece's genre and yet acceptable: its parent, or what stands nearest in `GENRES`.
PARENTS = {
    "punk": ("rock",),
    "metal": ("rock",),
    "disco": ("rnb",),
    "soundtrack": ("classical", "electronic"),
    "world": ("folk", "latin"),
}
SHARED_ARTIST = "artist also in GTZAN"
COLUMNS = ("file", "split", "genre", "mood", "artist", "source", "note")


@dataclass(frozen=True)
class Piece:
    """One row of the table.

    Attributes
    ----------
    path : Path
        Of the audio.
    split : str
        "train", "valid" or "test".
    genre : str
        As in the table, of `GENRES` or another one; ``"none"`` and ``"spoken"`` are not music; may be empty.
    mood : str
        Of `MOODS`, or empty.
    artist, source : str
        Empty where unknown; where the piece comes from.
    gtzan : bool
        Whether it is a clip of GTZAN, labelled with one of its ten genres only.
    """

    path: Path
    split: str
    genre: str
    mood: str
    artist: str
    source: str
    gtzan: bool = False

    @property
    def label(self) -> int:
        """Index into `LABELS`; -1 for a genre that is none of them, or unknown."""
        name = NOT_MUSIC if self.genre in SILENT_GENRES else self.genre
        return LABELS.index(name) if name in LABELS else -1

    @property
    def mood_label(self) -> int:
        """Index into `MOODS`; -1 where unknown."""
        return MOODS.index(self.mood) if self.mood in MOODS else -1

    @property
    def is_music(self) -> bool:
        """Whether it is known to be music of some genre."""
        return bool(self.genre) and self.genre not in SILENT_GENRES


def read_pieces(folder: Path) -> list[Piece]:
    """Read the table, without the training pieces whose artist is in GTZAN too.

    Raises
    ------
    UsageError
        If there is no such table, or a column or file is missing.
    """
    table = folder / TABLE
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{table}: the table of music cannot be read ({error}).") from error
    if missing := [name for name in COLUMNS if not rows or name not in rows[0]]:
        raise UsageError(f"{table}: the table has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}.")
    pieces = [piece for row in rows if (piece := _piece(folder, row)) is not None]
    if absent := [piece.path for piece in pieces if not piece.path.is_file()]:
        raise UsageError(f"{absent[0]}: this file of {table} is missing ({len(absent)} are).")
    return pieces


def gtzan_pieces(folder: Path) -> list[Piece]:
    """Find GTZAN's clips in ``<folder>/<genre>/<genre>.<number>.<suffix>``, split by its own lists."""
    parts = _gtzan_parts()
    return [
        Piece(path, parts[path.stem], path.stem.split(".")[0], "", "", GTZAN.name, gtzan=True)
        for path in sorted(folder.glob("*/*"))
        if path.stem in parts
    ]


def accepted(genre: str, tag: str) -> bool:
    """Whether a tag is right for a piece: its genre, or an acceptable one."""
    return tag == genre or tag in PARENTS.get(genre, ())


def of_split(pieces: Sequence[Piece], split: str) -> list[Piece]:
    """Pick the pieces of a split, in their order."""
    return [piece for piece in pieces if piece.split == split]


def _piece(folder: Path, row: dict[str, str]) -> Piece | None:
    """Make a piece of a row; None where training on it would spoil GTZAN's test."""
    split, clip = row["split"], row["split"] == GTZAN.name
    if clip:
        split = _gtzan_parts().get(_clip_name(row["file"]), "")
    elif split == "train" and SHARED_ARTIST in row["note"]:
        split = ""
    if not split:
        return None
    path = folder / row["file"]
    return Piece(path, split, row["genre"], row["mood"], row["artist"], row["source"], gtzan=clip)


def _gtzan_parts() -> dict[str, str]:
    return {name: part for part in PARTS for name in split_names(part, GTZAN)}


def _clip_name(file: str) -> str:
    """GTZAN's name of a clip, in ``gtzan-short/country.country.00010.opus``."""
    found = re.search(r"[a-z]+\.\d{5}", Path(file).name)
    return found.group() if found else ""
