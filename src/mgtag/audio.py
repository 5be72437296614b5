"""Sound files to mono float32 at 22,050 Hz, through PyAV (FFmpeg inside the wheel).

One decoder for mp3, m4a, flac, ogg, opus, wma, wav, aiff, ape and wv. The downmix is our own
mean of the channels: FFmpeg's is √2 louder on near-mono stereo, and what a network learned at
one level would be asked at another.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from mgtag.arrays import F32
from mgtag.errors import AudioError
from mgtag.ffmpeg import bounded, is_guessed, open_sound, promised_s, reason

SAMPLE_RATE = 22_050  # Hz
PREROLL_S = 0.1  # decoded and dropped after a seek: mp3's bit reservoir reaches back 9 frames at most
TRUNCATED_S = 2.0  # seconds that a header may promise beyond the sound before we call it damage
LOUDEST = 1e6  # beyond it (120 dB over full scale) a float is no sample, and its square no float32


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says.

    Attributes
    ----------
    duration_s : float
        Length in seconds: what the header says, or, where it does not, what the packets add up to.
    sample_rate : int
        In Hz, as stored.
    channels : int
    codec, container : str
        FFmpeg's names, such as ``"mp3float"`` and ``"mp3"``.
    """

    duration_s: float
    sample_rate: int
    channels: int
    codec: str
    container: str


def probe(path: Path) -> AudioInfo:
    """Read a file's header; no sound is decoded.

    Raises
    ------
    AudioError
        If the file is empty or holds no audio.
    OSError
        If it cannot be opened.
    """
    with open_sound(path) as (container, stream):
        length_s = promised_s(container, stream)
        if not length_s or is_guessed(path, stream.codec_context.name):
            length_s = payload(path).duration_s
        return AudioInfo(
            duration_s=length_s,
            sample_rate=stream.rate or 0,
            channels=stream.channels,
            codec=stream.codec_context.name,
            container=container.format.name,
        )


def load(path: Path, sample_rate: int = SAMPLE_RATE, at_most_s: float = math.inf) -> F32:
    """Decode a whole file.

    Parameters
    ----------
    at_most_s : float
        Seconds after which to stop, however much more there is.

    Returns
    -------
    F32
        Shape ``(n,)``, mono: the mean of the channels, in -1..1.

    Raises
    ------
    AudioError
        If nothing can be decoded, or the sound ends well before the header says.
    """
    return _join(stream(path, sample_rate, at_most_s))


def stream(path: Path, sample_rate: int = SAMPLE_RATE, at_most_s: float = math.inf) -> Iterator[F32]:
    """Decode a whole file part by part, so that a long one needs no more memory than a short one.

    Yields
    ------
    F32
        Stretches of any length; end to end, what `load` returns.

    Raises
    ------
    AudioError
        As `load`, at the end of the sound.
    """
    n = 0
    with open_sound(path) as (container, sound):
        for part in _resampled(bounded(_decoded(container, sound), path, at_most_s), sample_rate):
            n += len(part)
            yield part.astype(np.float32, copy=False)
        if not n:
            raise AudioError(f"{path}: no sound could be decoded; is the file damaged?")
        if not is_guessed(path, sound.codec_context.name):
            _check_length(path, n / sample_rate, promised_s(container, sound))


