"""A scan with a model of two heads: what is not music is never written, and never means never."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_bundle
from mutagen.flac import FLAC
from scanning import scan_file
from sounds import Song
from tagging import said

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.errors import BundleError, UsageError
from mgtag.inference import Tagger
from mgtag.library.events import Fresh, Kept, Tagged, Unsure
from mgtag.library.index import Index
from mgtag.library.records import Filter
from mgtag.library.undo import Undone, undo


def test_music_is_tagged_and_noise_is_not(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    hum = scan_file(two_heads, song(tmp_path / "hum.flac", 2.0, sound="hum"), index)
    assert isinstance(hum, Tagged) and hum.genres == ("Blues",)
    path = song(tmp_path / "noise.flac", 2.0, sound="noise")
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, threshold=0.0)
    assert isinstance(event, Unsure)
    assert (event.genres, event.reason) == ((), "not music")
    assert path.read_bytes() == before
    track = index.track(path)
    assert track is not None and (track.heard, track.outcome) == ("not music", "unsure")
    again = scan_file(two_heads, path, index, threshold=0.0)
    assert isinstance(again, Fresh) and (again.heard, again.reason) == ("", "not music")


def test_what_is_not_music_and_has_a_genre_is_kept(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "noise.flac", 2.0, sound="noise")
    file = FLAC(path)
    file["genre"] = "Noise"
    file.save()
    assert isinstance(scan_file(two_heads, path, index), Kept)
    assert isinstance(scan_file(two_heads, path, index, mode="overwrite", threshold=0.0, force=True), Unsure)
    assert tags.read(path).genres == ("Noise",)


def test_further_genres_are_never_what_is_never_written(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    event = scan_file(two_heads, song(tmp_path / "hum.flac", 2.0, sound="hum"), index, top=4)
    assert isinstance(event, Tagged) and "not music" not in event.genres


@pytest.mark.parametrize("never", [None, 1.0])
def test_never_means_never(never: float | None, song: Song, tmp_path: Path, index: Index) -> None:
    """A small folder's network was fitted a temperature of 0.02: confidence 1.0, and a threshold of 1.0."""
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    model = tiny_bundle.make(tmp_path / "m", temperature=0.02, vote_temperature=0.02, threshold=never)
    event = scan_file(model, path, index)
    assert isinstance(event, Unsure)
    assert event.vote.confidence == 1.0
    assert tags.read(path).genres == ()


def test_the_listener_may_ask_for_less_than_never(song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    model = tiny_bundle.make(tmp_path / "m", threshold=None)
    assert isinstance(scan_file(model, path, index, threshold=0.5), Tagged)


def test_a_graph_of_other_heads_is_told(song: Song, tmp_path: Path, index: Index) -> None:
    heads = {"genre": tiny_bundle.HEAD, "tempo": tiny_bundle.MOODS}
    model = tiny_bundle.make(tmp_path / "m", heads=heads)
    with pytest.raises(BundleError, match=r"model\.onnx: this network does not answer tempo"):
        Tagger(model, "cpu").predict(song(tmp_path / "hum.flac", 2.0, sound="hum"))


def test_both_heads_answer(two_heads: Bundle, song: Song, tmp_path: Path) -> None:
    heard = Tagger(two_heads, "cpu").predict(song(tmp_path / "hum.flac", 3.0, sound="hum"))
    n = len(heard.starts_s)
    assert {name: head.probabilities.shape for name, head in heard.heads.items()} == {
        "genre": (n, 4),
        "mood": (n, 2),
    }
    assert heard.attention is None
    assert heard.heads["mood"].probabilities[:, 0].min() > 0.9  # a hum is low, and so sad


# Mood

BOTH = ("genre", "mood")
KINDS = ["mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_mood_is_written_beside_the_genre_and_undone(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, kind: str
) -> None:
    path = song(tmp_path / f"hum.{kind}", 2.0, sound="hum")
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, fields=BOTH)
    assert isinstance(event, Tagged) and event.written == BOTH
    assert event.values == {"genre": ("Blues",), "mood": ("Sad",)}
    found = tags.read(path)
    assert (found.genres, found.mood) == (("Blues",), ("Sad",))
    assert found.provenance["mood"].confidence == pytest.approx(event.votes["mood"].confidence, abs=1e-3)
    track = index.track(path)
    assert track is not None and track.tags == found.values
    assert track.best("mood").label == "Sad"
    assert isinstance(scan_file(two_heads, path, index, fields=BOTH), Fresh)
    (change,) = index.changes()
    assert (change.before["mood"], change.after["mood"]) == ((), ("Sad",))
    (undone,) = undo(index)
    assert isinstance(undone, Undone)
    assert path.read_bytes() == before


