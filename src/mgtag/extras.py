"""Sentences about packages that only some commands need."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from mgtag.errors import UsageError

TOOLS = {("pipx", "venvs"): "pipx install --force", ("uv", "tools"): "uv tool install"}


def not_installed(what: str, package: str, extra: str) -> UsageError:
    """Return the error that names a missing package, and the command that installs it where mgtag lies."""
    return UsageError(f"{what} needs {package}, which is not installed: {install_command(extra)}")


def install_command(extra: str) -> str:
    """Return what installs an extra into the environment that runs mgtag: pipx's, uv's or any other."""
    folders = set(pairwise(Path(sys.prefix).parts))
    for folder, command in TOOLS.items():
        if folder in folders:
            return f"{command} 'mgtag[{extra}]'"
    pip = f"{sys.executable} -m pip" if find_spec("pip") else "uv pip"
    return f"{pip} install 'mgtag[{extra}]'"
