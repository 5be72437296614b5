"""Songs' words: the table they stand in, its split by artist, and how they become numbers.

A sung line is a sentence. Vocabulary and word vectors know the training songs only.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mgtag.arrays import F32
from mgtag.errors import UsageError
from mgtag.models.han import UNKNOWN, HanSpec
from mgtag_train.data.sources import LYRICS, LyricsSource
from mgtag_train.data.splitting import PARTS, check_artists

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # "don't" is one word, "runnin'" is "runnin"
LEAST_SONGS = 3  # that a word of the vocabulary is sung in
FIRST_WORD = UNKNOWN + 1  # id of the first word of the vocabulary


@dataclass(frozen=True)
class Song:
    """One song's words.

    Attributes
    ----------
    id : str
    artist : str
        Empty where unknown.
    label : int
        Index into the labels it was read with.
    lyrics : str
        A sung line a line.
    """

    id: str
    artist: str
    label: int
    lyrics: str


def load_songs(
    path: Path, labels: Sequence[str] = LYRICS.labels, source: LyricsSource = LYRICS
) -> dict[str, list[Song]]:
    """Read the songs of these genres, by part of the table's own split.

    Returns
    -------
    dict
        The songs of ``"train"``, ``"valid"`` and ``"test"``, in the table's order.

    Raises
    ------
    UsageError
        If the file is no such table, a genre has no song in one of the parts, or an artist's
        songs are in two.
    """
    parts: dict[str, list[Song]] = {part: [] for part in PARTS}
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if lacking := [column for column in source.columns if column not in (table.fieldnames or ())]:
                raise UsageError(
                    f"{path}: the table has no column {lacking[0]!r}; it needs {', '.join(source.columns)}."
                )
            for row in table:
                if row["genre"] in labels:
                    if row["split"] not in parts:
                        raise UsageError(
                            f"{path}: song {row['id']} is in split {row['split']!r}, not train, valid, test."
                        )
                    song = Song(row["id"], row["artist"], labels.index(row["genre"]), row["lyrics"])
                    parts[row["split"]].append(song)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: this is no gzipped table of lyrics ({error}).") from error
    for part, songs in parts.items():
        if empty := set(range(len(labels))) - {song.label for song in songs}:
            raise UsageError(f"{path}: {part} has no song of {labels[min(empty)]}.")
    check_artists({part: [song.artist for song in songs] for part, songs in parts.items()})
    return parts


def sentences(lyrics: str, longest: int = HanSpec.sentence) -> list[list[str]]:
    """Cut lyrics into sentences of words: a sung line each, a longer one going on in the next."""
    found = []
    for line in lyrics.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").splitlines():
        words = WORD.findall(line)
        found += [words[i : i + longest] for i in range(0, len(words), longest)]
    return found


def vocabulary(songs: Sequence[Song], n_words: int = HanSpec.n_words) -> tuple[str, ...]:
    """Return the words sung in most of these songs, at most as many as a table of `n_words` rows holds."""
    sung = Counter(
        word for song in songs for word in {word for line in sentences(song.lyrics) for word in line}
    )
    often = sorted((-count, word) for word, count in sung.items() if count >= LEAST_SONGS)
    return tuple(word for _, word in often[: n_words - FIRST_WORD])


def encode(songs: Sequence[Song], known: Sequence[str], spec: HanSpec) -> Tensor:
    """Turn songs into word ids.

    Parameters
    ----------
    known : sequence of str
        The vocabulary.
    spec : HanSpec
        How many sentences, of how many words; what is longer is cut off.

    Returns
    -------
    Tensor
        Shape ``(songs, n_sentences, sentence)``, int32.

    Raises
    ------
    UsageError
        If a song has no word.
    """
    ids = {word: FIRST_WORD + i for i, word in enumerate(known)}
    encoded = np.zeros((len(songs), spec.n_sentences, spec.sentence), np.int32)
    for i, song in enumerate(songs):
        lines = sentences(song.lyrics, spec.sentence)[: spec.n_sentences]
        if not lines:
            raise UsageError(f"Song {song.id} of the lyrics table has no words; take it out.")
        for j, line in enumerate(lines):
            encoded[i, j, : len(line)] = [ids.get(word, UNKNOWN) for word in line]
    return torch.from_numpy(encoded)


def word_vectors(songs: Sequence[Song], length: int = HanSpec.vector, seed: int = 0) -> dict[str, F32]:
    """Learn word2vec vectors of the words of these songs (Mikolov et al., arXiv:1310.4546).

    A song is one text: its lines are short, and its subject spans them.
    """
    from gensim.models import Word2Vec

    texts = [[*chain(*sentences(song.lyrics))] for song in songs]
    # One worker: with more, the order of updates, and so the vectors, would be another every time.
    model = Word2Vec(
        texts,
        vector_size=length,
        window=10,
        min_count=LEAST_SONGS,
        sg=1,
        negative=5,
        sample=1e-4,
        epochs=5,
        seed=seed,
        workers=1,
    )
    return {word: np.asarray(model.wv[word], np.float32) for word in model.wv.index_to_key}
