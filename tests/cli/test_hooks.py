"""A command of the listener's own after a scan that wrote, and only then."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running import Done, Run

from mgtag import hooks, tags
from mgtag.bundle import Bundle

NOTE = (
    "import os, sys\n"
    "told = [os.environ[f'MGTAG_HOOK_{name}'] for name in ('RUN', 'TAGGED')]\n"
    "print(*told, file=open(sys.argv[1], 'a'))"
)


@pytest.fixture
def scan(run: Run, song: Callable[..., Path], tiny: Bundle, tmp_path: Path) -> Callable[..., Done]:
    song(tmp_path / "music" / "hum.flac", 1.5, sound="hum")
    return lambda *options: run("scan", tmp_path / "music", "--model", tiny.folder, *options)


@pytest.fixture
def note(settings: Path, tmp_path: Path) -> Path:
    command = [sys.executable, "-c", NOTE, str(tmp_path / "note")]
    settings.write_text(f"[hooks]\nafter_scan = {json.dumps(command)}\n")
    return tmp_path / "note"


def test_it_runs_once_after_a_scan_that_wrote_and_never_otherwise(
    scan: Callable[..., Done], note: Path
) -> None:
    for options in (["--dry-run"], ["--no-tags"], ["--force", "--no-tags"]):
        assert scan(*options).code == 0
        assert not note.exists()
    assert scan().err == ""
    assert note.read_text() == "4 1\n"
    scan()
    scan("--force")
    assert note.read_text() == "4 1\n"  # nothing more was written


def test_a_line_is_the_shells(scan: Callable[..., Done], settings: Path, tmp_path: Path) -> None:
    line = f"echo told > {shlex.quote(str(tmp_path / 'a b'))}"
    settings.write_text(f"[hooks]\nafter_scan = {json.dumps(line)}\n")
    assert scan("--json").err.count("told") == 0
    assert (tmp_path / "a b").read_text().strip() == "told"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo no such server >&2; exit 7", "exit code 7: no such server"),
        (["/nowhere/curl"], "/nowhere/curl: No such file"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "longer than 1 s"),
    ],
    ids=["fails", "is not there", "hangs"],
)
def test_its_failure_is_one_sentence_and_the_tags_stay(
    scan: Callable[..., Done], settings: Path, tmp_path: Path, command: object, words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(hooks, "MOST_S", 1.0)
    settings.write_text(f"[hooks]\nafter_scan = {json.dumps(command)}\n")
    done = scan()
    assert done.code == 0
    assert words in done.err and done.err.count("\n") == 1
    assert tags.read(tmp_path / "music" / "hum.flac").genres == ("Blues",)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("after_scn = 'x'", "did you mean 'after_scan'?"),
        ("before = 'x'", "known are after_scan"),
        ("after_scan = 3", "is no command"),
        ("after_scan = []", "is no command"),
        ("after_scan = ''", "is no command"),
    ],
)
def test_a_mistake_is_told_before_anything_is_heard(
    scan: Callable[..., Done], settings: Path, tmp_path: Path, written: str, words: str
) -> None:
    settings.write_text(f"[hooks]\n{written}\n")
    done = scan()
    assert done.code == 2 and words in done.err
    assert tags.read(tmp_path / "music" / "hum.flac").genres == ()
    settings.write_text("hooks = 1\n")
    assert "is no table" in scan().err
