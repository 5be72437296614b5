"""Fit the words model, weigh its vote beside a bundle's sound, and measure both together.

The weight is chosen by log loss on pairs of validation: pieces of outside music, each with five songs' words
of its genre. Test is looked at once: on such pairs, and on the few pieces whose own words are at hand. The
artists of all these pieces are kept out of what the words model learns.

``mgtag lab words --lyrics genre.csv.gz --outside DIR`` writes all of it: the shipped model, the record, and
the section of ``RESULTS.md``. It is to be run again with every new default bundle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgtag import bundle
from mgtag.arrays import F32, I64
from mgtag.card import Head
from mgtag.inference import MAX_SLICES, Tagger
from mgtag.tags.lyrics import clean
from mgtag.vote import Vote, vote
from mgtag.words import CARD, Words, WordsModel, together
from mgtag_train.data.lyrics import Song, load_songs
from mgtag_train.data.matched import Pair, artist_key, matched, pairs_by_genre
from mgtag_train.data.outside import Piece, accepted, of_split, read_pieces
from mgtag_train.data.sources import LYRICS
from mgtag_train.learn import metrics
from mgtag_train.learn.run_record import commit, versions
from mgtag_train.report.markdown import write_block
from mgtag_train.report.records import ReportFolder
from mgtag_train.report.words_section import BEGIN, END, RECORD, section, sentence
from mgtag_train.ship.words import built, fit, save, shipped_model

WEIGHTS = tuple(round(0.05 * n, 2) for n in range(41))  # 0 to 2
SPARE = "genre_spare.csv.gz"  # more songs, beside the table, for pieces' own words only
Tell = Callable[[str], object]


def write(
    lyrics: Path,
    outside: Path,
    model: str,
    folder: ReportFolder,
    tell: Tell = print,
    keep: bool = False,
) -> list[Path]:
    """Fit, weigh and measure; write the record, its section, and in a checkout the shipped model.

    Parameters
    ----------
    lyrics : Path
        The table of lyrics.
    outside : Path
        The folder with the table of outside music.
    model : str
        A bundle's name or folder.
    keep : bool
        Whether the shipped words model stays, and only its weight is chosen.
    """
    found = bundle.find(model)
    card, arrays, record = measure(lyrics, outside, Tagger(found, "cpu"), tell, keep)
    folder.records.mkdir(parents=True, exist_ok=True)
    where = folder.records / RECORD
    where.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_block(folder.page, BEGIN, END, section(record))
    if folder.guide.is_file():
        write_block(folder.guide, BEGIN, END, sentence(record))
    shipped = folder.page.parent.parent / "src" / "mgtag"
    if not shipped.is_dir():  # no checkout: the model is put beside the page
        return [where, folder.page, *save(folder.page.parent / "words", card, arrays)]
    if CARD.is_file():  # what was weighed beside other bundles stays, if the words are the same
        old = json.loads((shipped / CARD.name).read_text(encoding="utf-8"))
        same = all(old.get(key) == card[key] for key in ("terms", "strength", "songs", "labels"))
        card["weights"] = {**(old["weights"] if same else {}), **card["weights"]}
    return [where, folder.page, *save(shipped, card, arrays)]


def measure(
    lyrics: Path, outside: Path, tagger: Tagger, tell: Tell, keep: bool = False
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the card and the arrays of the words model, and the record."""
    songs, pieces = load_songs(lyrics), read_pieces(outside)
    pieces = [p for p in pieces if p.split in ("valid", "test") and p.genre in LYRICS.labels and not p.gtzan]
    heldout = {artist_key(piece.artist) for piece in pieces if piece.artist}
    train, valid = (
        [song for song in songs[part] if not song.artist or artist_key(song.artist) not in heldout]
        for part in ("train", "valid")
    )
    if keep:
        card, arrays = shipped_model()
    else:
        tell("fitting the words model")
        card, arrays = fit(train, valid, LYRICS.labels)
    words = built(card, arrays)
    tell(f"hearing {len(pieces)} pieces")
    head = tagger.bundle.card.genre
    sound = {piece.path: _hear(tagger, head, piece) for piece in pieces}
    tables = [lyrics, *(path for path in [lyrics.with_name(SPARE)] if path.is_file())]
    sets = {
        f"{kind}, {part}": found
        for part in ("valid", "test")
        for kind, found in (
            ("of one genre", pairs_by_genre(of_split(pieces, part), songs[part], LYRICS.labels)),
            ("own words", matched(of_split(pieces, part), outside, tables)),
        )
    }
    said = {name: [words.read(clean(pair.lyrics)) for pair in pairs] for name, pairs in sets.items()}
    chosen = sets["of one genre, valid"], said["of one genre, valid"]
    losses = {w: _loss(_together(sound, head, *chosen, w), chosen[0], head) for w in WEIGHTS}
    weight = min(losses, key=lambda w: losses[w])
    rows = {
        name: _figures(sound, head, pairs, said[name], weight, tagger)
        for name, pairs in sets.items()
        if pairs
    }
    own = _words_alone(words, songs["test"])
    card |= {
        "weights": {tagger.bundle.card.name: weight},
        "measured": {"lyrics_test_accuracy": own["accuracy"], "lyrics_test_songs": own["songs"]},
        "limits": "English songs; rock, pop, hip-hop, country, metal and R&B; says nothing of other genres",
    }
    record = {
        "bundle": tagger.bundle.id,
        "weight": weight,
        "losses": losses,
        "words": own
        | {key: card[key] for key in ("terms", "strength", "temperature", "least_common", "songs")},
        "rows": rows,
        "commit": commit(),
        "versions": versions(),
    }
    return card, arrays, record


