"""Tags in chunks of wav and aiff files, and the chunks around them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import sounds
from tagging import restored, write

from mgtag import tags

BLOB = bytes(range(256)) * 3


def chunks(path: Path) -> dict[bytes, bytes]:
    data, at, found = path.read_bytes(), 12, {}
    order = "<I" if data[:4] == b"RIFF" else ">I"
    while at < len(data):
        (size,) = struct.unpack_from(order, data, at + 4)
        found[data[at : at + 4]] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(data)
    assert struct.unpack_from(order, data, 4)[0] == len(data) - 8
    return found


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(path: Path, *parts: bytes, pad: bool = True) -> Path:
    """Write an 8-bit mono wav of an odd number of samples, with other chunks around the sound."""
    head, tail = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    samples = (128 + 100 * np.sin(np.arange(44_101) / 20)).astype(np.uint8).tobytes()
    sound = chunk(b"data", samples)
    fmt = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 44_100, 44_100, 1, 8))
    body = b"WAVE" + fmt + b"".join(head) + (sound if pad or tail else sound[:-1]) + b"".join(tail)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


INFO = chunk(
    b"LIST", b"INFO" + chunk(b"INAM", b"t\0") + chunk(b"IGNR", b"Other\0") + chunk(b"ICMT", b"\xe9\0")
)


@pytest.mark.parametrize("where", ["before", "after"])
def test_wav_chunks_stay_and_info_agrees(tmp_path: Path, where: str) -> None:
    parts = [INFO, chunk(b"bext", BLOB), chunk(b"cue ", b"odd"), b""]
    path = wav(tmp_path / "a.wav", *(parts if where == "before" else reversed(parts)))
    before, original = chunks(path), path.read_bytes()
    found = tags.read(path)
    assert (found.container, found.title, found.genres) == ("RIFF INFO", "t", ("Other",))
    draft = write(path, "Jazz", "Pop")
    after = chunks(path)
    assert after.pop(b"id3 ").startswith(b"ID3")
    assert after.pop(b"LIST") == before.pop(b"LIST").replace(b"\x06\0\0\0Other\0", b"\x05\0\0\0Jazz\0\0")
    assert after == before
    assert tags.read(path).genres == ("Jazz", "Pop")
    assert restored(path, draft) == original


@pytest.mark.parametrize("pad", [True, False])
def test_wav_of_odd_length(tmp_path: Path, pad: bool) -> None:
    path = wav(tmp_path / "a.wav", pad=pad)
    original = path.read_bytes()
    draft = write(path, "Jazz")
    assert tags.read(path).genres == ("Jazz",)
    assert len(chunks(path)[b"data"]) == 44_101
    assert restored(path, draft) == original


def test_aiff_chunks_stay(tmp_path: Path) -> None:
    path = sounds.make(tmp_path / "a.aiff", 1.0)
    data = path.read_bytes()
    extra = b"NAME\0\0\0\x04song" + b"ANNO\0\0\0\x03abc\0"
    path.write_bytes(data[:4] + struct.pack(">I", len(data) - 8 + len(extra)) + data[8:] + extra)
    before = chunks(path)
    write(path, "Jazz")
    after = chunks(path)
    assert after.pop(b"ID3 ").startswith(b"ID3")
    assert after == before
