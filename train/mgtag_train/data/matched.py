"""Songs with sound and words: pieces of the table of outside music whose words are in the table of lyrics.

Few are: the tables were gathered apart. So there are also pairs of a piece and another song of the same
genre and split; sound and words then agree on the genre only, as if they were independent.
"""

from __future__ import annotations

import csv
import gzip
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mgtag.errors import UsageError
from mgtag_train.data.lyrics import Song
from mgtag_train.data.outside import TABLE, Piece

SONGS_PER_PIECE = 5


@dataclass(frozen=True)
class Pair:
    """A piece of music, and words: its own, or those of another song of its genre."""

    piece: Piece
    lyrics: str


def matched(pieces: Sequence[Piece], folder: Path, tables: Sequence[Path]) -> list[Pair]:
    """Return the pieces whose artist and title stand in one of the tables of lyrics, the first counting.

    Raises
    ------
    UsageError
        If a table cannot be read.
    """
    words: dict[tuple[str, str], str] = {}
    for table in tables:
        for row in _rows(table):
            words.setdefault((artist_key(row["artist"]), title_key(row["title"])), row["lyrics"])
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        titles = {folder / row["file"]: title_key(row["title"]) for row in csv.DictReader(file)}
    found = ((piece, (artist_key(piece.artist), titles.get(piece.path, ""))) for piece in pieces)
    return [Pair(piece, words[key]) for piece, key in found if all(key) and key in words]


def pairs_by_genre(pieces: Sequence[Piece], songs: Sequence[Song], labels: Sequence[str]) -> list[Pair]:
    """Pair every piece with `SONGS_PER_PIECE` songs of its genre, the same ones every time."""
    rng = np.random.default_rng(0)
    by_genre = {name: [song for song in songs if labels[song.label] == name] for name in labels}
    found = []
    for piece in pieces:
        if same := by_genre.get(piece.genre):
            drawn = rng.choice(len(same), min(SONGS_PER_PIECE, len(same)), replace=False)
            found += [Pair(piece, same[n].lyrics) for n in drawn]
    return found


def artist_key(name: str) -> str:
    """Return a name by which an artist is the same in both tables: the first of several, less "the"."""
    first = re.split(r" & | and |,| feat\b| ft\b|;|/", re.sub(r"^the ", "", name.casefold().strip()))[0]
    return title_key(first)


def title_key(title: str) -> str:
    """Return a title's letters and digits, less what stands in brackets."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*?\)|\[.*?\]|\bfeat\b.*|\bft\b.*", "", plain))


def _rows(table: Path) -> Iterator[dict[str, str]]:
    try:
        with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["artist"] and row["title"]:
                    yield row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise UsageError(f"{table}: this is no gzipped table of lyrics ({error}).") from error