def _hear(tagger: Tagger, head: Head, piece: Piece) -> Vote:
    return vote(head, tagger.predict(piece.path, MAX_SLICES).heads["genre"].probabilities)


def _together(
    sound: Mapping[Path, Vote], head: Head, pairs: Sequence[Pair], said: Sequence[Words | None], weight: float
) -> list[Vote]:
    heard = (sound[pair.piece.path] for pair in pairs)
    return [
        v if words is None else together(v, head, words, weight) for v, words in zip(heard, said, strict=True)
    ]


def _truth(pairs: Sequence[Pair], head: Head) -> I64:
    return np.array([head.labels.index(pair.piece.genre) for pair in pairs])


def _loss(votes: Sequence[Vote], pairs: Sequence[Pair], head: Head) -> float:
    shares = np.maximum(np.stack([v.probabilities for v in votes]), 1e-6)
    return round(metrics.log_loss(shares, _truth(pairs, head)), 5)


def _figures(
    sound: Mapping[Path, Vote],
    head: Head,
    pairs: Sequence[Pair],
    said: Sequence[Words | None],
    weight: float,
    tagger: Tagger,
) -> dict[str, Any]:
    truth = _truth(pairs, head)
    speak = np.array([words is not None for words in said])
    alone = [
        bool(words and words.labels[int(words.probabilities.argmax())] == pair.piece.genre)
        for words, pair in zip(said, pairs, strict=True)
    ]
    found: dict[str, Any] = {
        "pairs": len(pairs),
        "pieces": len({pair.piece.path for pair in pairs}),
        "words_speak": round(float(speak.mean()), 4),
        "words": round(float(np.mean(alone)), 4),
    }
    for name, w in (("sound", 0.0), ("both", weight)):
        votes = _together(sound, head, pairs, said, w)
        shares = np.stack([v.probabilities for v in votes])
        decided = [v.decided(head.threshold) for v in votes]
        tagged = np.array([v.passes(head.threshold) for v in decided])
        right = np.array(
            [
                accepted(pair.piece.genre, head.labels[int(v.probabilities.argmax())])
                for v, pair in zip(decided, pairs, strict=True)
            ]
        )
        found[name] = {
            "accuracy": round(metrics.accuracy(shares, truth), 4),
            "log_loss": _loss(votes, pairs, head),
            "calibration_error": round(metrics.calibration_error(shares, truth), 4),
            "tagged": round(float(tagged.mean()), 4),
            "accepted": round(float(right[tagged].mean()), 4) if tagged.any() else None,
        }
    return found


def _words_alone(words: WordsModel, songs: Sequence[Song]) -> dict[str, Any]:
    said = [(words.read(clean(song.lyrics)), song.label) for song in songs]
    spoken = [(found.probabilities, label) for found, label in said if found is not None]
    shares: F32 = np.stack([row for row, _ in spoken])
    truth = np.array([label for _, label in spoken])
    return {
        "songs": len(songs),
        "speaks": round(len(spoken) / len(songs), 4),
        "accuracy": round(metrics.accuracy(shares, truth), 4),
        "log_loss": round(metrics.log_loss(shares, truth), 4),
    }
