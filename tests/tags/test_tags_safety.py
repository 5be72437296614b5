"""Whatever goes wrong, the listener has the old file or the new one, and nothing lies about."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sounds
from tagging import is_alone

from mgtag import identity, tags
from mgtag.errors import MgtagError, TagError
from mgtag.tags import drafting, patch, vorbis
from mgtag.tags.vorbis import Flac

GENRES = ("Rock", "Pop")
PROVENANCE = {"genre": tags.Provenance((), GENRES, "bundle-1", 0.5)}


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return sounds.make(tmp_path / "song.flac", 0.5, tags={"title": "t", "genre": "Other"})


def draft(path: Path, **options: bool) -> tags.Draft:
    return tags.draft(path, PROVENANCE, identity.signature, **options)


def undo(path: Path, was: tags.Draft, mtime_ns: int = 0) -> None:
    tags.draft_undo(path, was.patch, was.before, was.after, identity.signature, mtime_ns).commit()


def fail(error: BaseException) -> Callable[..., object]:
    def failing(*_: object, **__: object) -> object:
        raise error

    return failing


STEPS = {
    "open a copy": (drafting, "new_copy"),
    "copy": (drafting, "hash_and_copy"),
    "write tags": (Flac, "write"),
    "read them back": (drafting, "tags_of"),
    "make the patch": (patch, "make"),
    "prove the patch": (patch, "apply"),
    "carry over": (drafting, "carry_over"),
    "times": (os, "utime"),
    "attributes": (shutil, "copystat"),
    "flush": (os, "fsync"),
    "replace": (os, "replace"),
}
ERRORS = {
    "Ctrl-C": KeyboardInterrupt(),
    "full": OSError(errno.ENOSPC, "No space left on device"),
    "read-only": OSError(errno.EROFS, "Read-only file system"),
    "bug": ValueError("anything"),
    "memory": MemoryError(),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("step", STEPS)
def test_failure_at_any_step_leaves_the_file_alone(
    song: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: str
) -> None:
    before, status = song.read_bytes(), song.stat()
    happens = ERRORS[error]
    monkeypatch.setattr(*STEPS[step], fail(happens))
    with pytest.raises(KeyboardInterrupt if error == "Ctrl-C" else TagError) as raised:
        draft(song).commit()
    monkeypatch.undo()
    if error == "full":
        assert "the disk is full" in str(raised.value)
    if error != "Ctrl-C":
        assert str(song) in str(raised.value)
        assert ".mgtag-" not in str(raised.value)
    assert song.read_bytes() == before
    assert song.stat().st_mtime_ns == status.st_mtime_ns
    assert is_alone(song)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("write tags", "read them back")])
def test_failure_during_undo_leaves_the_tagged_file(
    song: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    was = draft(song)
    was.commit()
    tagged = song.read_bytes()
    monkeypatch.setattr(*STEPS[step], fail(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(TagError, match="the disk is full"):
        undo(song, was)
    monkeypatch.undo()
    assert song.read_bytes() == tagged
    assert is_alone(song)


def test_disk_that_fills_up_inside_mutagen_is_named(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mutagen.flac.resize_bytes", fail(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(TagError, match="the disk is full"):
        draft(song)
    assert is_alone(song)


def test_really_full_disk(song: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = song.read_bytes()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(TagError, match=r"song\.flac: .*\.$"):
            draft(song)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert song.read_bytes() == before
    assert is_alone(song)


def test_write_that_changes_the_sound_is_refused(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Flac.write

    def clumsy(self: Flac, file: object, *args: object) -> None:
        real(self, file, *args)  # type: ignore[arg-type]
        file.seek(-100, os.SEEK_END)  # type: ignore[attr-defined]
        file.write(b"\0" * 50)  # type: ignore[attr-defined]

    before = song.read_bytes()
    monkeypatch.setattr(Flac, "write", clumsy)
    with pytest.raises(TagError, match="sound"):
        draft(song)
    assert song.read_bytes() == before
    assert is_alone(song)


def test_write_that_loses_another_tag_is_refused(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = vorbis._edited
    monkeypatch.setattr(vorbis, "_edited", lambda _, *edits: real(vorbis.Comments(), *edits))
    with pytest.raises(TagError, match="other tags"):
        draft(song)
    assert is_alone(song)


def test_write_that_did_not_take_is_refused(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flac, "write", lambda *_: None)
    with pytest.raises(TagError, match="do not take"):
        draft(song)
    assert is_alone(song)


def test_patch_that_does_not_restore_is_refused(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = patch.make
    monkeypatch.setattr(patch, "make", lambda old, new: real(new, new))
    with pytest.raises(TagError, match="undone"):
        draft(song)
    assert is_alone(song)


def change_content(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def change_time(path: Path) -> None:
    os.utime(path, ns=(0, 1))


def change_inode(path: Path) -> None:
    status = path.stat()
    shutil.copy2(path, path.with_name("other"))
    path.with_name("other").replace(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def change_behind_the_clock(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "change", [change_content, change_time, change_inode, change_behind_the_clock, Path.unlink]
)
def test_change_between_draft_and_commit_is_refused(song: Path, change: Callable[[Path], None]) -> None:
    pending = draft(song)
    change(song)
    now = song.read_bytes() if song.exists() else None
    with pytest.raises(TagError, match=r"song\.flac: "):
        pending.commit()
    assert (song.read_bytes() if song.exists() else None) == now
    assert not [child for child in song.parent.iterdir() if tags.is_leftover(child)]


def test_change_while_drafting_is_refused(song: Path) -> None:
    def slow(path: Path) -> str:
        if tags.is_leftover(path):
            change_content(song)
        return ""

    with pytest.raises(TagError, match="meanwhile"):
        tags.draft(song, PROVENANCE, slow)
    assert is_alone(song)


def test_undo_after_somebody_elses_change_is_refused(song: Path) -> None:
    was = draft(song)
    was.commit()
    change_content(song)
    changed = song.read_bytes()
    with pytest.raises(TagError, match="changed since"):
        undo(song, was)
    assert song.read_bytes() == changed
    assert is_alone(song)


def test_undo_with_a_damaged_record_is_refused(song: Path) -> None:
    was = draft(song)
    was.commit()
    tagged = song.read_bytes()
    for bad in (b"", was.patch[:-1], was.patch + b"x", was.patch[:40] + b"\xff" + was.patch[41:]):
        with pytest.raises(TagError):
            tags.draft_undo(song, bad, was.before, was.after, identity.signature, 0)
    with pytest.raises(TagError, match="record"):
        tags.draft_undo(song, was.patch, "0" * 64, was.after, identity.signature, 0)
    assert song.read_bytes() == tagged
    assert is_alone(song)


def test_discard_leaves_nothing(song: Path) -> None:
    before = song.read_bytes()
    pending = draft(song)
    assert not is_alone(song)
    pending.discard()
    pending.discard()
    assert is_alone(song)
    assert song.read_bytes() == before


def test_vanished_file_and_folder(song: Path, tmp_path: Path) -> None:
    with pytest.raises(TagError, match="not there any more"):
        draft(tmp_path / "gone.flac")
    with pytest.raises(TagError, match="not there any more"):
        tags.read(tmp_path / "gone.flac")
    for nothing in (tmp_path, Path(os.devnull)):
        with pytest.raises(MgtagError):
            draft(nothing)


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp3"
    os.mkfifo(pipe)
    refused = threading.Event()

    def try_it() -> None:
        with pytest.raises(MgtagError):
            draft(pipe)
        with pytest.raises(TagError, match="no regular file"):
            tags.read(pipe)
        refused.set()

    threading.Thread(target=try_it, daemon=True).start()
    assert refused.wait(5)
