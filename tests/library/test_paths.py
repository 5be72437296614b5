"""Paths as text: readable, and back to the byte, on every system."""

from __future__ import annotations

import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgtag.library.paths import below, from_text, to_text

POSIX = st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw).map(os.fsdecode)
WINDOWS = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=60)


@given(POSIX)
def test_any_bytes_come_back(path: str) -> None:
    text = to_text(path, "/")
    assert sqlite3.connect(":memory:").execute("SELECT ?", (text,)).fetchone() == (text,)
    assert os.fsencode(from_text(text, "/")) == os.fsencode(path)


@given(WINDOWS)
def test_any_name_of_windows_comes_back(path: str) -> None:
    text = to_text(path, "\\")
    assert text.encode() is not None  # no lone surrogate is left
    assert "\\" not in text.replace("\\u", "")
    assert from_text(text, "\\") == path


@given(POSIX, POSIX)
def test_two_paths_are_two_texts(one: str, other: str) -> None:
    assert (to_text(one, "/") == to_text(other, "/")) == (one == other)


@pytest.mark.parametrize(
    ("path", "sep", "text"),
    [
        ("/music/Ünï/音楽.mp3", "/", "/music/Ünï/音楽.mp3"),
        ("/m/\udcff.mp3", "/", r"/m/\udcff.mp3"),
        (r"/m/\udcff.mp3", "/", r"/m/\\udcff.mp3"),
        (r"C:\Music\a b\1.mp3", "\\", "C:/Music/a b/1.mp3"),
        ("\\\\nas\\share\\\ud800.mp3", "\\", r"//nas/share/\ud800.mp3"),
    ],
)
def test_text_is_readable(path: str, sep: str, text: str) -> None:
    assert to_text(path, sep) == text
    assert from_text(text, sep) == path


@pytest.mark.parametrize(
    ("folder", "inside", "outside", "sep"),
    [
        ("/m/a", ["/m/a/1.mp3", "/m/a/b/2.mp3", "/m/a/\udcff"], ["/m/a", "/m/a0/3.mp3", "/m/a.mp3"], "/"),
        ("/", ["/a", "/m/b"], [], "/"),
        (
            "C:\\Music",
            ["C:\\Music\\1.mp3", "C:\\Music\\b\\2.mp3"],
            ["C:\\Music2\\1.mp3", "D:\\Music\\1"],
            "\\",
        ),
        ("C:\\", ["C:\\1.mp3"], ["D:\\1.mp3"], "\\"),
    ],
)
def test_what_lies_below_a_folder(folder: str, inside: list[str], outside: list[str], sep: str) -> None:
    """Red before: `mgtag list FOLDER` compared with "/" in bytes, and found nothing on Windows."""
    first, last = below(folder, sep)
    assert all(first < to_text(path, sep) < last for path in inside)
    assert not any(first < to_text(path, sep) < last for path in outside)
