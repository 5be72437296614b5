"""The walk that begins before a command's arguments are read finds what a later one would."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mgtag.library import early_walk
from mgtag.library.walk import find_audio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is begun early here")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder with songs, a leftover and a link that leads nowhere."""
    folder = tmp_path / "music"
    for name in ("b/2.mp3", "a/1.flac", "a/ä\udcff.ogg", "a/cover.jpg", "a/.mgtag-0123456789abcdef.tmp.mp3"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "gone.mp3").symlink_to("nowhere.mp3")
    return folder


def test_it_finds_what_a_walk_finds_and_tells_it_once(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.db"
    index.touch()
    monkeypatch.chdir(tmp_path)
    early_walk.begin(["--index", str(index), "./music/"])
    early, late = early_walk.found([music]), find_audio([music])
    assert early is not None and len(early.files) == 3
    assert (early.roots, early.files, early.leftovers, early.mounts) == (
        late.roots,
        late.files,
        late.leftovers,
        late.mounts,
    )
    assert [(path, repr(error)) for path, error in early.problems] == [
        (path, repr(error)) for path, error in late.problems
    ]
    assert early_walk.found([music]) is None


def test_which_of_two_folders_is_meant_is_not_guessed(music: Path) -> None:
    early_walk.begin([str(music), str(music.parent)])
    assert early_walk.found([music]) is None


def test_a_walk_of_other_folders_is_not_taken(music: Path) -> None:
    early_walk.begin([str(music)])
    assert early_walk.found([music / "a"]) is None
    assert early_walk.found([music, music / "a"]) is None
    assert early_walk.found([music]) is not None


def test_one_that_was_killed_is_as_good_as_none(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_walk, "_walk", lambda *pipes: sys.exit(1))
    early_walk.begin([str(music)])
    assert early_walk.found([music]) is None
