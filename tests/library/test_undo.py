"""Undo: byte for byte, or politely not."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
import sounds
from doubles import FakeTagger
from scanning import Go
from sounds import Song

from mgtag import tags
from mgtag.errors import UsageError
from mgtag.library import tag_writer
from mgtag.library.index import Index
from mgtag.library.undo import Refused, Undone, Which, recover, undo


def state(path: Path) -> tuple[bytes, int, int]:
    status = path.stat()
    return path.read_bytes(), status.st_mtime_ns, status.st_mode


def test_undo_puts_back_bytes_time_and_mode(go: Go, music: Path, song: Song, index: Index) -> None:
    paths = [song(music / f"{n}.flac", seed=n) for n in range(3)]
    for n, path in enumerate(paths):
        path.chmod(0o640)
        os.utime(path, ns=(10**18 + n, 10**18 + n))
    before = {path: state(path) for path in paths}
    go()
    assert all(state(path)[0] != before[path][0] for path in paths)
    events = list(undo(index))
    assert {e.path for e in events} == set(paths)
    assert all(isinstance(e, Undone) for e in events)
    assert {path: state(path) for path in paths} == before


def test_undo_tells_the_genres_that_are_back(go: Go, music: Path, index: Index) -> None:
    sounds.make(music / "a.mp3", 1.0, tags={"genre": "Krautrock"})
    go(mode="overwrite")
    (event,) = undo(index)
    assert isinstance(event, Undone) and event.genres == ("Krautrock",)
    assert tags.read(music / "a.mp3").genres == ("Krautrock",)


def test_the_index_follows(go: Go, music: Path, song: Song, index: Index, tagger: FakeTagger) -> None:
    path = song(music / "a.flac")
    go()
    list(undo(index))
    track = index.track(path)
    assert track is not None
    assert (track.outcome, track.genres, track.written["genre"], track.heard) == ("undone", (), (), "Blues")
    tagger.asked.clear()
    go(dry_run=True)
    assert tagger.asked == []


def test_two_runs_are_undone_one_by_one(
    go: Go, music: Path, song: Song, index: Index, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    first = path.read_bytes()
    tagger.says = {"a.flac": ("metal", 0.9)}
    go(force=True)
    assert [type(e) for e in undo(index)] == [Undone]
    assert path.read_bytes() == first
    assert [type(e) for e in undo(index)] == [Undone]
    assert path.read_bytes() == original
    with pytest.raises(UsageError, match="nothing to undo"):
        list(undo(index))


def test_after_undoing_the_second_run_the_first_ones_word_is_still_mgtags(
    go: Go, music: Path, song: Song, index: Index, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    go()
    tagger.says = {"a.flac": ("metal", 0.9)}
    go(force=True)
    list(undo(index))
    assert tags.read(path).genres == ("Blues",)
    go()  # not heard again, and "metal" stands in the index
    assert tags.read(path).genres == ("Metal",)


def test_an_earlier_run_can_be_undone_where_no_later_one_wrote(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    a = song(music / "a.flac", seed=1)
    original = a.read_bytes()
    go()
    run = index.last_tagging_run()
    b = song(music / "b.flac", seed=2)
    go()
    (event,) = undo(index, Which(run))
    assert event.path == a
    assert a.read_bytes() == original
    assert tags.read(b).genres == ("Blues",)


def test_a_run_under_a_later_one_is_refused(
    go: Go, music: Path, song: Song, index: Index, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    go()
    run = index.last_tagging_run()
    tagger.says = {"a.flac": ("metal", 0.9)}
    go(force=True)
    now = path.read_bytes()
    (event,) = undo(index, Which(run))
    assert isinstance(event, Refused)
    assert path.read_bytes() == now


def test_what_somebody_changed_since_is_left_alone(go: Go, music: Path, song: Song, index: Index) -> None:
    changed, other = song(music / "a.flac", seed=1), song(music / "b.flac", seed=2)
    original = other.read_bytes()
    go()
    from mutagen.flac import FLAC

    file = FLAC(changed)
    file["title"] = "Mine"
    file.save()
    now = state(changed)
    events = {e.path: e for e in undo(index)}
    assert isinstance(events[changed], Refused)
    assert "changed since" in events[changed].error
    assert str(changed) in events[changed].error
    assert state(changed) == now
    assert other.read_bytes() == original
    assert [c.state for c in index.changes(path=changed)] == ["done"]


def test_a_change_taken_back_by_hand_can_be_undone_later(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    tagged = path.read_bytes()
    path.write_bytes(tagged + b"x")
    assert [type(e) for e in undo(index)] == [Refused]
    path.write_bytes(tagged)
    assert [type(e) for e in undo(index)] == [Undone]
    assert path.read_bytes() == original


def test_a_file_that_is_gone_is_told(go: Go, music: Path, song: Song, index: Index) -> None:
    path = song(music / "a.flac")
    go()
    path.unlink()
    (event,) = undo(index)
    assert isinstance(event, Refused)
    assert "gone" in event.error or "not there" in event.error
    assert not list(music.iterdir())


def test_a_moved_file_is_found_again(go: Go, music: Path, song: Song, index: Index) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    there = path.rename(music / "b.flac")
    go()
    (event,) = undo(index)
    assert isinstance(event, Undone)
    assert event.path == there
    assert there.read_bytes() == original


def test_another_file_at_the_old_place_is_left_alone(go: Go, music: Path, song: Song, index: Index) -> None:
    path = song(music / "a.flac", seed=1)
    go()
    path.unlink()
    other = song(path, seed=2).read_bytes()
    (event,) = undo(index)
    assert isinstance(event, Refused)
    assert path.read_bytes() == other


def test_a_read_only_file_is_told(go: Go, music: Path, song: Song, index: Index) -> None:
    path = song(music / "a.flac")
    go()
    path.chmod(0o444)
    now = state(path)
    (event,) = undo(index)
    assert isinstance(event, Refused)
    assert state(path) == now


@pytest.mark.parametrize("run", [0, -1, 99])
def test_a_run_that_was_not_is_a_usage_error(index: Index, run: int) -> None:
    with pytest.raises(UsageError, match="no run"):
        list(undo(index, Which(run)))


def test_a_run_that_changed_nothing_is_a_usage_error(go: Go, index: Index) -> None:
    go()
    with pytest.raises(UsageError, match="changed no file"):
        list(undo(index, Which(next(index.runs()).id)))


def test_undo_interrupted_goes_on_where_it_stopped(go: Go, music: Path, song: Song, index: Index) -> None:
    paths = [song(music / f"{n}.flac", seed=n) for n in range(4)]
    before = {p: p.read_bytes() for p in paths}
    go()
    walk = undo(index)
    next(walk), next(walk)
    walk.close()
    assert sum(p.read_bytes() == before[p] for p in paths) == 2
    assert len(list(undo(index))) == 2
    assert {p: p.read_bytes() for p in paths} == before


def test_what_was_put_back_already_is_undone(go: Go, music: Path, song: Song, index: Index) -> None:
    """By an undo that was killed before it could say so, or from a backup."""
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    path.write_bytes(original)
    assert [type(e) for e in undo(index)] == [Undone]
    assert path.read_bytes() == original
    assert index.last_tagging_run() is None


# After a crash


class Killed(BaseException):
    """As `kill -9` would: nothing after it is run."""


def crash(monkeypatch: pytest.MonkeyPatch, go: Go, before_replace: bool) -> None:
    real = os.replace

    def die(source: Path, target: Path) -> None:
        if not before_replace:
            real(source, target)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # nothing clears up after itself
        with pytest.raises(Killed):
            go()


@pytest.mark.parametrize("before_replace", [True, False])
def test_a_change_left_pending_by_a_crash_is_settled(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch, before_replace: bool
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    crash(monkeypatch, go, before_replace)
    assert [c.state for c in index.changes()] == ["pending"]
    assert (path.read_bytes() == original) == before_replace
    recover(index)
    assert [c.state for c in index.changes()] == ([] if before_replace else ["done"])
    go()
    assert tags.read(path).genres == ("Blues",)
    assert [p.name for p in music.iterdir()] == ["a.flac"]
    list(undo(index))
    assert path.read_bytes() == original


def test_a_scan_settles_what_a_killed_one_left(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later, nobody could tell whether that change ever happened."""
    song(music / "a.flac")
    crash(monkeypatch, go, before_replace=True)
    go()
    assert [c.state for c in index.changes()] == ["done"]


def test_undo_works_right_after_a_crash(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    crash(monkeypatch, go, before_replace=False)
    assert [type(e) for e in undo(index)] == [Undone]
    assert path.read_bytes() == original


def test_a_pending_change_of_a_moved_file_is_kept(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    crash(monkeypatch, go, before_replace=False)
    there = path.rename(music / "b.flac")
    go()
    (event,) = undo(index)
    assert event.path == there
    assert there.read_bytes() == original


def test_an_index_that_cannot_note_the_end_does_not_lose_the_way_back(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(tag_writer.Index, "end_change", full)
        with pytest.raises(sqlite3.OperationalError):
            go()
    list(undo(index))
    assert path.read_bytes() == original
