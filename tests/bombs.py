"""Small files that claim, or decode to, far more than a song."""

from __future__ import annotations

import struct
from pathlib import Path

from mgtag.arrays import F32


def float_wav(path: Path, samples: F32, sample_rate: int = 44_100) -> Path:
    """Write 32-bit float samples, shape ``(n, channels)``, as they are: infinite, if they are."""
    n_channels = samples.shape[1]
    data = samples.astype("<f4").tobytes()
    form = struct.pack(
        "<HHIIHH", 3, n_channels, sample_rate, sample_rate * 4 * n_channels, 4 * n_channels, 32
    )
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def flac(
    path: Path, claimed_s: float, sample_rate: int, frames: int, frame_rate: int, channels: int = 1
) -> Path:
    """Write a FLAC of constant frames, 65,535 samples in some 20 bytes each.

    Parameters
    ----------
    claimed_s, sample_rate
        What the header says.
    frames, frame_rate
        How many frames there are, and at which rate (Hz) each says it is to be played.
    """
    total = round(claimed_s * sample_rate)
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6)
    info += ((sample_rate << 44) | (channels - 1) << 41 | 15 << 36 | total).to_bytes(8, "big") + bytes(16)
    body = b"fLaC" + bytes([0x80]) + len(info).to_bytes(3, "big") + info
    for number in range(frames):
        # fixed blocks of a size in 16 bits, a rate in 16 bits of Hz; independent channels of 16 bits
        head = bytes([0xFF, 0xF8, 0x7D, (channels - 1) << 4 | 0x08]) + chr(number).encode()
        head += struct.pack(">HH", 65_534, frame_rate)
        head += bytes([_crc(head, 0x07, 8)])
        frame = head + bytes([0x00, 0x12, 0x34]) * channels  # a constant each
        body += frame + struct.pack(">H", _crc(frame, 0x8005, 16))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    found, top = 0, 1 << bits - 1
    for byte in data:
        found ^= byte << bits - 8
        for _ in range(8):
            found = (found << 1 ^ polynomial if found & top else found << 1) & (1 << bits) - 1
    return found
