"""The words of a song: in its tags, or in a file of the same name beside it. They are only read."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3

from mgtag.errors import TagError
from mgtag.tags.reading import opened

BESIDE = (".lrc", ".txt", ".LRC", ".TXT")
MOST_BYTES = 1 << 17  # of a file beside; no song has so many words
MOST_CHARS = 1 << 17
KEYS = {  # in lower case: Vorbis and APE, MP4, ASF
    *("lyrics", "unsyncedlyrics", "unsynced lyrics", "syncedlyrics"),
    *("\xa9lyr", "wm/lyrics", "wm/lyrics_synchronised"),
}
# Times ([01:23.45], <01:23.45>), what an .lrc says of itself ([ar:…]), and headings ([Chorus]).
_MARKS = re.compile(r"\[[^\]\n]{0,200}\]|<\d{1,3}:\d\d(?:[.:]\d{1,3})?>")


def read_lyrics(path: Path) -> str:
    """Return the words of a song, a sung line a line, without times and headings; "" if none are at hand.

    The tags come first. What cannot be read is as good as absent: nothing is written on account of it.
    """
    found = ""
    with suppress(TagError):
        found = max(map(clean, _in_tags(path)), key=len, default="")
    return found or next(filter(None, map(clean, _beside(path))), "")


def clean(text: str) -> str:
    """Return lyrics without times, headings and blank lines."""
    lines = (_MARKS.sub("", line).strip() for line in text[:MOST_CHARS].splitlines())
    return "\n".join(line for line in lines if line)


def _in_tags(path: Path) -> Iterator[str]:
    with opened(path) as file:
        tags: Any = getattr(mutagen.File(file), "tags", None)
        if isinstance(tags, ID3):
            yield from (str(frame.text) for frame in tags.getall("USLT"))
            yield from (_joined(frame.text) for frame in tags.getall("SYLT"))
        elif tags is not None:
            for key, value in list(tags.items()):
                if str(key).lower() in KEYS:
                    yield "\n".join(map(str, value if isinstance(value, list) else [value]))


def _joined(parts: Sequence[tuple[str, int]]) -> str:
    """Return synchronised lyrics as lines: their parts are lines, or syllables that mark new lines."""
    texts = [text for text, _ in parts]
    return ("" if any("\n" in text for text in texts) else "\n").join(texts)


def _beside(path: Path) -> Iterator[str]:
    for suffix in BESIDE:
        with suppress(OSError, ValueError):
            beside = path.with_suffix(suffix)
            status = beside.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES:
                yield _decoded(beside.read_bytes())


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
