"""A change belongs to one file: undo finds that one, wherever it lies, and no other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from scanning import Go
from sounds import Song

from mgtag import tags
from mgtag.library.index import Index
from mgtag.library.undo import Refused, Undone, undo


def titled(path: Path, title: str) -> Path:
    from mutagen.flac import FLAC

    file = FLAC(path)
    file["title"] = title
    file.save()
    return path


def states(index: Index) -> list[str]:
    return [c.state for c in index.changes()]


@pytest.mark.parametrize("different", [False, True], ids=["same tags", "other tags"])
@pytest.mark.parametrize("moved", ["album", "compilation"])
def test_of_two_files_with_one_sound_each_is_put_back(
    go: Go, music: Path, song: Song, index: Index, different: bool, moved: str
) -> None:
    """On the album and on a compilation; one is moved, and the library scanned again."""
    files = {name: song(music / name / "a.flac") for name in ("album", "compilation")}
    if different:
        titled(files["compilation"], "the same song")
    before = {name: path.read_bytes() for name, path in files.items()}
    go()
    (music / "elsewhere").mkdir()
    files[moved] = files[moved].rename(music / "elsewhere" / "b.flac")
    go()
    events = list(undo(index))
    assert {e.path for e in events} == set(files.values())
    assert all(isinstance(e, Undone) for e in events)
    assert {name: path.read_bytes() for name, path in files.items()} == before
    assert states(index) == ["undone", "undone"]


def test_a_twin_is_not_put_back_in_place_of_one_that_is_gone(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    """A drive that is unplugged must find its way back in the journal later."""
    here, away = song(music / "here.flac"), song(music / "drive" / "away.flac")
    original = here.read_bytes()
    go()
    (music / "drive").rename(music.parent / "unplugged")
    found = {e.path: e for e in undo(index)}
    assert isinstance(found[here], Undone)
    assert isinstance(found[away], Refused)
    (music.parent / "unplugged").rename(music / "drive")
    assert [(type(e), e.path) for e in undo(index)] == [(Undone, away)]
    assert here.read_bytes() == away.read_bytes() == original


def test_an_untagged_twin_is_no_proof_that_a_change_is_undone(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    tagged = song(music / "a.flac")
    twin = song(music / "twin.flac")
    twin.chmod(0o444)
    go()
    tagged.rename(music.parent / "away.flac")
    (event,) = undo(index)
    assert isinstance(event, Refused)
    assert states(index) == ["done"]


@pytest.mark.parametrize("rescan", [False, True])
def test_a_rename_followed_by_another_file_at_the_old_name(
    go: Go, music: Path, song: Song, index: Index, rescan: bool
) -> None:
    path = song(music / "a.flac", seed=1)
    original = path.read_bytes()
    go()
    there = path.rename(music / "b.flac")
    other = song(path, seed=2).read_bytes()
    if rescan:
        go(dry_run=True)
    (event,) = undo(index)
    assert (type(event), event.path) == (Undone, there)
    assert there.read_bytes() == original
    assert path.read_bytes() == other


@pytest.mark.parametrize("seeds", [(1, 2), (1, 1)], ids=["two sounds", "one sound"])
@pytest.mark.parametrize("rescan", [False, True])
def test_two_names_swapped(
    go: Go, music: Path, song: Song, index: Index, rescan: bool, seeds: tuple[int, int]
) -> None:
    a = titled(song(music / "one" / "a.flac", seed=seeds[0]), "A")
    b = titled(song(music / "two" / "b.flac", seed=seeds[1]), "B")
    before = a.read_bytes(), b.read_bytes()
    go()
    a.rename(music / "swap"), b.rename(a), (music / "swap").rename(b)
    if rescan:
        go()
    assert [type(e) for e in undo(index)] == [Undone, Undone]
    assert (b.read_bytes(), a.read_bytes()) == before


def test_an_original_copied_back_does_not_hide_the_tagged_file(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    there = path.rename(music / "b.flac")
    path.write_bytes(original)
    (event,) = undo(index)
    assert (type(event), event.path) == (Undone, there)
    assert there.read_bytes() == original


def test_an_undo_killed_at_a_moved_file_is_noted_at_the_next(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    original = path.read_bytes()
    go()
    (music / "new").mkdir()
    there = path.rename(music / "new" / "b.flac")
    go()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Index, "end_change", die)
        with pytest.raises(KeyboardInterrupt):
            list(undo(index))
    assert there.read_bytes() == original
    assert [(type(e), e.path) for e in undo(index)] == [(Undone, there)]
    assert states(index) == ["undone"]


def test_a_copy_of_a_tagged_file_does_not_take_its_place(
    go: Go, music: Path, song: Song, index: Index
) -> None:
    path = song(music / "b.flac")
    original = path.read_bytes()
    go()
    copy = shutil.copy2(path, music / "a.flac")
    assert [e.path for e in undo(index)] == [path]
    assert path.read_bytes() == original
    assert tags.read(copy).genres == ("Blues",)


def test_a_file_that_cannot_be_read_is_told(
    go: Go, music: Path, song: Song, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = song(music / "a.flac")
    go()

    def broken(target: Path) -> str:
        raise OSError(5, "Input/output error", os.fspath(target))

    with monkeypatch.context() as patch:
        patch.setattr("mgtag.tags.digest", broken)
        (event,) = undo(index)
    assert isinstance(event, Refused)
    assert "Input/output error" in event.error
    assert states(index) == ["done"]
    assert [e.path for e in undo(index)] == [path]
