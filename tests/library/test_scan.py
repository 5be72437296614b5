"""A scan, event by event: what is tagged, kept, unsure, fresh, failed, and what it costs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle
from doubles import FakeTagger, Inline
from scanning import Go
from sounds import Song
from tagging import genres

from mgtag import audio, identity, tags
from mgtag.audio import Sound
from mgtag.bundle import Bundle
from mgtag.errors import AudioError, UsageError
from mgtag.inference import Amount
from mgtag.library import scan as scanning
from mgtag.library.events import Event, Failed, Found, Kept
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.library.undo import Undone, undo
from mgtag.workers import Workers

KINDS = ["mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv", "ape"]


def kinds(events: dict[str, Event]) -> dict[str, str]:
    return {name: type(event).__name__.lower() for name, event in events.items()}


def write_genre(path: Path, *names: str) -> None:
    """Tag a file as some other program would: without mgtag's own field."""
    from mutagen import File

    file = File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["genre"] = list(names)
    file.save()


def bytes_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


# Events


def test_every_event(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    for name in ("new", "mine", "vague", "bad"):
        song(music / f"{name}.flac")
    write_genre(music / "mine.flac", "Krautrock")
    tagger.says = {"vague.flac": ("jazz", 0.5), "bad.flac": AudioError("bad.flac: damaged")}
    events = go()
    assert kinds(events) == {
        "new.flac": "tagged",
        "mine.flac": "kept",
        "vague.flac": "unsure",
        "bad.flac": "failed",
    }
    assert genres(music / "new.flac") == ("Blues",)
    assert genres(music / "mine.flac") == ("Krautrock",)
    assert genres(music / "vague.flac") == ()
    assert events["new.flac"].vote.confidence == pytest.approx(0.9)
    assert events["vague.flac"].genres == ("Jazz",)
    assert kinds(go()) == {
        "new.flac": "fresh",
        "mine.flac": "fresh",
        "vague.flac": "fresh",
        "bad.flac": "failed",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_container_is_tagged_and_undone(
    go: Go, music: Path, song: Song, index: Index, kind: str
) -> None:
    path = song(music / f"a.{kind}", 1.0)
    sound, before = identity.signature(path), path.read_bytes()
    assert kinds(go()) == {path.name: "tagged"}
    found = tags.read(path)
    assert found.genres == ("Blues",)
    assert found.ours("genre")
    assert found.provenance
    assert found.provenance["genre"].bundle.startswith("tiny-1@")
    assert identity.signature(path) == sound
    assert kinds(go()) == {path.name: "fresh"}
    assert [type(u) for u in undo(index)] == [Undone]
    assert path.read_bytes() == before


def test_the_index_knows_what_was_heard(go: Go, music: Path, song: Song, index: Index) -> None:
    path = song(music / "a.flac", 1.5)
    go()
    track = index.track(path)
    assert track is not None
    assert (track.heard, track.outcome, track.genres, track.written["genre"]) == (
        "Blues",
        "tagged",
        ("Blues",),
        ("Blues",),
    )
    assert track.confidence == pytest.approx(0.9)
    assert track.duration_s == pytest.approx(1.5, abs=0.01)
    assert track.signature == identity.signature(path)
    assert (track.size, track.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert index.prediction(path) is not None


def test_a_library_without_music_is_no_error(go: Go) -> None:
    assert go() == {}


def test_a_missing_root_is_a_usage_error(go: Go, music: Path, song: Song) -> None:
    song(music / "a.flac")
    with pytest.raises(UsageError):
        go([music, music / "nowhere"])
    assert genres(music / "a.flac") == ()


def test_the_roots_may_be_any_iterable(go: Go, music: Path, song: Song, index: Index) -> None:
    song(music / "a.flac")
    assert kinds(go(p for p in [music])) == {"a.flac": "tagged"}
    assert next(index.runs()).command == str(music)


def test_threads_give_the_same_as_one(music: Path, song: Song, tagger: FakeTagger, index: Index) -> None:
    for n in range(80):  # more than are under way at once
        song(music / f"{n}.wav", 0.2, seed=n % 3)
    with ThreadPoolExecutor(4) as pool:
        events = list(scan([music], tagger, index, Policy(dry_run=True), pool))
    assert sorted(e.path.name for e in events[1:]) == sorted(f"{n}.wav" for n in range(80))
    assert len(tagger.asked) == 80


def test_only_so_many_files_are_under_way_at_once(
    music: Path, song: Song, tagger: FakeTagger, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complaint AudioMuse#750: out of memory over a large library."""
    for n in range(20):
        song(music / f"{n}.wav", 0.2)
    monkeypatch.setattr(scanning, "AHEAD", 3)
    waiting: list[int] = []

    class Counting(ThreadPoolExecutor):
        under_way = 0

        def submit(self, *args: Any, **kwargs: Any) -> Any:
            self.under_way += 1
            waiting.append(self.under_way)
            return super().submit(*args, **kwargs)

    with Counting(2) as pool:
        for event in scan([music], tagger, index, Policy(dry_run=True), pool):
            pool.under_way -= not isinstance(event, Found)
    assert max(waiting) == 3


# What is asked for


def test_placeholders_are_filled(go: Go, music: Path, song: Song) -> None:
    write_genre(song(music / "a.flac"), "Unknown")
    go()
    assert genres(music / "a.flac") == ("Blues",)


def test_append_adds(go: Go, music: Path, song: Song) -> None:
    write_genre(song(music / "a.flac"), "Krautrock")
    assert kinds(go(mode="append")) == {"a.flac": "tagged"}
    assert genres(music / "a.flac") == ("Krautrock", "Blues")
    assert kinds(go(mode="append")) == {"a.flac": "fresh"}


def test_overwrite_replaces(go: Go, music: Path, song: Song) -> None:
    write_genre(song(music / "a.flac"), "Krautrock", "70s")
    go(mode="overwrite")
    assert genres(music / "a.flac") == ("Blues",)


def test_the_listeners_edit_of_our_word_stays(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    path = song(music / "a.flac")
    go()
    write_genre(path, "Delta Blues")
    tagger.says = {"a.flac": ("metal", 0.9)}
    assert kinds(go()) == {"a.flac": "kept"}
    assert genres(path) == ("Delta Blues",)


def test_mgtag_corrects_itself(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    path = song(music / "a.flac")
    go()
    tagger.says = {"a.flac": ("metal", 0.9)}
    assert kinds(go(force=True)) == {"a.flac": "tagged"}
    assert genres(path) == ("Metal",)


def test_the_listeners_genre_is_not_mgtags_for_having_been_heard_too(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    write_genre(path, "Blues")
    tagger.says = {"a.flac": ("blues", 0.5)}
    go(mode="append", top=2, threshold=0.0)
    tagger.says = {"a.flac": ("metal", 0.9)}
    go(force=True)
    assert "Blues" in genres(path)


def test_top_writes_several_values_best_first(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    real = tagger.predict

    def two(source: Sound, slices: Amount = "auto") -> Any:
        found = real(source)
        found.heads["genre"].probabilities[:] = np.array([0.4, 0.1, 0.5], np.float32)
        return found

    tagger.predict = two
    song(music / "a.mp3"), song(music / "b.m4a")
    go(top=3, threshold=0.3)
    assert genres(music / "a.mp3") == genres(music / "b.m4a") == ("Metal", "Blues")


def test_the_bundles_threshold_is_the_default(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    song(music / "under.flac"), song(music / "over.flac")
    limit = tiny_bundle.make(music.parent / "m").card.genre.threshold
    tagger.says = {"under.flac": ("jazz", limit - 0.01), "over.flac": ("jazz", limit + 0.01)}
    assert kinds(go()) == {"under.flac": "unsure", "over.flac": "tagged"}


def test_the_genre_map_names_what_is_written(music: Path, song: Song, index: Index, tmp_path: Path) -> None:
    model = tiny_bundle.make(tmp_path / "m", written={"blues": "Bluès", "jazz": "Jazz", "metal": "Metal"})
    song(music / "a.flac")
    list(scan([music], FakeTagger(model), index, Policy(), Inline()))
    assert genres(music / "a.flac") == ("Bluès",)


@pytest.mark.parametrize("option", [{"dry_run": True}, {"write": False}], ids=["dry run", "no tags"])
def test_without_writing_no_byte_changes(
    go: Go, music: Path, song: Song, index: Index, option: dict[str, bool]
) -> None:
    for kind in KINDS:
        song(music / f"{kind}.{kind}", 1.0)
    before = bytes_of(music)
    for mode in ("keep", "append", "overwrite"):
        events = go(mode=mode, **option)
        assert len(events) == len(KINDS)
        assert not any(isinstance(e, Failed) for e in events.values())
        if "dry_run" in option:
            assert set(kinds(events).values()) == {"tagged"}
        else:
            assert "tagged" not in kinds(events).values()
    assert bytes_of(music) == before
    assert list(index.changes()) == []


def test_what_a_dry_run_heard_needs_not_be_heard_again(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    song(music / "a.flac")
    go(dry_run=True)
    assert kinds(go()) == {"a.flac": "tagged"}
    assert tagger.asked == []
    assert genres(music / "a.flac") == ("Blues",)


# What is fresh


def test_a_second_scan_decodes_nothing(
    go: Go, music: Path, song: Song, tagger: FakeTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        song(music / f"{kind}.{kind}", 1.0)
    go()
    for place, name in ((audio, "opened"), (identity, "payload"), (identity, "signature")):
        monkeypatch.setattr(place, name, lambda *_, name=name: pytest.fail(f"{name} was called"))
    monkeypatch.setattr(tags, "read", lambda *_: pytest.fail("tags were read"))
    before = bytes_of(music)
    assert set(kinds(go()).values()) == {"fresh"}
    assert tagger.asked == []
    assert bytes_of(music) == before


def test_force_hears_again(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    song(music / "a.flac")
    go(dry_run=True), go(force=True)
    assert tagger.asked == ["a.flac"]


def test_a_changed_file_is_heard_again(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    path = song(music / "a.flac")
    go()
    os.utime(path, ns=(1, 1))
    go()
    assert tagger.asked == ["a.flac"]


def test_another_bundle_hears_again(
    go: Go, music: Path, song: Song, tagger: FakeTagger, tmp_path: Path
) -> None:
    song(music / "a.flac")
    go()
    tagger.bundle = tiny_bundle.make(tmp_path / "retrained", data={"seed": 2})
    go()
    assert tagger.asked == ["a.flac"]


def test_a_lower_threshold_later_needs_no_decoding(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    tagger.says = {"a.flac": ("jazz", 0.5)}
    assert kinds(go()) == {"a.flac": "unsure"}
    assert kinds(go(threshold=0.45)) == {"a.flac": "tagged"}
    assert tagger.asked == []
    assert genres(path) == ("Jazz",)


def test_another_mode_later_needs_no_decoding(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    write_genre(song(music / "a.flac"), "Krautrock")
    go()
    assert kinds(go(mode="append")) == {"a.flac": "tagged"}
    assert tagger.asked == []
    assert genres(music / "a.flac") == ("Krautrock", "Blues")


def test_a_moved_file_is_recognised(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    path = song(music / "a.flac")
    go()
    (music / "new").mkdir()
    there = path.rename(music / "new" / "b.flac")
    assert kinds(go()) == {"b.flac": "fresh"}
    assert tagger.asked == []
    assert index.track(path) is None
    assert index.track(there) is not None


def test_the_sound_of_what_mgtag_wrote_is_known_wherever_it_is_moved(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    """Of any other file a fingerprint is enough; undo looks for these by the signature of their sound."""
    write_genre(song(music / "kept.flac"), "Krautrock")
    path = song(music / "a.flac", seed=1)
    before = path.read_bytes()
    go()
    kept, tagged = index.track(music / "kept.flac"), index.track(path)
    assert kept is not None
    assert kept.signature == identity.fingerprint(kept.path)
    assert tagged is not None
    assert tagged.signature == identity.signature(path)
    os.utime(path.rename(music / "moved.flac"))  # a copy of another date, the old one deleted
    assert kinds(go()) == {"kept.flac": "fresh", "moved.flac": "kept"}
    assert {type(done) for done in undo(index)} == {Undone}
    assert (music / "moved.flac").read_bytes() == before


def test_a_renamed_folder_is_recognised(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    """Complaint quodlibet#1747: everything lost when the root was renamed."""
    for n in range(5):
        song(music / "old" / f"{n}.flac", seed=n)
    go()
    (music / "old").rename(music / "new")
    assert set(kinds(go()).values()) == {"fresh"}
    assert tagger.asked == []


def test_a_copy_is_no_move(go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index) -> None:
    import shutil

    path = song(music / "a.flac")
    go()
    shutil.copy2(path, music / "b.flac")
    go()
    assert tagger.asked == ["b.flac"]
    assert index.track(path) is not None


def test_another_sound_of_the_same_size_and_time_is_no_move(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    a = song(music / "a.wav", seed=1)
    os.utime(a, ns=(10**9, 10**9))
    go(dry_run=True)
    a.unlink()
    b = song(music / "b.wav", seed=2)
    os.utime(b, ns=(10**9, 10**9))
    go(dry_run=True)
    assert tagger.asked == ["b.wav"]


def test_a_damaged_file_of_the_same_size_and_time_is_told(go: Go, music: Path, song: Song) -> None:
    a = song(music / "a.wav", seed=1)
    os.utime(a, ns=(10**9, 10**9))
    song(music / "c.wav", seed=3)
    go(dry_run=True)
    b = music / "b.wav"
    b.write_bytes(b"x" * a.stat().st_size)
    os.utime(b, ns=(10**9, 10**9))
    a.unlink()
    assert kinds(go(dry_run=True)) == {"b.wav": "failed", "c.wav": "tagged"}


# Failures


def test_failures_go_on(go: Go, music: Path, song: Song, index: Index) -> None:
    good = song(music / "m.flac", 1.0)
    (music / "a-empty.mp3").touch()
    (music / "b-text.ogg").write_text("no music\n" * 100)
    os.truncate(song(music / "c-cut.flac", 4.0), 30_000)
    (music / "d-gone.mp3").symlink_to("nowhere")
    events = go()
    assert kinds(events) == {
        "m.flac": "tagged",
        "a-empty.mp3": "failed",
        "b-text.ogg": "failed",
        "c-cut.flac": "failed",
        "d-gone.mp3": "failed",
    }
    for name, event in events.items():
        if isinstance(event, Failed):
            assert name in event.error
            assert event.error.endswith((".", "?"))
            assert "\n" not in event.error
    assert genres(good) == ("Blues",)
    for name in ("a-empty.mp3", "b-text.ogg", "c-cut.flac"):
        track = index.track(music / name)
        assert track is not None
        assert (track.outcome, track.reason) == ("failed", events[name].error)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ape"])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_or_comes_back_byte_for_byte(
    go: Go, music: Path, song: Song, index: Index, kind: str, part: float
) -> None:
    path = song(music / f"a.{kind}", 8.0)
    os.truncate(path, int(path.stat().st_size * part))
    before = path.read_bytes()
    (event,) = go().values()
    if isinstance(event, Failed):
        assert "a." in event.error
        assert path.read_bytes() == before
    else:
        assert genres(path) == ("Blues",)
        assert [type(u) for u in undo(index)] == [Undone]
        assert path.read_bytes() == before


def test_a_damaged_file_is_not_tried_again_until_it_changes(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    tagger.says = {"a.flac": AudioError("a.flac: damaged")}
    assert kinds(go()) == {"a.flac": "failed"}
    assert kinds(go()) == {"a.flac": "failed"}
    assert tagger.asked == []
    tagger.says = {}
    os.utime(path, ns=(1, 1))
    assert kinds(go()) == {"a.flac": "tagged"}


def test_what_was_mgtags_own_failure_is_tried_again(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    song(music / "a.flac")
    tagger.says = {"a.flac": ZeroDivisionError("oops")}
    (event,) = go().values()
    assert isinstance(event, Failed)
    assert "please report" in event.error
    tagger.says = {}
    assert kinds(go()) == {"a.flac": "tagged"}


def test_a_file_replaced_by_a_damaged_one_is_not_tagged_from_memory(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    path = song(music / "a.flac")
    go(dry_run=True)
    path.write_bytes(b"fLaC but no more")
    assert kinds(go()) == {"a.flac": "failed"}
    assert kinds(go()) == {"a.flac": "failed"}
    assert path.read_bytes() == b"fLaC but no more"


def test_names_of_any_bytes_are_tagged_or_told(go: Go, music: Path, song: Song, index: Index) -> None:
    good = song(music / os.fsdecode(b"\xff\n-good.flac"))
    bad = music / os.fsdecode(b"\xfe\n-bad.flac")
    bad.write_bytes(b"no sound")
    events = go([music])
    assert set(kinds(events).values()) == {"tagged", "failed"}
    assert genres(good) == ("Blues",)
    assert index.track(bad) is not None
    assert [u.path for u in undo(index)] == [good]


def test_a_root_of_any_bytes_is_scanned(go: Go, music: Path, song: Song) -> None:
    song(music / os.fsdecode(b"\xff") / "a.flac")
    assert kinds(go([music / os.fsdecode(b"\xff")])) == {"a.flac": "tagged"}


def test_a_file_that_vanishes_meanwhile_is_told(go: Go, music: Path, song: Song, tagger: FakeTagger) -> None:
    gone = song(music / "a.flac")
    song(music / "b.flac")
    tagger.predict = _after(tagger.predict, lambda path: gone.unlink() if path == gone else None)
    assert kinds(go()) == {"a.flac": "failed", "b.flac": "tagged"}
    assert not gone.exists()


def test_a_file_that_changes_meanwhile_is_not_tagged_by_what_it_was(
    go: Go, music: Path, song: Song, tagger: FakeTagger
) -> None:
    path = song(music / "a.wav", seed=1)
    other = song(music.parent / "other.wav", seed=2).read_bytes()

    def change(_: Path) -> None:
        path.write_bytes(other)
        os.utime(path, ns=(5, 5))

    tagger.predict = _after(tagger.predict, change)
    assert kinds(go()) == {"a.wav": "failed"}
    assert path.read_bytes() == other


def test_a_read_only_file_is_recorded_and_told(go: Go, music: Path, song: Song, index: Index) -> None:
    """Complaint quodlibet#3066: the write fails, and the library forgets the file."""
    path = song(music / "a.flac")
    path.chmod(0o444)
    before = bytes_of(music)
    (event,) = go().values()
    assert isinstance(event, Failed)
    assert "read-only" in event.error
    assert bytes_of(music) == before
    assert index.prediction(path) is not None
    path.chmod(0o644)
    assert kinds(go()) == {"a.flac": "tagged"}


def test_hard_links_are_left_alone_unless_asked(go: Go, music: Path, song: Song) -> None:
    path = song(music / "a.flac")
    os.link(path, music.parent / "elsewhere.flac")
    (event,) = go().values()
    assert isinstance(event, Kept)
    assert "hard links" in event.reason
    assert path.samefile(music.parent / "elsewhere.flac")
    assert kinds(go(hard_links=True)) == {"a.flac": "tagged"}
    assert genres(music.parent / "elsewhere.flac") == ()


def test_a_link_stays_a_link(go: Go, music: Path, song: Song) -> None:
    real = song(music.parent / "real" / "a.flac")
    (music / "link.flac").symlink_to(real)
    assert kinds(go()) == {"link.flac": "tagged"}
    assert (music / "link.flac").is_symlink()
    assert genres(real) == ("Blues",)
    assert kinds(go()) == {"link.flac": "fresh"}


def test_leftovers_of_a_killed_scan_are_cleared_away(go: Go, music: Path, song: Song) -> None:
    song(music / "a.flac")
    leftover = music / ".mgtag-0123456789abcdef.tmp.flac"
    leftover.write_bytes(b"half a file")
    go()
    assert not leftover.exists()


def test_a_leftover_that_cannot_be_removed_stops_nothing(
    go: Go, music: Path, song: Song, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "a.flac")
    (music / ".mgtag-0123456789abcdef.tmp.flac").touch()
    real = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith(".mgtag-0123456789abcdef"):
            raise PermissionError(13, "Permission denied", str(path))
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert kinds(go()) == {"a.flac": "tagged"}


# Order of events on the disk


def test_the_journal_is_committed_before_the_file_is_replaced(
    tagger: FakeTagger, music: Path, song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    before, states = path.read_bytes(), []
    real = os.replace

    def watch(source: Path, target: Path) -> None:
        with Index(tmp_path / "index.db") as other:  # as another process would see it
            states.append([c.state for c in other.changes()])
        assert path.read_bytes() == before
        real(source, target)

    monkeypatch.setattr(os, "replace", watch)
    with Index(tmp_path / "index.db") as store:
        list(scan([music], tagger, store, Policy(), Inline()))
        assert states == [["pending"]]
        assert [c.state for c in store.changes()] == ["done"]


def test_a_replace_that_fails_leaves_no_trace(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    before = bytes_of(music)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        (event,) = go().values()
    assert isinstance(event, Failed)
    assert "full" in event.error or "space" in event.error
    assert bytes_of(music) == before
    assert list(index.changes()) == []
    assert kinds(go()) == {path.name: "tagged"}


def test_a_journal_that_cannot_be_written_leaves_the_file(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "a.flac")
    before = bytes_of(music)

    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(index, "begin_change", broken)
    assert kinds(go()) == {"a.flac": "failed"}
    assert bytes_of(music) == before


def test_ctrl_c_in_the_middle_of_a_write_waits_for_it(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        song(music / f"{name}.flac")
    real, calls = os.replace, []

    def interrupted(source: Path, target: Path) -> None:
        calls.append(target)
        os.kill(os.getpid(), signal.SIGINT)
        real(source, target)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            go()
    assert signal.getsignal(signal.SIGINT) is before
    (tagged,) = calls
    assert genres(tagged) == ("Blues",)
    assert [c.state for c in index.changes()] == ["done"]
    assert not [p for p in music.iterdir() if p.name.startswith(".")]
    expected = {f"{name}.flac": "tagged" for name in "abc"} | {tagged.name: "fresh"}
    assert kinds(go()) == expected


def test_ctrl_c_while_listening_loses_nothing(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    for name in "abc":
        song(music / f"{name}.flac")
    tagger.says = {"b.flac": KeyboardInterrupt}
    with pytest.raises(KeyboardInterrupt):
        go()
    tagger.says = {}
    assert set(kinds(go()).values()) <= {"tagged", "fresh"}
    assert all(genres(music / f"{name}.flac") == ("Blues",) for name in "abc")
    assert all(run.id for run in index.runs())


def test_ctrl_c_while_a_file_is_handed_to_a_worker_waits_for_it(
    music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    """A worker that is just being started would show a traceback."""
    song(music / "a.flac")
    handed: list[object] = []

    class Interrupted(Inline):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            handed.append(super().submit(*args, **kwargs))
            return handed[-1]

    with pytest.raises(KeyboardInterrupt):
        list(scan([music], tagger, index, Policy(), Interrupted()))
    assert len(handed) == 1


# Crashes of workers


class Crashing(FakeTagger):
    """A tagger whose process dies at one file, as a decoder's segmentation fault would have it."""

    def predict(self, source: Sound, slices: Amount = "auto") -> Any:
        if "crash" in source.path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(source, slices)


def test_a_crash_fails_only_the_culprit(music: Path, song: Song, tiny: Bundle, index: Index) -> None:
    """Complaint AudioMuse#869: a signal in one file, and the whole album is skipped."""
    for n in range(4):
        song(music / f"{n}.flac", seed=n)
    song(music / "crash.flac", seed=9)
    with Workers(2) as pool:
        events = list(scan([music], Crashing(tiny), index, Policy(), pool))[1:]
    found = {e.path.name: type(e).__name__ for e in events}
    assert found == {"crash.flac": "Failed"} | {f"{n}.flac": "Tagged" for n in range(4)}
    failed = next(e for e in events if isinstance(e, Failed))
    assert "crashes" in failed.error
    assert len(events) == 5


def _after(call: Callable[..., Any], then: Callable[[Path], object]) -> Callable[..., Any]:
    def both(source: Sound, slices: Amount = "auto") -> Any:
        found = call(source, slices)
        then(source.path)
        return found

    return both
