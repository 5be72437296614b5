"""Synthetic sound files in every container, made by PyAV's own encoders; no ffmpeg needed.

The generator of all audio in the test-suite: nothing recorded, nothing copyrighted, and the same
seed gives the same sound. Try it: ``python tests/sounds.py song.mp3``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32

SAMPLE_RATE = 44_100  # Hz
OPUS_RATE = 48_000  # Hz: the encoder takes no other
BIT_RATE = 128_000  # bits per second, where the codec is lossy
# Extension -> (FFmpeg's container, encoder); the eleven kinds that mgtag reads and tags.
Song = Callable[..., Path]  # the fixture `song`
KINDS: dict[str, tuple[str, str]] = {
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("ipod", "aac"),
    "alac": ("ipod", "alac"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "vorbis"),
    "opus": ("ogg", "libopus"),
    "wma": ("asf", "wmav2"),
    "wav": ("wav", "pcm_s16le"),
    "aiff": ("aiff", "pcm_s16be"),
    "wv": ("wv", "wavpack"),
    "ape": ("ape", ""),
}


def make(
    path: Path,
    seconds: float = 4.0,
    kind: str | None = None,
    *,
    sound: str = "music",
    seed: int = 0,
    channels: int = 2,
    sample_rate: int = SAMPLE_RATE,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write a sound file and return its path.

    Parameters
    ----------
    kind : str, optional
        A key of `KINDS`; the path's extension by default.
    sound : {"music", "noise", "silence", "sine", "hum", "chirps"}
        What to hear. An "ape" is always silence, and stereo.
    tags : mapping, optional
        Metadata for FFmpeg's muxer, such as ``{"title": "Song"}``.
    """
    kind = kind or path.suffix[1:].lower()
    if kind == "ape":
        path.write_bytes(monkeys_audio(seconds, sample_rate))
        return path
    container, codec = KINDS[kind]
    sample_rate = OPUS_RATE if kind == "opus" else sample_rate
    write(path, synthesise(sound, seconds, seed, sample_rate, channels), container, codec, sample_rate, tags)
    return path


def write(
    path: Path,
    y: F32,
    container: str,
    codec: str,
    sample_rate: int = SAMPLE_RATE,
    tags: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> None:
    """Encode a waveform of shape ``(channels, n)``, in -1..1, bit-exactly from run to run."""
    with av.open(
        "file:" + str(path),
        "w",
        format=container,
        container_options={"fflags": "+bitexact", **(options or {})},
    ) as out:
        out.metadata.update(tags or {})
        stream = out.add_stream(codec, rate=sample_rate, layout="mono" if len(y) == 1 else "stereo")
        stream.codec_context.options = {"strict": "experimental", "flags": "+bitexact"}  # for "vorbis"
        stream.codec_context.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(y), format="fltp", layout="mono" if len(y) == 1 else "stereo"
        )
        frame.sample_rate = sample_rate
        frame.pts, frame.time_base = 0, Fraction(1, sample_rate)  # or Ogg's last page tells a wrong time
        resampler = av.AudioResampler(
            stream.codec_context.format,
            stream.codec_context.layout,
            sample_rate,
            stream.codec_context.frame_size,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))


def synthesise(
    sound: str, seconds: float, seed: int = 0, sample_rate: int = SAMPLE_RATE, channels: int = 2
) -> F32:
    """Return a waveform of shape ``(channels, n)``, in -1..1."""
    n = round(seconds * sample_rate)
    t = np.arange(n) / sample_rate
    rng = np.random.default_rng(seed)
    mono = {
        "music": lambda: music(t, rng),
        "noise": lambda: 0.3 * rng.standard_normal(n).clip(-3, 3),
        "silence": lambda: np.zeros(n),
        "sine": lambda: 0.5 * np.sin(2 * np.pi * 440 * t),
        "hum": lambda: sum(0.3 / k * np.sin(2 * np.pi * 50 * k * t) for k in (1, 2, 3, 5)),
        "chirps": lambda: 0.5 * np.sin(2 * np.pi * (3000 * t + 150 * np.sin(40 * t))) * (np.sin(6 * t) > 0.6),
    }[sound]()
    side = 0.02 * rng.standard_normal(n) * (sound == "music")  # real stereo, so that a mean is a mean
    both = np.stack([mono + side, mono - side])[:channels] if channels > 1 else np.asarray(mono)[None]
    return both.astype(np.float32).clip(-1, 1)


def music(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Four chords on a plucked instrument, a bass, a kick drum on every beat and a hi-hat between."""
    beat = 60 / rng.uniform(90, 140)  # seconds
    root = 110 * 2 ** (rng.integers(12) / 12)  # Hz
    bar = (t // (4 * beat)).astype(int) % 4
    chord = root * 2 ** (np.array([0, 7, 9, 5])[bar] / 12)
    phase = (t % beat) / beat
    y = 0.12 * np.exp(-2 * phase) * sum(_tone(chord * ratio, t) for ratio in (2, 2.5, 3))
    y += 0.25 * np.sin(2 * np.pi * chord / 2 * t)
    y += 0.45 * np.sin(2 * np.pi * 55 * beat * phase) * np.exp(-12 * phase)
    off = ((t + beat / 2) % beat) / beat
    return y + 0.1 * rng.standard_normal(len(t)) * np.exp(-40 * off)


def monkeys_audio(seconds: float = 4.0, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Return a Monkey's Audio file (version 3.99, stereo, 16 bits) of digital silence.

    FFmpeg has no encoder for it. Frames flagged as silent in both channels carry no entropy-coded
    data, so they can be made by hand: a checksum with its high bit set ("flags follow"), and flags.
    """
    blocks_per_frame = 73_728
    total = round(seconds * sample_rate)
    count = -(-total // blocks_per_frame)
    silent = 3  # APE_FRAMECODE_STEREO_SILENCE
    # The decoder swaps the bytes of every 32-bit word first, so these are little-endian; two to spare.
    frame = struct.pack("<IIII", 0x80000000, silent, 0, 0)
    frames = frame * count
    header = struct.pack(
        "<HHIIIHHI",
        1000,
        0,
        blocks_per_frame,
        total - (count - 1) * blocks_per_frame,
        count,
        16,
        2,
        sample_rate,
    )
    descriptor_size = 52
    first = descriptor_size + len(header) + 4 * count
    table = struct.pack(f"<{count}I", *(first + i * len(frame) for i in range(count)))
    descriptor = struct.pack(
        "<4sHHIIIIIII16s",
        b"MAC ",
        3990,
        0,
        descriptor_size,
        len(header),
        len(table),
        0,
        len(frames),
        0,
        0,
        bytes(16),
    )
    return descriptor + header + table + frames


def _tone(frequency: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * frequency * t) + 0.4 * np.sin(4 * np.pi * frequency * t)


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))  # noqa: T201
