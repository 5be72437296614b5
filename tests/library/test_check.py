"""Every difference between index, journal and files is named, and mended where the files decide."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from scanning import Go
from sounds import Song

from mgtag import tags
from mgtag.library.check import Checked, Difference, check
from mgtag.library.index import Index
from mgtag.library.undo import Undone, undo


@pytest.fixture
def paths(go: Go, music: Path, song: Song) -> list[Path]:
    """Three songs that were tagged."""
    found = [song(music / f"{n}.flac", seed=n) for n in range(3)]
    go()
    return found


def differences(index: Index, mend: bool = False) -> list[tuple[str, str]]:
    *found, last = check(index, mend)
    assert isinstance(last, Checked)
    for difference in found:
        assert isinstance(difference, Difference)
        assert difference.mended == (mend and difference.mend is not None)
    return [(d.path.name, d.what) for d in found]


def only(index: Index, name: str, words: str, mendable: bool) -> None:
    """Exactly this difference is found; mending ends it, if it can be mended, and changes no file."""
    ((found, what),) = differences(index)
    assert found == name
    assert words in what
    assert (differences(index, mend=True) != []) is True
    assert (differences(index) == []) is mendable


def test_a_library_as_it_should_be_has_none(paths: list[Path], index: Index) -> None:
    assert list(check(index)) == [Checked(files=3, changes=3)]


def test_unread_files_are_not_read_in_full(
    paths: list[Path], index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "digest", lambda path: pytest.fail(f"{path} was read"))
    assert differences(index) == []


def test_an_undone_run_is_none(paths: list[Path], index: Index) -> None:
    list(undo(index))
    assert list(check(index)) == [Checked(files=3, changes=3)]


def test_a_moved_file_is_none(paths: list[Path], index: Index, go: Go, music: Path) -> None:
    (music / "new").mkdir()
    paths[0].rename(music / "new" / "moved.flac")
    go()
    assert differences(index) == []


def test_a_file_that_is_gone(paths: list[Path], index: Index) -> None:
    paths[0].unlink()
    found = differences(index)
    assert [name for name, _ in found] == ["0.flac", "0.flac"]  # by the index, and by the journal
    differences(index, mend=True)
    assert differences(index) == [("0.flac", "the file that run 1 tagged is not there.")]


def test_a_drive_that_is_away_is_not_gone(paths: list[Path], index: Index, music: Path) -> None:
    music.rename(music.parent / "away")
    before = {name for name, what in differences(index, mend=True) if "is a drive away" in what}
    assert before == {"0.flac", "1.flac", "2.flac"}
    (music.parent / "away").rename(music)
    assert differences(index) == []


def test_tags_edited_with_the_same_size_and_date(paths: list[Path], index: Index, music: Path) -> None:
    from mutagen.flac import FLAC

    status = paths[0].stat()
    file = FLAC(paths[0])
    file["genre"] = "Metal"
    file.save(padding=lambda info: info.padding)
    os.utime(paths[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    now = paths[0].read_bytes()
    assert ("0.flac", "the index says Blues, and the file says Metal.") in differences(index)
    differences(index, mend=True)
    assert differences(index) == [
        ("0.flac", "it was changed since run 1 tagged it; undo would leave it alone.")
    ]
    track = index.track(paths[0])
    assert track is not None
    assert (track.genres, track.written["genre"]) == (("Metal",), ())
    assert paths[0].read_bytes() == now


def test_a_file_that_changed_since(paths: list[Path], index: Index) -> None:
    os.utime(paths[0], ns=(1, 1))
    only(index, "0.flac", "changed since the last scan", mendable=False)


def test_a_change_that_was_put_back_by_hand(paths: list[Path], index: Index, song: Song, music: Path) -> None:
    song(paths[1], seed=1)
    found = differences(index)
    assert ("1.flac", "run 1 is noted to have tagged it, but it is as it was before.") in found
    differences(index, mend=True)
    assert [name for name, what in differences(index) if "noted" in what] == []
    assert len(list(undo(index))) == 2


def test_a_change_noted_as_undone_that_still_stands(paths: list[Path], index: Index, song: Song) -> None:
    """As an earlier version noted it, of two files with one sound."""
    original = song(paths[2].parent / "again.flac", seed=2).read_bytes()
    (change,) = index.changes(path=paths[2])
    index.end_change(change.id, "undone")
    track = index.track(paths[2])
    assert track is not None
    only(index, "2.flac", "noted as undone here, but what it wrote still stands", mendable=True)
    events = {e.path: e for e in undo(index)}
    assert isinstance(events[paths[2]], Undone)
    assert paths[2].read_bytes() == original


def test_a_change_that_a_killed_run_left(paths: list[Path], index: Index) -> None:
    (change,) = index.changes(path=paths[0])
    index.end_change(change.id, "pending")
    only(index, "0.flac", "killed while it wrote", mendable=True)
    assert {c.state for c in index.changes()} == {"done"}


def test_a_copy_that_a_killed_run_left(paths: list[Path], index: Index, music: Path) -> None:
    copy = music / ".mgtag-0123456789abcdef.tmp.flac"
    copy.write_bytes(b"half a song")
    ((name, what),) = differences(index)
    assert (name, "left this copy" in what) == (copy.name, True)
    assert copy.exists()
    differences(index, mend=True)
    assert not copy.exists()


def test_tags_that_cannot_be_read(paths: list[Path], index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    from mgtag.errors import TagError

    def broken(path: Path) -> Any:
        raise TagError(f"{path}: its tags are damaged.")

    monkeypatch.setattr(tags, "read", broken)
    assert [name for name, _ in differences(index)] == ["0.flac", "1.flac", "2.flac"]


def test_no_check_changes_a_file_or_index(paths: list[Path], index: Index, music: Path) -> None:
    paths[0].unlink()
    os.utime(paths[1], ns=(1, 1))
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in music.iterdir()}
    rows = list(index.tracks())
    differences(index)
    assert list(index.tracks()) == rows
    differences(index, mend=True)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in music.iterdir()} == before
