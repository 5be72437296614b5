r"""Paths as text that people and other programs can read, and back again.

A file's name need not be text: Linux gives bytes, which Python shows as lone surrogates, and Windows
allows lone surrogates themselves; SQLite stores neither. Here they become ``\udcff``, a backslash
becomes two, and folders are parted by ``/`` on every system.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_ESCAPE = re.compile(r"\\(\\|u[0-9a-f]{4})")


def to_text(path: str | Path, sep: str = os.sep) -> str:
    r"""Return a path as text.

    Parameters
    ----------
    path : str or Path
    sep : {"/", "\\"}
        What parts folders on the system that the path is of.
    """
    name = os.fspath(path)
    if sep != "/":
        name = name.replace(sep, "/")
    if name.isascii() and "\\" not in name:
        return name
    return name.replace("\\", r"\\").encode("utf-8", "backslashreplace").decode()


def from_text(text: str, sep: str = os.sep) -> str:
    """Return the path that `to_text` was given."""
    name = _ESCAPE.sub(_unescaped, text) if "\\" in text else text
    return name.replace("/", sep) if sep != "/" else name


def below(folder: str | Path, sep: str = os.sep) -> tuple[str, str]:
    """Return the bounds, both exclusive, between which the texts of all paths inside a folder lie."""
    root = to_text(folder, sep).rstrip("/")
    return root + "/", root + "0"  # "0" follows "/"


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    return "\\" if code == "\\" else chr(int(code[1:], 16))
