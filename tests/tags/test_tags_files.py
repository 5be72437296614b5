"""A tagged file is still the same file: mode, owner, attributes, links; and its copy has a name of ours."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sounds
from tagging import is_alone, provenance, restored

from mgtag import identity, tags
from mgtag.errors import TagError

GENRES = ("Rock", "Pop")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return sounds.make(tmp_path / "song.flac", 0.5, tags={"title": "t", "genre": "Other"})


@pytest.fixture
def song_of_nobody() -> Iterator[Path]:
    """Make a song in a folder of a user who is not root, and who is the one to run the test."""
    with tempfile.TemporaryDirectory() as name:
        path = sounds.make(Path(name) / "song.flac", 0.5)
        if os.getuid() != 0:
            yield path
            return
        for mine in (Path(name), path):
            os.chown(mine, 65534, 65534)
        os.setegid(65534)
        os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(0)
            os.setegid(0)


def draft(path: Path, *, hard_links: bool = False) -> tags.Draft:
    return tags.draft(path, provenance(*GENRES), identity.signature, hard_links=hard_links)


def test_mode_owner_and_extended_attributes_stay(song: Path) -> None:
    song.chmod(0o640)
    if os.getuid() == 0:
        os.chown(song, 1234, 4321)
    try:
        os.setxattr(song, "user.rating", b"5 stars")
        attributes = {"user.rating": b"5 stars"}
    except OSError:  # not every file system has them
        attributes = {}
    before = song.stat()
    was = draft(song)
    for step in (was.commit, lambda: restored(song, was, before.st_mtime_ns)):
        step()
        now = song.stat()
        assert stat.S_IMODE(now.st_mode) == 0o640
        assert (now.st_uid, now.st_gid) == (before.st_uid, before.st_gid)
        assert {name: os.getxattr(song, name) for name in os.listxattr(song)} == attributes
    assert song.stat().st_mtime_ns == before.st_mtime_ns


def test_nobody_else_can_read_the_copy_of_a_private_file(song: Path) -> None:
    song.chmod(0o600)
    modes = set()

    def payload(path: Path) -> str:
        modes.add(stat.S_IMODE(path.stat().st_mode))
        return identity.signature(path)

    tags.draft(song, provenance(*GENRES), payload).discard()
    assert modes == {0o600}


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@pytest.fixture
def song_of_the_group(tmp_path: Path) -> Iterator[Path]:
    """Make a song that belongs to somebody else, and that the group of who runs the test may write."""
    with tempfile.TemporaryDirectory() as name:
        path = sounds.make(Path(name) / "song.flac", 0.5)
        for mine, mode in ((Path(name), 0o770), (path, 0o660)):
            os.chown(mine, 1234, 4321)
            mine.chmod(mode)
        groups = os.getgroups()
        os.setgroups([4321])
        os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(0)
            os.setgroups(groups)


@needs_root
@pytest.mark.parametrize("mode", [0o660, 0o4770, 0o2770])
def test_file_that_would_change_its_owner_is_left_alone(song_of_the_group: Path, mode: int) -> None:
    os.seteuid(0)
    song_of_the_group.chmod(mode)
    os.seteuid(65534)
    before, status = song_of_the_group.read_bytes(), song_of_the_group.stat()
    with pytest.raises(TagError, match=r"song\.flac: .* belong to you .*\.$"):
        draft(song_of_the_group)
    assert is_alone(song_of_the_group)
    assert (song_of_the_group.read_bytes(), song_of_the_group.stat()) == (before, status)


@needs_root
def test_owner_may_tag_a_file_of_a_group_that_he_is_no_member_of(song_of_nobody: Path) -> None:
    os.seteuid(0)
    os.chown(song_of_nobody, 65534, 4321)
    os.seteuid(65534)
    with pytest.raises(TagError, match="group"):
        draft(song_of_nobody)
    assert is_alone(song_of_nobody)


@needs_root
def test_root_keeps_owner_setuid_access_list_and_capabilities(song: Path) -> None:
    os.chown(song, 1234, 4321)
    song.chmod(0o4755)
    attributes = {
        "system.posix_acl_access": bytes.fromhex(
            "0200000001000700ffffffff02000600d204000004000500ffffffff10000700ffffffff20000500ffffffff"
        ),
        "security.capability": bytes.fromhex("0100000200040000000000000000000000000000"),
    }
    for name, value in list(attributes.items()):
        try:
            os.setxattr(song, name, value)
        except OSError:  # not every file system has them
            del attributes[name]
    before = song.stat()
    draft(song).commit()
    now = song.stat()
    assert (now.st_uid, now.st_gid, now.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert {name: os.getxattr(song, name) for name in attributes} == attributes


def test_access_list_that_the_folder_gives_to_new_files_is_not_added(song: Path) -> None:
    default = bytes.fromhex(
        "0200000001000700ffffffff02000600d204000004000500ffffffff10000700ffffffff20000500ffffffff"
    )
    try:
        os.setxattr(song.parent, "system.posix_acl_default", default)
    except OSError:
        pytest.skip("this file system has no access lists")
    song.chmod(0o640)
    draft(song).commit()
    assert "system.posix_acl_access" not in os.listxattr(song)
    assert stat.S_IMODE(song.stat().st_mode) == 0o640


def test_attribute_that_cannot_be_carried_over_is_refused(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        os.setxattr(song, "user.rating", b"5 stars")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    monkeypatch.setattr("shutil._copyxattr", lambda *_, **__: None)
    with pytest.raises(TagError, match="extended attributes cannot be kept"):
        draft(song)
    assert is_alone(song)


def test_link_stays_a_link(song: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    target = song.rename(folder / "target.flac")
    song.symlink_to(target)
    was = draft(song)
    assert was.path == target
    assert was.temporary.parent == folder
    was.commit()
    assert song.is_symlink()
    assert tags.read(target).genres == GENRES
    restored(song, was)
    assert song.is_symlink()
    assert tags.read(target).genres == ("Other",)


def test_hard_link_is_left_alone_unless_asked(song: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.flac"
    os.link(song, other)
    before = song.read_bytes()
    with pytest.raises(TagError, match="2 names"):
        draft(song)
    draft(song, hard_links=True).commit()
    assert tags.read(song).genres == GENRES
    assert other.read_bytes() == before


def test_read_only_file_is_left_alone(song: Path) -> None:
    song.chmod(0o444)
    with pytest.raises(TagError, match="read-only"):
        draft(song)
    assert is_alone(song)


def test_read_only_folder(song_of_nobody: Path) -> None:
    song_of_nobody.parent.chmod(0o555)
    with pytest.raises(TagError, match=r"song\.flac: .* folder do not allow it\.$"):
        draft(song_of_nobody)
    assert is_alone(song_of_nobody)
    song_of_nobody.parent.chmod(0o755)
    pending = draft(song_of_nobody)
    song_of_nobody.parent.chmod(0o555)
    before = song_of_nobody.read_bytes()
    with pytest.raises(TagError, match=r"song\.flac: .* folder do not allow it\.$"):
        pending.commit()
    song_of_nobody.parent.chmod(0o755)
    assert song_of_nobody.read_bytes() == before


@pytest.mark.parametrize(("mode", "work"), [(0o000, tags.read), (0o000, draft), (0o466, draft)])
def test_file_of_others(song_of_nobody: Path, mode: int, work: Callable[[Path], object]) -> None:
    song_of_nobody.chmod(mode)
    with pytest.raises(TagError, match=r"song\.flac: it .*\.$"):
        work(song_of_nobody)
    assert is_alone(song_of_nobody)


@pytest.mark.parametrize(
    ("name", "leftover"),
    [
        (".mgtag-0123456789abcdef.tmp.flac", True),
        (".mgtag-0123456789abcdef.tmp", True),
        ("/a/b/.mgtag-0123456789abcdef.tmp.mp3", True),
        (".mgtag-0123456789abcde.tmp", False),
        (".mgtag-0123456789abcdeg.tmp", False),
        ("mgtag-0123456789abcdef.tmp", False),
        (".mgtag-0123456789abcdef.tmp.mp3.flac", False),
        (".mgtag-0123456789abcdef.tmp\n", False),
        (".mgtag.toml", False),
    ],
)
def test_leftovers_are_told_by_name(name: str, leftover: bool) -> None:
    assert tags.is_leftover(name) is leftover
    assert tags.is_leftover(Path(name)) is leftover


@pytest.mark.parametrize("name", ["song.flac", "noextension", "a." + "x" * 240, "a.ümp3", "." * 3 + "x"])
def test_every_copy_is_known_as_a_leftover(song: Path, name: str) -> None:
    path = song.rename(song.with_name(name))
    pending = draft(path)
    assert tags.is_leftover(pending.temporary)
    assert len(os.fsencode(pending.temporary.name)) <= 255
    pending.discard()