def test_without_being_asked_no_mood_is_written_but_it_is_known(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    event = scan_file(two_heads, path, index)
    assert isinstance(event, Tagged) and event.written == ("genre",)
    assert event.values["mood"] == ("Sad",)
    assert tags.read(path).mood == ()
    assert [t.path for t in index.tracks(Filter(mood="sad"))] == [path]
    later = scan_file(two_heads, path, index, fields=BOTH)  # decided from the index, nothing is heard again
    assert isinstance(later, Tagged) and later.written == ("mood",)
    assert said(path) == {"genre": ("Blues",), "mood": ("Sad",)}


def write_flac(path: Path, **fields: str) -> None:
    file = FLAC(path)
    file.update(fields)
    file.save()


def test_each_field_made_by_hand_is_kept_and_the_other_written(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "genre.flac", 2.0, sound="hum")
    write_flac(path, genre="Krautrock")
    event = scan_file(two_heads, path, index, fields=BOTH)
    assert isinstance(event, Tagged) and event.written == ("mood",)
    assert said(path) == {"genre": ("Krautrock",), "mood": ("Sad",)}
    (event,) = undo(index)
    assert isinstance(event, Undone) and event.genres == ("Krautrock",)
    assert said(path) == {"genre": ("Krautrock",)}
    path = song(tmp_path / "mood.flac", 2.0, sound="hum")
    write_flac(path, mood="Wistful", genre="Other")
    event = scan_file(two_heads, path, index, fields=BOTH)
    assert isinstance(event, Tagged) and event.written == ("genre",)
    assert said(path) == {"genre": ("Blues",), "mood": ("Wistful",)}
    path = song(tmp_path / "both.flac", 2.0, sound="hum")
    write_flac(path, mood="Wistful", genre="Krautrock")
    before = path.read_bytes()
    assert isinstance(scan_file(two_heads, path, index, fields=BOTH), Kept)
    assert path.read_bytes() == before


def test_append_and_overwrite_are_for_moods_too(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "a.flac", 2.0, sound="hum")
    write_flac(path, mood="Wistful", genre="Krautrock")
    scan_file(two_heads, path, index, fields=BOTH, mode="append")
    assert said(path) == {"genre": ("Krautrock", "Blues"), "mood": ("Wistful", "Sad")}
    scan_file(two_heads, path, index, fields=BOTH, mode="overwrite")
    assert said(path) == {"genre": ("Blues",), "mood": ("Sad",)}


def test_what_is_not_music_has_no_mood(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "noise.flac", 2.0, sound="noise")
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, fields=BOTH, threshold=0.0)
    assert isinstance(event, Unsure) and event.reason == "not music"
    assert path.read_bytes() == before


def test_each_head_has_its_own_threshold(song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    moods = replace(tiny_bundle.MOODS, threshold=None)
    model = tiny_bundle.make_two_heads(tmp_path / "m", moods=moods)
    event = scan_file(model, path, index, fields=BOTH)
    assert isinstance(event, Tagged) and event.written == ("genre",)
    assert tags.read(path).mood == ()


def test_a_dry_run_tells_of_both_and_writes_neither(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, fields=BOTH, dry_run=True)
    assert isinstance(event, Tagged) and (event.written, event.reason) == (BOTH, "dry run")
    assert path.read_bytes() == before


def test_a_model_without_moods_is_told_before_anything_is_heard(
    tiny: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    with pytest.raises(UsageError, match="tiny-1: this model hears no mood; --model chooses another"):
        scan_file(tiny, path, index, fields=BOTH)
