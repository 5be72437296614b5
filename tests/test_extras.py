"""What is missing is told with the command that installs it where mgtag lies."""

from __future__ import annotations

import sys

import pytest

from mgtag import extras


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/share/pipx/venvs/mgtag", "pipx install --force 'mgtag[map]'"),
        ("/home/me/.local/share/uv/tools/mgtag", "uv tool install 'mgtag[map]'"),
        ("/home/me/mgtag/.venv", f"{sys.executable} -m pip install 'mgtag[map]'"),
    ],
)
def test_the_command_is_that_of_the_installer(
    monkeypatch: pytest.MonkeyPatch, prefix: str, command: str
) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(extras, "find_spec", lambda name: name)
    assert extras.install_command("map") == command


def test_an_environment_without_pip_is_uvs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert extras.install_command("plot") == "uv pip install 'mgtag[plot]'"
    assert str(extras.not_installed("--png", "matplotlib", "plot")) == (
        "--png needs matplotlib, which is not installed: uv pip install 'mgtag[plot]'"
    )