def load_slices(
    path: Path, starts_s: Sequence[float], length_s: float, sample_rate: int = SAMPLE_RATE
) -> F32:
    """Decode only the stretches asked for, seeking to each.

    Parameters
    ----------
    starts_s : sequence of float
        Seconds from the beginning, ascending.
    length_s : float
        Length of every slice in seconds.

    Returns
    -------
    F32
        Shape ``(len(starts_s), round(length_s * sample_rate))``. A slice that runs past the
        end by less than a tenth of a second is filled up with zeros.

    Raises
    ------
    AudioError
        If a slice lies beyond the last sound, as in a truncated file.
    """
    n = round(length_s * sample_rate)
    out = np.zeros((len(starts_s), n), np.float32)
    with open_sound(path) as (container, stream):
        for row, start in zip(out, starts_s, strict=True):
            y = _slice(path, container, stream, float(start), length_s, sample_rate)[:n]
            if len(y) < n - sample_rate // 10:
                _check_length(
                    path, float(start) + len(y) / sample_rate, float(start) + length_s + TRUNCATED_S
                )
            row[: len(y)] = y
    return out


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
        If it cannot be read to its end, or ends well before the header says.
    """
    digest = hashlib.sha256()
    begin, end = None, 0  # of what the timestamps say; Ogg's packets don't tell their lengths
    with open_sound(path) as (container, stream):
        digest.update(stream.codec_context.name.encode())
        digest.update(_setup(stream))
        try:
            for packet in container.demux(stream):
                digest.update(memoryview(packet))
                if packet.pts is not None:
                    begin = packet.pts if begin is None else begin
                    end = max(end, packet.pts + (packet.duration or 0))
        except av.FFmpegError as error:
            raise AudioError(f"{path}: the sound cannot be read to its end ({reason(error)}).") from error
        length_s = float((end - (begin or 0)) * (stream.time_base or 0))
        promise = promised_s(container, stream)
    if length_s and not is_guessed(path, stream.codec_context.name):
        _check_length(path, length_s, promise)
    return Payload(digest.hexdigest(), length_s or promise)


def signature(path: Path) -> str:
    """Return what the sound is, whatever the tags say and wherever the file lies; see `Payload`."""
    return payload(path).signature


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


def _check_length(path: Path, decoded_s: float, promised_s: float) -> None:
    if decoded_s < promised_s - TRUNCATED_S:
        raise AudioError(
            f"{path}: the file is truncated or damaged: its sound ends after {decoded_s:.0f} s "
            f"of {promised_s:.0f} s. Get a whole copy, then scan again."
        )


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Frames in order, passing over packets that cannot be decoded, as every player does."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _resampled(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[F32]:
    resampler, layout = None, None
    for frame in frames:
        if resampler is None or layout != (frame.layout.name, frame.sample_rate, frame.format.name):
            layout = (frame.layout.name, frame.sample_rate, frame.format.name)
            # Packed from 8 channels on: PyAV 18 reads past the pointers of a planar frame that has so many.
            form = "fltp" if frame.layout.nb_channels < 8 else "flt"
            resampler = av.AudioResampler(form, frame.layout, sample_rate)
        frame.pts = None  # a gap in the timestamps is no silence to be filled in
        for part in resampler.resample(frame):
            yield _mono(part)
    if resampler is not None:
        for part in resampler.resample(None):
            yield _mono(part)


def _mono(frame: AudioFrame) -> F32:
    """Return the mean of a frame's channels; what is no sample (NaN, infinite, beyond reason) as silence."""
    y = frame.to_ndarray()
    channels = y if frame.format.is_planar else y.reshape(-1, frame.layout.nb_channels).T
    with np.errstate(invalid="ignore", over="ignore"):
        mono: F32 = channels.mean(axis=0)
    if not np.abs(mono).max(initial=0.0) < LOUDEST:  # so that NaN is caught as well
        mono[~(np.abs(mono) < LOUDEST)] = 0.0
    return mono


def _slice(
    path: Path,
    container: InputContainer,
    stream: AudioStream,
    start_s: float,
    length_s: float,
    sample_rate: int,
) -> F32:
    origin = float((stream.start_time or 0) * (stream.time_base or 0))  # mp3: the encoder's delay
    container.seek(int((origin + max(0.0, start_s - PREROLL_S)) * av.time_base))
    first: list[float] = []

    def until_end() -> Iterator[AudioFrame]:
        for frame in bounded(_decoded(container, stream), path):
            at = float((frame.pts or 0) * (frame.time_base or 0)) - origin
            if not first:
                first.append(at)
            yield frame
            if at + frame.samples / frame.sample_rate >= start_s + length_s + 0.01:
                return

    y = _join(_resampled(until_end(), sample_rate))
    skip = max(0, round((start_s - first[0]) * sample_rate)) if first else 0
    return y[skip:]


def _join(parts: Iterator[F32]) -> F32:
    found = list(parts)
    return np.concatenate(found).astype(np.float32, copy=False) if found else np.zeros(0, np.float32)
