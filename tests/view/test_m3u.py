"""Playlists are read by players, and lie over nobody's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mgtag.errors import UsageError
from mgtag.library.records import Located
from mgtag.view.m3u import write_m3u


def song(artist: str | None, title: str) -> Located:
    return Located("", artist, title, "Jazz", 0.9, "", 61.4)


def test_a_playlist_holds_lengths_names_and_paths(tmp_path: Path) -> None:
    target, odd = tmp_path / "a.m3u8", Path(os.fsdecode(b"/m/\xff#1.mp3"))
    songs = [
        (Path("/m/a.mp3"), song("Nina", "Sinnerman")),
        (odd, song(None, "")),
        (Path("/m/b.mp3"), song("A\nB", "C")),
    ]
    assert write_m3u(target, songs) == 3
    assert target.read_bytes() == (
        b"#EXTM3U\n# made by mgtag\n#EXTINF:61,Nina - Sinnerman\n/m/a.mp3\n"
        b"#EXTINF:61,\xff#1\n/m/\xff#1.mp3\n#EXTINF:61,A B - C\n/m/b.mp3\n"
    )
    assert write_m3u(target, songs[:1]) == 1  # its own it may write again
    assert list(tmp_path.iterdir()) == [target]


def test_anothers_playlist_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "mine.m3u"
    target.write_text("#EXTM3U\nsong.mp3\n")
    with pytest.raises(UsageError, match="another's file"):
        write_m3u(target, [])
    assert target.read_text() == "#EXTM3U\nsong.mp3\n"
    with pytest.raises(UsageError, match="cannot be written"):
        write_m3u(tmp_path / "no" / "folder.m3u", [])
