"""A scan in which a song's words vote with its sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mutagen.flac import FLAC
from scanning import scan_file
from sounds import Song

from mgtag import tags, words
from mgtag.bundle import Bundle
from mgtag.inference import Tagger
from mgtag.library.events import Answered, Fresh, Tagged, Unsure
from mgtag.library.index import Index
from mgtag.words import WordsModel

METAL = "death and blood in the night and you\n" * 8


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> WordsModel:
    """A words model that knows blues by "baby" and metal by "death", and outvotes the sound."""
    card = {
        "labels": ("blues", "metal"),
        "temperature": 1.0,
        "common": ("the", "and", "in"),
        "least_common": 0.1,
    }
    weights = np.array([[20, 0], [0, 20]], np.float32)
    made = WordsModel(card, ("baby", "death"), np.ones(2, np.float32), weights, np.zeros(2, np.float32))
    monkeypatch.setattr(words, "load", lambda: made)
    monkeypatch.setattr(words, "weight_beside", lambda name: 1.0)
    return made


def with_words(path: Path, lyrics: str = METAL) -> Path:
    file = FLAC(path)
    file["LYRICS"] = lyrics
    file.save()
    return path


def test_words_vote_with_the_sound(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    alone = scan_file(two_heads, song(tmp_path / "alone.flac", 2.0, sound="hum"), index)
    assert isinstance(alone, Tagged) and alone.genres == ("Blues",) and "words" not in alone.votes
    path = with_words(song(tmp_path / "sung.flac", 2.0, sound="hum"))
    event = scan_file(two_heads, path, index)
    assert isinstance(event, Answered)
    assert event.values["words"] == ("Metal",)
    shares = dict(zip(event.vote.labels, event.vote.probabilities, strict=True))
    before = dict(zip(alone.vote.labels, alone.vote.probabilities, strict=True))
    assert shares["Metal"] > before["Metal"] and shares["Jazz"] == pytest.approx(before["Jazz"], abs=1e-6)
    assert shares["Blues"] + shares["Metal"] == pytest.approx(before["Blues"] + before["Metal"], abs=1e-6)
    track = index.track(path)
    assert track is not None and track.best("words").label == "Metal"
    assert isinstance(scan_file(two_heads, path, index), Fresh)


def test_a_file_beside_counts_too(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "sung.flac", 2.0, sound="hum")
    path.with_suffix(".lrc").write_text("".join(f"[00:01.00]{line}\n" for line in METAL.splitlines()))
    event = scan_file(two_heads, path, index)
    assert isinstance(event, Answered) and event.values["words"] == ("Metal",)
    assert path.with_suffix(".lrc").read_text().startswith("[00:01.00]death")


def test_no_lyrics_leaves_the_sound_alone_and_the_choice_may_change(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = with_words(song(tmp_path / "sung.flac", 2.0, sound="hum"))
    quiet = scan_file(two_heads, path, index, lyrics=False)
    assert isinstance(quiet, Tagged) and quiet.genres == ("Blues",) and "words" not in quiet.votes
    track = index.track(path)
    assert track is not None and "words" not in track.answers
    heard = scan_file(two_heads, path, index, dry_run=True)
    assert isinstance(heard, Answered) and "words" in heard.votes
    scan_file(two_heads, path, index)
    track = index.track(path)
    assert track is not None and track.answers["words"]
    again = scan_file(two_heads, path, index, lyrics=False)
    track = index.track(path)
    assert track is not None and "words" not in track.answers
    assert not isinstance(again, Unsure)


def test_a_file_without_words_is_not_heard_again_for_them(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    scan_file(two_heads, path, index, lyrics=False)
    monkeypatch.setattr(Tagger, "predict", lambda *_: pytest.fail("it was heard again"))
    assert isinstance(scan_file(two_heads, path, index), Fresh)


def test_what_is_not_music_stays_that(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    path = with_words(song(tmp_path / "noise.flac", 2.0, sound="noise"))
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, threshold=0.0)
    assert isinstance(event, Unsure) and event.reason == "not music"
    assert path.read_bytes() == before


def test_words_are_kept_when_a_genre_is_written(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = with_words(song(tmp_path / "sung.flac", 2.0, sound="hum"), "baby in the night and\n" * 12)
    event = scan_file(two_heads, path, index)
    assert isinstance(event, Tagged) and event.genres == ("Blues",)
    assert FLAC(path)["LYRICS"] == ["baby in the night and\n" * 12]
    assert tags.read(path).genres == ("Blues",)


def test_beside_a_model_for_which_nobody_measured_it_words_are_silent(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "weight_beside", lambda name: 0.0)
    event = scan_file(two_heads, with_words(song(tmp_path / "sung.flac", 2.0, sound="hum")), index)
    assert isinstance(event, Tagged) and "words" not in event.votes
