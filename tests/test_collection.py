"""The library that every feature is walked through on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import collection
from mgtag import tags
from mgtag.audio import probe
from mgtag.library.walk import find_audio


def test_it_has_300_songs_of_every_kind() -> None:
    songs = list(collection.songs())
    assert len(songs) == 300
    assert {song.kind for song in songs} == set(collection.KINDS)
    assert any(song.lyrics for song in songs) and any(not song.genres for song in songs)
    assert any(len(song.genres) == 2 for song in songs)


def test_its_files_say_what_they_are_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    songs = {song.kind: song for song in collection.songs() if song.genres and song.year < 2000}
    monkeypatch.setattr(collection, "songs", lambda: iter(songs.values()))
    monkeypatch.setattr(collection, "CLIPS", tmp_path / "none")
    count = collection.make(tmp_path / "music", seconds=2)
    found = find_audio([tmp_path / "music"])
    assert len(found.files) + len(found.problems) == count
    songs_there = [path for path in found.tracks if path.parent.name != "Odds & Ends"]
    said = {(told.artist, told.title, told.genres) for told in map(tags.read, songs_there)}
    assert said == {(song.artist, song.title, song.genres) for song in songs.values()}
    assert {round(probe(path).duration_s) for path in songs_there} == {2}
