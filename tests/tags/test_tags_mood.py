"""Moods in and out of every container, by the road that genres take; each field leaves the other alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import ID3, TIT2, TMOO, TXXX
from mutagen.mp4 import MP4
from tagging import provenance, restored, said, write, write_all
from test_tags import CONTAINERS, METADATA, encoded, metadata, song
from test_tags_apev2 import append_apev2

from mgtag import identity, tags
from mgtag.tags import apev2
from mgtag.tags.fields import Provenance, from_json, to_json

MOODS = ("Happy", "Träumerisch 音")


def both(path: Path, genre: str, mood: str) -> tags.Draft:
    return write_all(path, provenance(genre) | provenance(mood, field="mood"))


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("before", [{}, {**METADATA, "genre": "Krautrock"}], ids=["bare", "tagged"])
def test_write_then_undo(tmp_path: Path, kind: str, before: dict[str, str]) -> None:
    path = song(tmp_path, kind, tags=before)
    original, sound, rest, was = path.read_bytes(), encoded(path), metadata(path), tags.read(path)
    draft = write(path, *MOODS, field="mood")
    now = tags.read(path)
    assert now.mood == MOODS and now.ours("mood")
    assert (now.genres, now.ours("genre")) == (was.genres, False)
    assert now.provenance == provenance(*MOODS, field="mood")
    assert (now.title, now.artist, now.album) == (was.title, was.artist, was.album)
    assert encoded(path) == sound
    there = {key: value for key, value in metadata(path).items() if key not in ("mood", "tmoo", "wm/mood")}
    assert there == rest
    assert restored(path, draft) == original


@pytest.mark.parametrize("kind", CONTAINERS)
def test_others_read_the_mood(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind, tags={} if kind == "ape" else METADATA)
    write(path, *MOODS, field="mood")
    named = {"ID3v2.4": "TMOO", "MP4": "----:com.apple.iTunes:MOOD", "ASF": "WM/Mood"}
    value = mutagen.File(path).tags[named.get(CONTAINERS[kind], "MOOD")]
    found = [v.decode() if isinstance(v, bytes) else str(v) for v in getattr(value, "text", value)]
    assert found == list(MOODS)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_each_field_is_written_and_undone_without_the_other(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind)
    write(path, "Jazz")
    between = path.read_bytes()
    draft = write(path, "Sad", field="mood")
    found = tags.read(path)
    assert (found.own("genre"), found.own("mood")) == (("Jazz",), ("Sad",))
    later = write(path, "Blues")
    found = tags.read(path)
    assert (found.own("genre"), found.own("mood")) == (("Blues",), ("Sad",))
    restored(path, later)
    assert restored(path, draft) == between


@pytest.mark.parametrize("kind", CONTAINERS)
def test_both_in_one_write(tmp_path: Path, kind: str) -> None:
    path = song(tmp_path, kind, tags={} if kind == "ape" else METADATA)
    original = path.read_bytes()
    draft = both(path, "Jazz", "Calm")
    found = tags.read(path)
    assert said(path) == {"genre": ("Jazz",), "mood": ("Calm",)}
    assert set(found.provenance) == {"genre", "mood"}
    both(path, "Rock", "Tense")
    both(path, "Jazz", "Calm")
    assert found == tags.read(path)
    assert path.read_bytes().count(b"MGTAG") + path.read_bytes().count("MGTAG".encode("utf-16-le")) == 1
    assert restored(path, draft) == original


@pytest.mark.parametrize(("version", "frame"), [(3, b"TXXX"), (4, b"TMOO")])
def test_id3_has_a_frame_for_moods_since_2_4(tmp_path: Path, version: int, frame: bytes) -> None:
    path = song(tmp_path, "mp3")
    found = ID3()
    found.add(TIT2(encoding=3, text=["t"]))
    found.save(path, v1=0, v2_version=version)
    write(path, "Happy", field="mood")
    assert tags.read(path).container == f"ID3v2.{version}"
    again = ID3(path, translate=False)
    assert str(again["TMOO" if version == 4 else "TXXX:MOOD"]) == "Happy"
    assert frame in path.read_bytes()
    assert ("TMOO" in again) == (version == 4)


def test_id3_2_2_too(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    body = b"TT2" + (2).to_bytes(3, "big") + b"\0t"
    sound = path.read_bytes()
    n = 10 + int.from_bytes(bytes(sound[6:10]), "big") if sound[:3] == b"ID3" else 0
    path.write_bytes(b"ID3\2\0\0" + bytes([0, 0, 0, len(body)]) + body + sound[n:])
    write(path, "Happy", field="mood")
    found = tags.read(path)
    assert (found.container, found.mood, found.title) == ("ID3v2.2", ("Happy",), "t")
    assert str(ID3(path)["TXXX:MOOD"]) == "Happy"


def moody(*frames: TMOO | TXXX) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path, found = song(folder, "mp3"), ID3()
        for frame in frames:
            found.add(frame)
        found.save(path, v1=0)
        return path

    return make


HIDDEN = moody(TMOO(encoding=0, text=["Unknown"]), TXXX(encoding=0, desc="MOOD", text=["Wistful"]))
TWO = moody(TMOO(encoding=0, text=["Früh"]), TXXX(encoding=3, desc="mood", text=["Wistful"]))
OTHER_CASE = moody(TXXX(encoding=1, desc="Mood", text=["Früh"]))


@pytest.mark.parametrize("make", [TWO, OTHER_CASE])
def test_append_leaves_what_is_there(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    original, before = path.read_bytes(), {key: str(frame) for key, frame in ID3(path).items()}
    new = {"mood": Provenance(("Früh",), ("Sad",), "b", 0.5)}
    draft = tags.draft(path, new, identity.signature)
    draft.commit()
    found = tags.read(path)
    assert found.mood == ("Früh", "Sad") and found.own("mood") == ("Sad",)
    after = {key: str(frame).replace("\0Sad", "") for key, frame in ID3(path).items()}
    assert {key: after[key] for key in before} == before
    assert restored(path, draft) == original


def test_a_mood_in_another_tag_is_a_mood(tmp_path: Path) -> None:
    path = song(tmp_path, "mp3")
    found = ID3()
    found.add(TMOO(encoding=0, text=["unknown"]))
    found.save(path, v1=0)
    append_apev2(path, (apev2.Item(b"MOOD", 0, b"Wistful"),))
    assert tags.read(path).mood == ("Wistful",)


def test_mp4_keeps_other_named_items(tmp_path: Path) -> None:
    path = song(tmp_path, "m4a")
    mp4 = MP4(path)
    mp4.tags["----:com.apple.iTunes:Mood"] = [b"Early"]
    mp4.tags["----:org.somebody:MOOD"] = [b"theirs"]
    mp4.tags["----:com.apple.iTunes:LABEL"] = [b"Records"]
    mp4.save()
    write(path, "Sad", field="mood")
    again = MP4(path).tags
    assert tags.read(path).mood == ("Sad",)
    assert again["----:org.somebody:MOOD"] == [b"theirs"]
    assert again["----:com.apple.iTunes:LABEL"] == [b"Records"]
    assert "----:com.apple.iTunes:Mood" not in again


def test_a_wav_with_an_info_list_keeps_it_when_its_mood_changes(tmp_path: Path) -> None:
    path = song(tmp_path, "wav", tags={"genre": "Krautrock", "title": "x"})
    info = path.read_bytes()[path.read_bytes().index(b"LIST") :][:60]
    write(path, "Sad", field="mood")
    assert info in path.read_bytes()
    assert said(path) == {"genre": ("Krautrock",), "mood": ("Sad",)}


# The record of what was written

names = st.lists(st.text(min_size=1), max_size=3).map(tuple)
records = st.builds(Provenance, names, names, st.text(), st.floats(0, 1))


@given(st.dictionaries(st.sampled_from(["genre", "mood"]), records))
def test_a_record_comes_back(written: dict[str, Provenance]) -> None:
    text = to_json(written)
    assert text.isascii() and "\n" not in text
    assert from_json(text) == written


def test_a_record_of_before_there_were_moods_is_read() -> None:
    old = json.dumps({"bundle": "b@1", "confidence": 0.9, "genres": ["Jazz"]})
    assert from_json(old) == {"genre": Provenance((), ("Jazz",), "b@1", 0.9)}
    assert to_json(from_json(old)) == old


keys = st.sampled_from(["bundle", "confidence", "genres", "names", "kept", "mood", "x"])
leaves = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner)))
def test_what_somebody_else_left_is_no_record(value: object) -> None:
    for field, found in from_json(json.dumps(value)).items():
        assert field in ("genre", "mood") and all(isinstance(name, str) for name in found.names)
