"""What a terminal of 60, 100 and 160 columns shows; `pytest --snapshot-update` writes the screens anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from running import Run
from syrupy.assertion import SnapshotAssertion

from mgtag.bundle import Bundle

SCREENS = {
    "scan": ["scan", "--dry-run", "--force", "--jobs", "1", "music"],
    "list": ["list"],
    "log": ["log"],
    "help": ["--help"],
    "scan-help": ["scan", "--help"],
}


@pytest.fixture
def terminal(
    run: Run, tiny: Bundle, song: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, str], str]:
    """Show a screen of a small library, without what differs from run to run."""
    for name, sound in (("hum.flac", "hum"), ("sine.flac", "sine")):
        song(tmp_path / "music" / name, 1.5, sound=sound)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MGTAG_MODEL", str(tiny.folder))
    run("scan", "music", "--jobs", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")

    def show(width: int, screen: str) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        if screen != "scan":
            monkeypatch.delenv("MGTAG_MODEL")
        done = run(*SCREENS[screen])
        text = done.out.replace(str(tmp_path), "/library")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")
        text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", "2026-11-24 12:00", text)
        return re.sub(r"@[0-9a-f]{8}", "@00000000", text)

    return show


@pytest.mark.parametrize("width", [60, 100, 160])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen(
    terminal: Callable[[int, str], str], screen: str, width: int, snapshot: SnapshotAssertion
) -> None:
    assert terminal(width, screen) == snapshot
