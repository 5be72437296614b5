"""The files that fuzzing begins with: a moment of every container, with and without tags of every kind."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "tags")]

import sounds  # noqa: E402

from mgtag.tags import patch  # noqa: E402

TAGS = {"title": "t", "artist": "a", "album": "b", "genre": "Other"}
_ID3V1 = b"TAG" + bytes(124) + b"\x11"
_LYRICS = b"LYRICSBEGININD0000200000017LYRICS200"
_APE = (
    b"APETAGEX"
    + (2000).to_bytes(4, "little")
    + (51).to_bytes(4, "little")
    + (1).to_bytes(4, "little")
    + bytes(4)
    + bytes(8)
)
_ITEM = (5).to_bytes(4, "little") + bytes(4) + b"Genre\0Other"


def make(folder: Path) -> list[Path]:
    """Write the corpus into a folder, and return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in sounds.KINDS:
        for name, tags in (("bare", None), ("tagged", TAGS)):
            sounds.make(folder / f"{kind}-{name}", 0.05, kind, sound="hum", channels=2, tags=tags)
    for name, data in _small(folder):
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def _small(folder: Path) -> Iterator[tuple[str, bytes]]:
    ape = (_ITEM + _APE).replace((51).to_bytes(4, "little"), (len(_ITEM) + 32).to_bytes(4, "little"))
    mp3, wv = (folder / "mp3-bare").read_bytes(), (folder / "wv-bare").read_bytes()
    yield "mp3-all", (folder / "mp3-tagged").read_bytes() + ape + _LYRICS + _ID3V1
    yield "wv-v1", wv[: wv.rfind(b"APETAGEX") - 100] + _ID3V1
    yield "mp3-2.2", b"ID3\2\0\0\0\0\0\x0bTCO\0\0\5\0Rock" + mp3[mp3.find(b"\xff\xfb") :]
    yield "mp3-2.3", b"ID3\3\0\0\0\0\0\x13TCON\0\0\0\x09\0\0\0Rock/Pop" + mp3[mp3.find(b"\xff\xfb") :]
    with open(folder / "flac-bare", "rb") as old, open(folder / "flac-tagged", "rb") as new:
        yield "patch", patch.make(old, new)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    make(folder)
