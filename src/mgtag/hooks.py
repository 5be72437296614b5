"""A command of the listener's own, run after a scan that wrote: to tell a music server, say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mgtag.errors import UsageError

NAMES = ("after_scan",)
Hooks = dict[str, str | list[str]]  # by name: a line for the shell, or a program and its words
MOST_S = 300.0  # a hook that takes longer is given up


def read_hooks(table: object, path: Path) -> Hooks:
    """Check the ``[hooks]`` table of the settings.

    Raises
    ------
    UsageError
        If it holds anything else.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{path}: hooks is no table; write [hooks] above its settings.")
    for name, command in table.items():
        if name not in NAMES:
            near = get_close_matches(str(name), NAMES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(NAMES)}."
            raise UsageError(f"{path}: [hooks] has no setting {name!r}; {hint}")
        words = command if isinstance(command, list) else [command]
        if not words or not all(isinstance(word, str) and word.strip() for word in words):
            raise UsageError(
                f"{path}: [hooks] {name} is no command; give a line for the shell, or a list of words."
            )
    return dict(table)


def run_hook(hooks: Hooks, name: str, **told: Any) -> str:
    """Run a hook if there is one, and return "" or a sentence that says how it failed.

    Parameters
    ----------
    **told
        What it is told, as ``MGTAG_HOOK_RUN`` and the like.
    """
    if not (command := hooks.get(name)):
        return ""
    variables = {f"MGTAG_HOOK_{key.upper()}": str(value) for key, value in told.items()}
    try:
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _failed(name, f"it took longer than {MOST_S:.0f} s")
    except OSError as error:
        return _failed(name, f"{error.filename}: {error.strerror}")
    if not done.returncode:
        return ""
    last = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()[-1:]
    return _failed(name, ": ".join([f"exit code {done.returncode}", *last]))


def _failed(name: str, how: str) -> str:
    return f"The hook {name} failed ({how}); the tags are written. `mgtag config edit` opens the settings."
