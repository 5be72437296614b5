"""A library that moves, loses files and is spelt otherwise: one track a file, and nothing forgotten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from doubles import FakeTagger
from mutagen.flac import FLAC
from scanning import Go
from sounds import Song

from mgtag.errors import UsageError
from mgtag.library import comparing, walk
from mgtag.library.index import Index
from mgtag.library.lookup import matching
from mgtag.library.outcome import Outcome
from mgtag.library.paths import from_text
from mgtag.library.records import Filter


def listed(index: Index, **wanted: Any) -> list[str]:
    return [track.path.name for track in index.tracks(Filter(**wanted))]


def outcomes(events: dict[str, Any]) -> dict[str, str]:
    return {name: str(event.outcome) for name, event in events.items()}


# Gone


def test_a_file_that_is_gone_is_listed_no_more(go: Go, music: Path, song: Song, index: Index) -> None:
    a, _ = song(music / "a.flac", seed=1), song(music / "b.flac", seed=2)
    go()
    a.unlink()
    assert listed(index) == ["a.flac", "b.flac"]  # nobody has looked yet
    go()
    assert listed(index) == ["b.flac"]
    assert listed(index, gone=True) == ["a.flac", "b.flac"]
    assert len(list(index.changes(path=a))) == 1  # undo may still want to know


def test_a_file_that_comes_back_is_listed_again(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index, tmp_path: Path
) -> None:
    a, _ = song(music / "a.flac", seed=1), song(music / "b.flac", seed=2)
    go()
    a.rename(tmp_path / "elsewhere.flac")
    go()
    (tmp_path / "elsewhere.flac").rename(a)
    assert outcomes(go()) == {"a.flac": "fresh", "b.flac": "fresh"}
    assert listed(index) == ["a.flac", "b.flac"]


def test_a_scan_of_one_folder_says_nothing_of_another(go: Go, music: Path, song: Song, index: Index) -> None:
    a = song(music / "x" / "a.flac", seed=1)
    song(music / "y" / "b.flac", seed=2)
    go()
    a.unlink()
    go([music / "y"])
    assert listed(index) == ["a.flac", "b.flac"]


def test_a_drive_that_is_away_is_not_gone(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mount point is there, empty or not, but no drive begins at it."""
    song(music / "nas" / "album" / "a.flac", seed=1)
    song(music / "b.flac", seed=2)
    mounted = {str(music / "nas")}
    monkeypatch.setattr(comparing, "is_mount", lambda folder: folder in mounted)

    def find_audio(roots: Any) -> walk.Library:
        found = walk.find_audio(roots)
        found.mounts |= mounted
        return found

    monkeypatch.setattr("mgtag.library.scan.find_audio", find_audio)
    go()
    shutil.rmtree(music / "nas" / "album")
    mounted.clear()
    go()
    assert listed(index) == ["b.flac", "a.flac"]
    mounted.add(str(music / "nas"))
    go()
    assert listed(index) == ["b.flac"]


def test_an_empty_root_is_a_drive_that_is_away(go: Go, music: Path, song: Song, index: Index) -> None:
    song(music / "a.flac").rename(music / "b.flac")
    go()
    (music / "b.flac").unlink()
    go()
    assert listed(index) == ["b.flac"]


def test_a_folder_that_cannot_be_read_is_not_gone(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "shut" / "a.flac", seed=1), song(music / "b.flac", seed=2)
    go()
    real = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    go()
    assert listed(index) == ["b.flac", "a.flac"]


def test_the_walk_finds_where_another_drive_begins(tmp_path: Path) -> None:
    from mgtag.library.walk import find_audio

    if not os.path.ismount("/proc") or not os.path.ismount("/dev/shm"):
        pytest.skip("no other drive is mounted here")
    assert "/dev/shm" in find_audio([Path("/dev/shm")]).mounts


