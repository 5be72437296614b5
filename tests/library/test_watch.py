"""Watching folders: what arrives is tagged once it is still, whatever happens to the folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from running import MGTAG
from sounds import Song

from mgtag import tags
from mgtag.bundle import Bundle
from mgtag.errors import UsageError
from mgtag.library.events import Event, Failed, Found
from mgtag.library.watch import watch

PATIENCE_S = 60.0


def eventually(condition: Callable[[], object]) -> bool:
    """Wait for what must happen, with patience for a busy machine."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Watching:
    """A watch in a thread of its own, whose scans only note what they are asked."""

    def __init__(self, *roots: Path, **options: Any) -> None:
        self.asked: list[str] = []
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(roots, options))

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def scan(self, paths: Sequence[Path]) -> Generator[Event, None, None]:
        yield Found(len(paths), run=1)
        for path in paths:
            self.asked.append(path.name)
            yield Failed(path, "only noted")

    def _run(self, roots: tuple[Path, ...], options: dict[str, Any]) -> None:
        for event in watch(roots, self.scan, self.stop, **{"still_s": 0.2, **options}):
            assert isinstance(event, Failed)


def begun(music: Path, watching: Watching) -> None:
    """Wait until the system tells of changes."""
    (music / "first.mp3").write_bytes(b"x")
    assert eventually(lambda: "first.mp3" in watching.asked)
    watching.asked.clear()


@pytest.mark.parametrize("poll", [False, True])
def test_what_was_there_and_what_arrives_is_scanned_once(
    music: Path, poll: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mgtag.library.watch.POLL_S", 0.3)
    (music / "old.mp3").write_bytes(b"x")
    with Watching(music, poll=poll) as watching:
        assert eventually(lambda: watching.asked == ["old.mp3"])
        (music / "new.flac").write_bytes(b"x")
        (music / "cover.jpg").write_bytes(b"x")
        (music / ".hidden.mp3").write_bytes(b"x")
        assert eventually(lambda: watching.asked == ["old.mp3", "new.flac"])
        time.sleep(2.5)
    assert watching.asked == ["old.mp3", "new.flac"]


def test_a_file_that_is_still_being_copied_is_waited_for(music: Path) -> None:
    with Watching(music, still_s=2.0) as watching:
        with open(music / "a.mp3", "wb") as file:
            for _ in range(25):
                file.write(b"x")
                file.flush()
                os.utime(file.fileno())
                time.sleep(0.2)
                assert watching.asked == []
        assert eventually(lambda: watching.asked == ["a.mp3"])


def test_a_folder_moved_in_brings_its_songs(music: Path, tmp_path: Path) -> None:
    with Watching(music) as watching:
        begun(music, watching)
        (tmp_path / "album" / "cd1").mkdir(parents=True)
        (tmp_path / "album" / "cd1" / "a.mp3").write_bytes(b"x")
        (tmp_path / "album").rename(music / "album")
        assert eventually(lambda: watching.asked == ["a.mp3"])
        (music / "album" / "cd1" / "b.mp3").write_bytes(b"x")
        assert eventually(lambda: watching.asked == ["a.mp3", "b.mp3"])


def test_a_change_later_is_scanned_again(music: Path) -> None:
    with Watching(music) as watching:
        begun(music, watching)
        (music / "first.mp3").write_bytes(b"more")
        assert eventually(lambda: watching.asked == ["first.mp3"])


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take no such name")
def test_a_name_that_is_no_text_is_found(music: Path) -> None:
    with Watching(music) as watching:
        begun(music, watching)
        name = os.fsdecode(b"\xff.mp3")
        (music / name).write_bytes(b"x")
        assert eventually(lambda: watching.asked == [name])


def test_a_folder_that_goes_and_comes_back_is_watched_again(music: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Watching(music, other) as watching:
        begun(music, watching)
        music.rename(tmp_path / "unplugged")
        time.sleep(2.5)
        (other / "meanwhile.mp3").write_bytes(b"x")
        assert eventually(lambda: watching.asked == ["meanwhile.mp3"])
        (tmp_path / "unplugged" / "while away.mp3").write_bytes(b"x")
        (tmp_path / "unplugged").rename(music)
        assert eventually(lambda: "while away.mp3" in watching.asked)
        (music / "later.mp3").write_bytes(b"x")
        assert eventually(lambda: "later.mp3" in watching.asked)


def test_the_only_folder_may_go(music: Path) -> None:
    with Watching(music) as watching:
        begun(music, watching)
        (music / "first.mp3").unlink()
        music.rmdir()
        time.sleep(2.5)
        music.mkdir()
        (music / "again.mp3").write_bytes(b"x")
        assert eventually(lambda: watching.asked == ["again.mp3"])


@pytest.mark.parametrize("name", ["nowhere", "file.mp3"])
def test_what_is_no_folder_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.mp3").write_bytes(b"x")
    with pytest.raises(UsageError, match="no such folder"):
        next(watch([tmp_path / name], lambda _: pytest.fail("scanned"), threading.Event()))


# The command


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [*MGTAG, "watch", "--still", "0.5", "-j", "1", "--json", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_song_that_arrives_is_tagged_and_a_signal_ends_it(
    music: Path, song: Song, tiny: Bundle, tmp_path: Path, number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    index, told = tmp_path / "index.db", tmp_path / "told"
    hook = f"echo $MGTAG_HOOK_RUN $MGTAG_HOOK_TAGGED >> '{told}'"
    (tmp_path / "settings.toml").write_text(f"[hooks]\nafter_scan = {json.dumps(hook)}\n")
    monkeypatch.setenv("MGTAG_CONFIG", str(tmp_path / "settings.toml"))
    with running(music, "--model", tiny.folder, "--index", index) as process:
        song(music / "a.flac", 1.5, sound="hum")
        assert process.stdout is not None
        row = json.loads(process.stdout.readline())
        assert (row["event"], row["genres"]) == ("tagged", ["Blues"])
        song(music / "b.flac", 1.5, sound="hum", seed=1)
        assert json.loads(process.stdout.readline())["path"].endswith("b.flac")
        assert re.match(r"[1-9]\d* 1\n", told.read_text())  # of the first batch
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (0 if number == signal.SIGTERM else 130)
    assert "Traceback" not in err
    assert tags.read(music / "a.flac").genres == tags.read(music / "b.flac").genres == ("Blues",)


def test_it_waits_for_another_mgtag(music: Path, song: Song, tiny: Bundle, tmp_path: Path) -> None:
    import filelock

    index = tmp_path / "index.db"
    song(music / "a.flac", 1.5, sound="hum")
    lock = filelock.FileLock(f"{index}.lock")
    with lock.acquire(), running(music, "--model", tiny.folder, "--index", index) as process:
        time.sleep(6)
        assert process.poll() is None
        assert tags.read(music / "a.flac").genres == ()
        lock.release(force=True)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "tagged"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def test_the_systemd_unit_starts_this_command() -> None:
    unit = (Path(__file__).parents[2] / "contrib" / "mgtag-watch.service").read_text()
    assert "mgtag watch " in unit
    assert "WantedBy=default.target" in unit
