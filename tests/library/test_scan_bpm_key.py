"""A scan that writes tempo and key beside the genre: by its rules, journal and undo."""

from __future__ import annotations

from pathlib import Path

import pytest
import sounds
from mutagen.flac import FLAC
from scanning import scan_file
from sounds import Song
from tagging import said

from mgtag import analysis, tags
from mgtag.bundle import Bundle
from mgtag.errors import UsageError
from mgtag.inference import Tagger
from mgtag.library.events import Fresh, Kept, Tagged, Unsure
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.query import parse_query
from mgtag.library.scan import scan
from mgtag.library.undo import Undone, undo

ALL = ("genre", "mood", "bpm", "key")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> dict[str, analysis.Estimate]:
    """What is estimated of whatever file; above the thresholds."""
    found = {"bpm": analysis.Estimate("128", 0.99), "key": analysis.Estimate("F#m", 0.99)}
    monkeypatch.setattr(analysis, "analyse", lambda sound, fields: {f: found[f] for f in fields})
    return found


@pytest.mark.parametrize("kind", ["mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv"])
@pytest.mark.usefixtures("heard")
def test_both_are_written_beside_the_genre_and_undone(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, kind: str
) -> None:
    path = song(tmp_path / f"hum.{kind}", 2.0, sound="hum")
    before = path.read_bytes()
    event = scan_file(two_heads, path, index, fields=ALL)
    assert isinstance(event, Tagged) and event.written == ALL
    assert said(path) == {"genre": ("Blues",), "mood": ("Sad",), "bpm": ("128",), "key": ("F#m",)}
    written = tags.read(path).provenance
    assert [written[field].bundle for field in ("bpm", "key")] == [*analysis.METHODS.values()]
    track = index.track(path)
    assert track is not None and (track.bpm, track.key) == (128.0, "F#m")
    assert isinstance(scan_file(two_heads, path, index, fields=ALL), Fresh)
    (change,) = index.changes()
    assert (change.before["bpm"], change.after["bpm"]) == ((), ("128",))
    (event,) = undo(index)
    assert isinstance(event, Undone) and not any(event.values.values())
    assert path.read_bytes() == before


def test_without_being_asked_nothing_is_estimated(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "analyse", lambda sound, fields: pytest.fail("nobody asked"))
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    scan_file(two_heads, path, index)
    assert said(path) == {"genre": ("Blues",)}


@pytest.mark.usefixtures("heard")
def test_a_file_that_was_heard_without_them_is_heard_again(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    scan_file(two_heads, path, index)
    event = scan_file(two_heads, path, index, fields=("genre", "bpm"))
    assert isinstance(event, Tagged) and event.written == ("bpm",)
    assert said(path) == {"genre": ("Blues",), "bpm": ("128",)}


@pytest.mark.usefixtures("heard")
def test_hearing_a_file_again_forgets_no_tempo(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    scan_file(two_heads, path, index, fields=("genre", "bpm"), write=False)
    scan_file(two_heads, path, index, force=True, write=False)
    track = index.track(path)
    assert track is not None and track.best("bpm").label == "128"


@pytest.mark.parametrize("mode", ["keep", "append"])
@pytest.mark.usefixtures("heard")
def test_what_was_set_by_hand_is_kept_and_nothing_put_behind_it(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, mode: str
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    file = FLAC(path)
    file.update(genre="Krautrock", bpm="97", key="Am")
    file.save()
    event = scan_file(two_heads, path, index, fields=("genre", "bpm", "key"), mode=mode)
    assert isinstance(event, Kept if mode == "keep" else Tagged)
    assert {field: said(path)[field] for field in ("bpm", "key")} == {"bpm": ("97",), "key": ("Am",)}
    scan_file(two_heads, path, index, fields=("genre", "bpm", "key"), mode="overwrite")
    assert said(path) == {"genre": ("Blues",), "bpm": ("128",), "key": ("F#m",)}


@pytest.mark.usefixtures("heard")
def test_a_tempo_of_nought_is_filled_in(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    file = FLAC(path)
    file.update(bpm="0")
    file.save()
    scan_file(two_heads, path, index, fields=("genre", "bpm"))
    assert said(path)["bpm"] == ("128",)


def test_what_is_unsure_is_not_written_whatever_the_threshold_of_genres(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index, heard: dict[str, analysis.Estimate]
) -> None:
    path = song(tmp_path / "hum.flac", 2.0, sound="hum")
    heard["bpm"] = analysis.Estimate("128", analysis.threshold("bpm"))
    heard["key"] = analysis.Estimate("", 0.0)
    event = scan_file(two_heads, path, index, fields=("genre", "bpm", "key"), threshold=0.0)
    assert isinstance(event, Tagged) and event.written == ("genre",)
    assert said(path) == {"genre": ("Blues",)}
    assert event.votes["key"].confidence == 0.0
    assert isinstance(scan_file(two_heads, path, index, fields=("genre", "bpm", "key"), threshold=0.0), Fresh)


@pytest.mark.usefixtures("heard")
def test_what_is_not_music_gets_neither(two_heads: Bundle, song: Song, tmp_path: Path, index: Index) -> None:
    path = song(tmp_path / "noise.flac", 2.0, sound="noise")
    before = path.read_bytes()
    assert isinstance(scan_file(two_heads, path, index, fields=ALL), Unsure)
    assert path.read_bytes() == before


@pytest.mark.usefixtures("heard")
def test_the_index_is_asked_by_tempo_and_key(
    two_heads: Bundle, song: Song, tmp_path: Path, index: Index
) -> None:
    scan_file(two_heads, song(tmp_path / "hum.flac", 2.0, sound="hum"), index, fields=ALL)
    (track,) = index.tracks()
    for query, holds in (
        ("bpm:120..130", True),
        ("bpm:100..120", False),
        ("key:f#m", True),
        ("key:F#", False),
        ("bpm_confidence:0.9.. key_confidence:0.9..", True),
    ):
        assert parse_query([query])(track) == holds, query
    rows = index._db.execute("SELECT bpm, key FROM tracks").fetchall()
    assert [tuple(row) for row in rows] == [("128", "F#m")]


def test_without_librosa_the_scan_does_not_begin(
    tiny: Bundle, song: Song, tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="To hear bpm needs librosa"):
        scan_file(tiny, song(tmp_path / "hum.flac", 2.0, sound="hum"), index, fields=("genre", "bpm"))
    assert not list(index.runs())


def test_it_is_estimated_in_a_worker_of_bounded_memory(tiny: Bundle, tmp_path: Path, index: Index) -> None:
    from mgtag.workers import executor

    path = sounds.make(tmp_path / "song.flac", 12.0)
    with executor(1, "cpu") as pool:
        _, event = scan([path], Tagger(tiny, "cpu"), index, Policy(fields=("genre", "bpm", "key")), pool)
    assert event.outcome in ("tagged", "unsure")  # type: ignore[union-attr]
    track = index.track(path)
    assert track is not None and track.bpm > 0 and track.key in analysis.NAMES
