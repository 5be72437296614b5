"""The identity of a file's sound, independent of its tags and its place."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgtag.ffmpeg import check_length, is_guessed, open_sound, promised_s, read_packets

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

BLOCK = 1 << 16  # bytes of a file's beginning, middle and end that its fingerprint reads
PART = "part:"  # how a fingerprint begins


@dataclass(frozen=True)
class Payload:
    """The encoded sound of a file.

    Attributes
    ----------
    signature : str
        SHA-256 over the packets of the audio stream and what its decoder needs to begin.
        Tagging, renaming and moving leave it as it is; one changed bit of the sound does not.
    duration_s : float
        Seconds from the first packet to the end of the last: measured, not promised.
    """

    signature: str
    duration_s: float


def payload(path: Path) -> Payload:
    """Read a file's encoded sound from end to end, demuxed but not decoded.

    Raises
    ------
    AudioError
        If it cannot be read to its end, or is much shorter than in the header.
    """
    digest = hashlib.sha256()
    with open_sound(path) as (container, stream):
        digest.update(stream.codec_context.name.encode())
        digest.update(_setup(stream))
        length_s = read_packets(path, container, stream, lambda packet: digest.update(memoryview(packet)))
        promise = promised_s(path, container, stream)
    if length_s and not is_guessed(path, stream.codec_context.name):
        check_length(path, length_s, promise)
    return Payload(digest.hexdigest(), length_s or promise)


def signature(path: Path) -> str:
    """Return the signature of the sound, independent of tags and place; see `Payload`."""
    return payload(path).signature


def fingerprint(path: Path) -> str:
    """Return a cheap hash that differs between unchanged files of the same size.

    Of a file that is changed, by its tags too, it changes: `signature` is what stays.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest.update(size.to_bytes(8, "little"))
        for at in (0, size // 2, size - BLOCK):
            file.seek(max(0, at))
            digest.update(file.read(BLOCK))
    return PART + digest.hexdigest()


def is_known(path: Path, known: str) -> bool:
    """Return whether an unchanged file is one whose `signature` or `fingerprint` is known.

    Raises
    ------
    AudioError
        As `payload`.
    """
    return (fingerprint if known.startswith(PART) else signature)(path) == known


def _setup(stream: AudioStream) -> bytes:
    """Return what the decoder needs beside the packets, without Vorbis's comment header."""
    extradata = stream.codec_context.extradata or b""
    if stream.codec_context.name != "vorbis" or extradata[:1] != b"\x02":
        return extradata
    at, lengths = 1, []
    for _ in range(2):  # Xiph lacing: a length is the sum of bytes up to the first that is not 255
        length = 0
        while extradata[at] == 255:
            length, at = length + 255, at + 1
        lengths.append(length + extradata[at])
        at += 1
    identification, comment = lengths
    return extradata[at : at + identification] + extradata[at + identification + comment :]
