"""An explanation as one web page that needs nothing but itself."""

from __future__ import annotations

import base64
import html
import os
import re
import struct
import zlib
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import U8
from mgtag.bundle import Bundle
from mgtag.explain.explanation import Explanation
from mgtag.explain.sketch import SoundPicture, height_of
from mgtag.view.assets import asset
from mgtag.view.explain_json import as_row
from mgtag.view.methods import NAMES, means
from mgtag.view.text import dumps, hex_colours, printable

SCRIPTS = ("explain.js", "explain.plots.js", "explain.player.js")
TICKS_HZ = (250, 1000, 4000)
SHADES = 64  # of the spectrogram; an eye tells no more, and the page is a third smaller
KINDS = {  # that browsers play
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".wave": "audio/wav",
}


def write_page(
    target: Path,
    song: Path,
    made: Explanation,
    sound: SoundPicture,
    bundle: Bundle,
    embed_audio: bool = False,
) -> None:
    """Write the page.

    Parameters
    ----------
    embed_audio : bool
        Put the song itself into the page; otherwise the page links to where it lies.
    """
    heights = height_of(TICKS_HZ, made.spec)
    data = {
        "row": as_row(song, made, sound.duration_s, bundle) | {"path": printable(song.name)},
        "name": NAMES[made.method],
        "means": means(made.method, made.head),
        "colours": hex_colours(made.genres),
        "sound": {
            "column_s": sound.column_s,
            "low": _signed_bytes(sound.low),
            "high": _signed_bytes(sound.high),
            "picture": _data_url("image/png", grey_png(sound.mel[::-1] // (256 // SHADES) * (256 // SHADES))),
            "ticks": [(hz, round(float(up), 3)) for hz, up in zip(TICKS_HZ, heights, strict=True)],
        },
        "audio": _embedded(song) if embed_audio else _link(song, target),
    }
    parts = {
        "title": html.escape(printable(song.name)),
        "style": asset("explain.css"),
        "script": "".join(map(asset, SCRIPTS)),
        # Inside a script only "</" could end it early, and "<!--" change what it means.
        "data": dumps(data).replace("<", "\\u003c"),
    }
    page = re.sub(f"@({'|'.join(parts)})@", lambda found: parts[found[1]], asset("explain.html"))
    target.write_text(page, encoding="utf-8")


def grey_png(pixels: U8) -> bytes:
    """Return an 8-bit grey PNG of pixels, shape ``(height, width)``.

    Each row is stored as the difference from the row above (filter 2), which a spectrogram likes.
    """
    height, width = pixels.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 2
    rows[:, 1:] = np.diff(pixels, axis=0, prepend=np.zeros((1, width), np.uint8))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(rows.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _embedded(song: Path) -> str:
    return _data_url(KINDS.get(song.suffix.lower(), "application/octet-stream"), song.read_bytes())


def _link(song: Path, page: Path) -> str:
    """Return where a song lies, seen from a page; a file's name may hold anything but a slash."""
    try:
        way = os.path.relpath(song, page.parent)
    except ValueError:  # another drive of Windows
        return song.absolute().as_uri()
    return quote(os.fsencode(Path(way).as_posix()), safe="/")


def _signed_bytes(values: NDArray[np.float32]) -> str:
    scaled = np.round(values.clip(-1, 1) * 127).astype(np.int8)
    return base64.b64encode(scaled.tobytes()).decode()


def _data_url(kind: str, raw: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"
