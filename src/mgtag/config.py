"""The listener's settings: a TOML file and environment variables, as defaults of the command line.

A key at the top of the file is the default of every command that has such an option; a key in a table
named after a command, of that command alone::

    model = "musicnn"

    [scan]
    threshold = "90%"
    mood = true

``MGTAG_MODEL`` and ``MGTAG_SCAN_THRESHOLD`` say the same; variables win over the file, options over both.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs

from mgtag.errors import UsageError

PREFIX = "MGTAG_"
TABLES = ("genres", "hooks")  # tables of the file that are no command's options

TEMPLATE = """\
# mgtag's settings. A key here is the default of every command that has such an option:
# model = "wide-parallel-4"
# index = "/media/music/mgtag.db"

# [scan]
# threshold = "90%"
# jobs = 2

# What is written for a genre that was heard; see the user guide, "Genres".
# [genres.write]
# "Hip-Hop" = "Rap"

# Run once after a scan that wrote something, to tell a music server, say; see the user guide.
# [hooks]
# after_scan = "curl -fsS http://localhost:4533/rest/startScan?…"
"""


def default_path() -> Path:
    """Return where the file lies: ``MGTAG_CONFIG``, or the system's folder for settings."""
    named = os.environ.get("MGTAG_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("mgtag") / "config.toml"


def read(path: Path) -> dict[str, Any]:
    """Read a settings file; one that does not exist is empty.

    Raises
    ------
    UsageError
        If it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path}: these settings cannot be read ({error}); `mgtag config edit` opens them."
        ) from error


def defaults(
    settings: Mapping[str, Any],
    options: Mapping[str, Collection[str]],
    path: Path,
    environment: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """Return the default of each command's options.

    Parameters
    ----------
    settings : mapping
        As `read` gives them.
    options : mapping of str to collection of str
        Each command's options, as ``dry_run``.
    path : Path
        For messages.
    environment : mapping of str to str
        ``MGTAG_OPTION`` counts here; ``MGTAG_COMMAND_OPTION`` is the command line's own affair.

    Raises
    ------
    UsageError
        If a key is unknown; the nearest right one is named.
    """
    every = {name for names in options.values() for name in names}
    common: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {command: {} for command in options}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name in TABLES:
            continue
        if isinstance(value, Mapping):
            names = options[_known(name, options, f"{path}: there is no command {key!r}")]
            for inner, setting in value.items():
                sentence = f"{path}: [{key}] has no setting {inner!r}"
                own[name][_known(inner.replace("-", "_"), names, sentence)] = setting
        else:
            common[_known(name, every, f"{path}: there is no setting {key!r}")] = value
    variables = {n: environment[PREFIX + n.upper()] for n in every if PREFIX + n.upper() in environment}
    return {
        command: {n: v for n, v in common.items() if n in names}
        | own[command]
        | {n: v for n, v in variables.items() if n in names}
        for command, names in options.items()
    }


def _known(name: str, names: Collection[str], sentence: str) -> str:
    if name in names:
        return name
    near = get_close_matches(name, names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(names))}."
    raise UsageError(sentence + hint)