def test_list_of_what_never_was_is_a_mistake(index: Index, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        matching(index, Filter(folders=(tmp_path / "nope",)))
    assert list(matching(index, Filter(folders=(tmp_path,)))) == []


# Moved


def test_a_root_that_moved_is_re_based_without_hearing_or_hashing(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        song(music / f"album {n}" / "01.flac", seed=n)
    go()
    music.rename(there := music.with_name("elsewhere"))
    monkeypatch.setattr("mgtag.identity.is_known", lambda path, _: pytest.fail(f"{path} was hashed"))
    assert set(outcomes(go([there])).values()) == {"fresh"}
    assert tagger.asked == []
    assert {track.path.parent.parent for track in index.tracks()} == {there}
    assert {change.path.parent.parent for change in index.changes()} == {music}  # undo looks by content


def test_two_that_might_be_one_are_told_by_their_sound(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    """One size, one date, one name, in two folders, both of which were renamed."""
    for n in (1, 2):
        path = song(music / f"album {n}" / "01.wav", seed=n)
        tagger.says["01.wav"] = ("jazz" if n == 1 else "blues", 0.5)
        os.utime(path, ns=(10**9, 10**9))
        go()
    for n in (1, 2):
        (music / f"album {n}").rename(music / f"z{3 - n}")
    go()
    assert tagger.asked == []
    found = {track.path.parent.name: track.heard for track in index.tracks()}
    assert found == {"z2": "Jazz", "z1": "Blues"}


def test_the_copy_on_another_drive_is_no_move_while_the_first_is_away(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "nas" / "a.flac")
    monkeypatch.setattr(comparing, "is_mount", lambda folder: False)
    go(dry_run=True)
    index.set_mounts([str(music / "nas")])
    (music / "copy").mkdir()
    path.rename(music / "copy" / "a.flac")
    go([music / "copy"], dry_run=True)
    assert tagger.asked == ["a.flac"]
    assert len(listed(index)) == 2


# Spelt otherwise


@pytest.fixture
def one_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the disk take all spellings of a name for one, as those of macOS and Windows do."""

    def real(text: str) -> Path | None:
        path = Path(from_text(text))
        if not path.parent.is_dir():
            return None
        wanted = normalize("NFC", path.name).casefold()
        return next((p for p in path.parent.iterdir() if normalize("NFC", p.name).casefold() == wanted), None)

    monkeypatch.setattr(comparing, "_exists", lambda text: real(text) is not None)
    monkeypatch.setattr(comparing, "_is_same_file", lambda a, b: real(a) is not None and real(a) == real(b))


SPELLINGS = [
    ("Ünï.flac", normalize("NFD", "Ünï.flac")),
    (normalize("NFD", "Ünï.flac"), "Ünï.flac"),
    ("a.flac", "A.flac"),
]


@pytest.mark.parametrize("changed", [False, True], ids=["same", "changed"])
@pytest.mark.parametrize(("before", "after"), SPELLINGS, ids=["NFC to NFD", "NFD to NFC", "case"])
def test_another_spelling_makes_no_second_track(
    go: Go,
    music: Path,
    song: Song,
    index: Index,
    tagger: FakeTagger,
    one_spelling: None,
    before: str,
    after: str,
    changed: bool,
) -> None:
    path = song(music / before)
    go()
    path.rename(there := music / after)
    if changed:
        song(there, 0.7)
    go()
    assert [track.path.name for track in index.tracks(Filter(gone=True))] == [after]
    assert tagger.asked == ([after] if changed else [])


@pytest.mark.parametrize(("before", "after"), SPELLINGS, ids=["NFC to NFD", "NFD to NFC", "case"])
def test_where_spellings_are_told_apart_two_files_stay_two(
    go: Go, music: Path, song: Song, index: Index, before: str, after: str
) -> None:
    song(music / before, seed=1), song(music / after, seed=2)
    for _ in range(2):
        go()
    assert len(listed(index)) == 2


# Told anew


def test_after_a_dry_run_the_real_scan_says_what_is_so(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    tagger.says = {"vague.flac": ("jazz", 0.5)}
    song(music / "sure.flac", seed=1), song(music / "vague.flac", seed=2)
    file = FLAC(song(music / "own.flac", seed=3))
    file["genre"] = "Krautrock"
    file.save()
    go(dry_run=True)
    tagger.asked.clear()
    assert outcomes(go()) == {"sure.flac": "tagged", "vague.flac": "unsure", "own.flac": "kept"}
    assert tagger.asked == []
    assert set(outcomes(go()).values()) == {"fresh"}


def test_an_unchanged_file_costs_neither_arrays_nor_tags(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    song(music / "a.flac")
    go()
    for place in ("mgtag.tags.read", "mgtag.library.packing.unpack", "mgtag.library.decisions.decide"):
        monkeypatch.setattr(place, lambda *arguments: pytest.fail("was asked"))
    event = go()["a.flac"]
    assert (event.outcome, event.heard) == (Outcome.FRESH, "Blues")
    assert event.confidence == pytest.approx(0.9)


def test_a_row_that_is_damaged_is_heard_again(
    go: Go, music: Path, song: Song, tagger: FakeTagger, index: Index
) -> None:
    path = song(music / "a.flac")
    go()
    index._db.execute("UPDATE files SET tags = '{\"genre\": [', run = 0")
    track = index.track(path)
    assert track is not None
    assert (track.outcome, track.bundle) == (Outcome.FAILED, "")
    assert "damaged" in track.reason
    go()
    assert tagger.asked == ["a.flac"]
    assert index.track(path).genres == ("Blues",)  # type: ignore[union-attr]


def test_a_thousand_named_files_are_one_scan(go: Go, music: Path, song: Song, index: Index) -> None:
    """As `mgtag scan *.flac` names them; SQLite takes no 1,000 terms in one condition."""
    first = song(music / "0.flac")
    for n in range(1, 400):
        os.link(first, music / f"{n}.flac")  # one file to the walk, and 400 roots to the query
    go(sorted(music.iterdir()))
    assert listed(index, folders=tuple(music.iterdir())) == ["0.flac"]
