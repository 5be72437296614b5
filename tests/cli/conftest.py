"""What the tests of several commands need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The listener's settings file, which is not there yet."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("MGTAG_CONFIG", str(path))
    return path
