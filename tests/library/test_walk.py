"""Finding the music: every file once, and no way to walk in circles."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mgtag.errors import UsageError
from mgtag.library import walk
from mgtag.library.walk import find_audio

LEFTOVER = ".mgtag-0123456789abcdef.tmp.mp3"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(*roots: Path) -> list[str]:
    return [track.name for track in find_audio(roots).tracks]


def test_every_kind_of_music_is_found_and_nothing_else(tmp_path: Path) -> None:
    music = [
        "a.mp3",
        "b.FLAC",
        "c.m4a",
        "d.Ogg",
        "e.opus",
        "f.wma",
        "g.wav",
        "h.aiff",
        "i.ape",
        "j.wv",
        "k.oga",
    ]
    for name in [*music, "cover.jpg", "list.m3u", "notes.txt", "mp3", "x.mp3.part", "film.mp4"]:
        touch(tmp_path / name)
    assert names(tmp_path) == music


def test_a_named_file_is_taken_whatever_its_extension(tmp_path: Path) -> None:
    assert names(touch(tmp_path / "sound.xyz")) == ["sound.xyz"]


def test_the_order_is_stable(tmp_path: Path) -> None:
    for name in ("b/2.mp3", "a/9.mp3", "c.mp3", "a/10.mp3"):
        touch(tmp_path / name)
    found = [str(p.relative_to(tmp_path)) for p in find_audio([tmp_path]).tracks]
    assert found == ["a/10.mp3", "a/9.mp3", "b/2.mp3", "c.mp3"]


def test_roots_come_in_the_order_given(tmp_path: Path) -> None:
    touch(tmp_path / "b/1.mp3"), touch(tmp_path / "a/2.mp3")
    assert names(tmp_path / "b", tmp_path / "a") == ["1.mp3", "2.mp3"]


def test_paths_are_absolute_and_keep_their_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "real/a.mp3")
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert find_audio([Path("link")]).tracks == (tmp_path / "link/a.mp3",)


def test_a_file_is_found_once_however_often_it_is_named(tmp_path: Path) -> None:
    a = touch(tmp_path / "x/a.mp3")
    (tmp_path / "x/b.mp3").symlink_to("a.mp3")
    os.link(a, tmp_path / "x/c.mp3")
    assert names(tmp_path, tmp_path / "x", a) == ["a.mp3"]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    """Complaint deadbeef#3186: linked folders that are passed over."""
    touch(tmp_path / "disk/album/a.mp3")
    (tmp_path / "music").mkdir()
    (tmp_path / "music/album").symlink_to(tmp_path / "disk/album")
    assert find_audio([tmp_path / "music"]).tracks == (tmp_path / "music/album/a.mp3",)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path / "a/1.mp3")
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "a/self").symlink_to("self")
    (tmp_path / "b").symlink_to("a")
    found = find_audio([tmp_path])
    assert [p.name for p in found.tracks] == ["1.mp3"]


@pytest.mark.parametrize("name", [".hidden.mp3", "._a.mp3", ".Trash/a.mp3", ".git/x/a.mp3"])
def test_hidden_things_are_passed_over(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)
    assert names(tmp_path) == []


def test_a_hidden_root_is_walked_when_named(tmp_path: Path) -> None:
    touch(tmp_path / ".music/a.mp3")
    assert names(tmp_path / ".music") == ["a.mp3"]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.mp3"))
        found = find_audio([tmp_path])
    assert (found.tracks, found.problems) == ((), [])


def test_a_named_fifo_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    ((path, error),) = find_audio([tmp_path / "pipe.mp3"]).problems
    assert path.name == "pipe.mp3"
    assert "neither" in str(error)


def test_a_dangling_link_to_music_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone.mp3").symlink_to("nowhere")
    ((path, error),) = find_audio([tmp_path]).problems
    assert path.name == "gone.mp3"
    assert isinstance(error, FileNotFoundError)


def test_a_dangling_link_to_something_else_is_nobodys_business(tmp_path: Path) -> None:
    """Emacs locks files so, and an exit code of 3 would say that music failed."""
    (tmp_path / "cover.jpg").symlink_to("nowhere")
    assert find_audio([tmp_path]).problems == []


def test_an_unreadable_folder_is_told_and_the_rest_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a/1.mp3"), touch(tmp_path / "locked/2.mp3"), touch(tmp_path / "z/3.mp3")
    real = os.scandir

    def refuse(path: Path) -> object:  # root may read everything, so chmod would not do
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(walk.os, "scandir", refuse)
    found = find_audio([tmp_path])
    assert [p.name for p in found.tracks] == ["1.mp3", "3.mp3"]
    assert [(p.name, type(e)) for p, e in found.problems] == [("locked", PermissionError)]


def test_a_missing_root_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        find_audio([tmp_path / "nowhere"])


def test_leftovers_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path / "a/1.mp3"), touch(tmp_path / "a" / LEFTOVER)
    found = find_audio([tmp_path])
    assert [p.name for p in found.leftovers] == [LEFTOVER]
    assert [p.name for p in found.tracks] == ["1.mp3"]


def test_names_may_hold_any_bytes(tmp_path: Path) -> None:
    raw = [b"\xff\xfe.mp3", b"a\nb.mp3", b"-rf.mp3", b" .mp3", b"x" * 251 + b".mp3", "Ünï\u0301.mp3".encode()]
    for name in raw:
        touch(tmp_path / os.fsdecode(name))
    assert sorted(os.fsencode(name) for name in names(tmp_path)) == sorted(raw)


def test_folders_may_be_nested_deeper_than_python_recurses(tmp_path: Path) -> None:
    depth = 1200
    handle = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(os.open("a.mp3", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    try:
        assert names(tmp_path) == ["a.mp3"]
    finally:  # shutil.rmtree recurses too
        os.system(f"rm -rf '{tmp_path}/d'")
