"""A scan within the test's process, and a real one to be killed and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doubles import Inline
from running import MGTAG

from mgtag.bundle import Bundle
from mgtag.inference import Tagger
from mgtag.library.events import Event
from mgtag.library.index import Index
from mgtag.library.policy import Policy
from mgtag.library.scan import scan
from mgtag.tags import is_leftover

Go = Callable[..., dict[str, Any]]  # the fixture `go`: the events of a scan, by file name
KINDS = ["mp3", "m4a", "flac", "ogg", "opus", "wma", "wav", "aiff", "wv", "ape"]


def scan_file(model: Bundle, path: Path, index: Index, **policy: Any) -> Event:
    """Scan one file; what became of it."""
    _, event = scan([path], Tagger(model, "cpu"), index, Policy(**policy), Inline())
    return event


class Scene:
    """A music folder, and what its files are before a scan and after one."""

    def __init__(self, folder: Path, model: Path, song: Callable[..., Path], copies: int) -> None:
        self.music, self.index, self.model = folder / "music", folder / "index.db", model
        for n in range(copies):
            for kind in KINDS:
                song(self.music / kind / f"{n}.{kind}", 1.3, sound="hum")
        self.before = self.contents()
        assert self.mgtag(*self.scan(), "--index", folder / "reference.db").returncode == 0
        self.after = self.contents()
        assert all(self.before[name] != self.after[name] for name in self.before)
        assert self.mgtag("undo", "--index", folder / "reference.db").returncode == 0
        assert self.contents() == self.before

    def scan(self, *options: str) -> list[object]:
        # The ape is silent, so its answer is a tie: the threshold lets it through.
        return ["scan", self.music, "--model", self.model, "-j", "2", "--threshold", "0.3", *options]

    def mgtag(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        if "--index" not in arguments:
            arguments += ("--index", self.index)
        return subprocess.run([*MGTAG, *map(str, arguments)], capture_output=True, text=True, check=False)

    @contextmanager
    def running(self, *arguments: object) -> Iterator[subprocess.Popen[str]]:
        """Start a command with ``--json`` and give it to be stopped."""
        command = [*MGTAG, *map(str, arguments), "--json", "--index", str(self.index)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def contents(self) -> dict[str, bytes]:
        """Return every file but leftovers, by name."""
        return {
            str(p.relative_to(self.music)): p.read_bytes()
            for p in self.music.rglob("*")
            if p.is_file() and not is_leftover(p.name)
        }

    def leftovers(self) -> list[Path]:
        """Return the temporary files that lie about."""
        return [
            p
            for p in self.music.rglob("*")
            if p.is_file() and str(p.relative_to(self.music)) not in self.before
        ]

    def assert_whole(self) -> None:
        """Every file is as it was before, or as it is to be after."""
        now = self.contents()
        assert now.keys() == self.before.keys()
        for name, data in now.items():
            assert data in (self.before[name], self.after[name]), f"{name} is damaged"

    def undo_all(self) -> None:
        """Undo every run, and see that every byte is back."""
        while (done := self.mgtag("undo")).returncode != 2:
            assert done.returncode == 0, done.stdout + done.stderr
        assert self.contents() == self.before
