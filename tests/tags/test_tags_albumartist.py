"""Whose album it is, in every container that can say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import TPE2

from mgtag import tags

NAMES = {
    "mp3": "TPE2",
    "aiff": "TPE2",
    "m4a": "aART",
    "flac": "ALBUMARTIST",
    "ogg": "albumartist",
    "opus": "ALBUMARTIST",
    "wma": "WM/AlbumArtist",
    "wv": "Album Artist",
}


@pytest.mark.parametrize("kind", NAMES)
def test_the_album_artist_is_read(kind: str, song: Callable[..., Path], tmp_path: Path) -> None:
    path = song(tmp_path / f"1.{kind}", 0.5)
    assert tags.read(path).albumartist == ""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    value = TPE2(encoding=3, text=["ABBA"]) if NAMES[kind] == "TPE2" else ["ABBA"]
    file.tags[NAMES[kind]] = value
    file.save()
    assert tags.read(path).albumartist == "ABBA"
