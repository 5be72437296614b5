"""Playlists as files: extended M3U in UTF-8."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from mgtag.errors import UsageError
from mgtag.view.targets import writing

OURS = "#EXTM3U\n# made by mgtag\n"


class Playable(Protocol):
    """Whatever a playlist says of a song."""

    @property
    def artist(self) -> str | None: ...
    @property
    def title(self) -> str | None: ...
    @property
    def duration_s(self) -> float: ...


def write_m3u(target: Path, songs: Iterable[tuple[Path, Playable]]) -> int:
    """Write a playlist and return the number of its songs; a playlist that mgtag did not make is left alone.

    Raises
    ------
    UsageError
        If another's file lies there, or it cannot be written.
    """
    with writing(target):
        if target.exists() and not target.read_text("utf-8", "replace").startswith(OURS):
            raise UsageError(f"{target}: another's file lies there; choose another name.")
        # A path with a line break cannot be said in M3U.
        entries = [_entry(path, song) for path, song in songs if not set("\r\n") & set(str(path))]
        part = target.with_name(target.name + ".part")
        part.write_bytes(os.fsencode(OURS + "".join(entries)))
        part.replace(target)
    return len(entries)


def _entry(path: Path, song: Playable) -> str:
    named = " - ".join(filter(None, (song.artist, song.title))) or path.stem
    told = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", named)
    return f"#EXTINF:{round(song.duration_s)},{told}\n{path}\n"
