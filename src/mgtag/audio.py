"""Sound files to mono float32 at 22,050 Hz, through PyAV (FFmpeg inside the wheel).

One decoder for mp3, m4a, flac, ogg, opus, wma, wav, aiff, ape and wv. The downmix is our own
mean of the channels: FFmpeg's is √2 louder on near-mono stereo, and what a network learned at
one level would be asked at another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgtag.arrays import F32
from mgtag.decoding import decoded, mono
from mgtag.errors import AudioError
from mgtag.ffmpeg import (
    TRUNCATED_S,
    bounded,
    check_length,
    is_guessed,
    open_sound,
    promised_s,
    read_packets,
    reason,
)

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

SAMPLE_RATE = 22_050  # Hz
PREROLL_S = 0.1  # decoded and dropped after a seek: mp3's bit reservoir reaches back 9 frames at most
SEEKING_EARLY = "ogg", "mp3"  # a seek leads to a page's beginning; in a long mp3 without header, the file's
LONGEST_PACKET_S = 0.2  # of these: of Vorbis, whose first packet behind a seek gives no sound
OVERLAP_S = 0.01  # decoded behind a slice, so that its end isn't the resampler's


@dataclass(frozen=True)
class AudioInfo:
    """The properties in a file's header.

    Attributes
    ----------
    duration_s : float
        Length in seconds: from the header, or, where it has none, summed over the packets.
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


class Sound:
    """An open file: its header, and its sound, whole or in parts.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, container: InputContainer, stream: AudioStream) -> None:
        self.path = path
        self._container, self._stream = container, stream
        self._at_start = True
        guessed = is_guessed(path, stream.codec_context.name)
        self._promised_s = 0.0 if guessed else promised_s(path, container, stream)

    @cached_property
    def info(self) -> AudioInfo:
        """The properties in the header; where it has no length, the packets are read to their end."""
        return AudioInfo(
            duration_s=self._promised_s or self._measured_s(),
            sample_rate=self._stream.rate or 0,
            channels=self._stream.channels,
            codec=self._stream.codec_context.name,
            container=self._container.format.name,
        )

    @property
    def duration_s(self) -> float:
        """Length in seconds, as `AudioInfo` has it."""
        return self.info.duration_s

    def stream(self, sample_rate: int = SAMPLE_RATE, at_most_s: float = math.inf) -> Iterator[F32]:
        """Decode the whole file part by part, so that a long one needs no more memory than a short one.

        Parameters
        ----------
        at_most_s : float
            Seconds after which to stop, however much more there is.

        Yields
        ------
        F32
            Stretches of any length, mono: the mean of the channels, in -1..1.

        Raises
        ------
        AudioError
            If nothing can be decoded, or, at the end, if the sound is much shorter than in the header.
        """
        if not self._at_start:  # no seek leads before the first packet, where the encoder's delay is known
            with opened(self.path) as again:
                yield from again.stream(sample_rate, at_most_s)
            return
        n, self._at_start = 0, False
        for part in mono(self._frames(at_most_s), sample_rate):
            n += len(part)
            yield part
        if not n:
            raise AudioError(f"{self.path}: no sound could be decoded; is the file damaged?")
        check_length(self.path, n / sample_rate, min(self._promised_s, at_most_s))

    def slices(self, starts_s: Sequence[float], length_s: float, sample_rate: int = SAMPLE_RATE) -> F32:
        """Decode only the given stretches, seeking to each.

        Parameters
        ----------
        starts_s : sequence of float
            Seconds from the beginning, in any order.
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
        for row, start in zip(out, starts_s, strict=True):
            y = self._slice(float(start), length_s, sample_rate)[:n]
            if len(y) < n - sample_rate // 10:
                end_s = float(start) + len(y) / sample_rate
                check_length(self.path, end_s, float(start) + length_s + TRUNCATED_S)
            row[: len(y)] = y
        return out

    def check_end(self) -> None:
        """Check, without decoding, that the sound is as long as stated in the header.

        Raises
        ------
        AudioError
            If it ends well before.
        """
        import av

        if not self._promised_s:  # the length is measured, then: there is nothing to compare it with
            return
        start_s = max(0.0, self._promised_s - TRUNCATED_S - 1)
        self._seek(start_s)
        last, time_base = 0, self._stream.time_base or 0
        with suppress(av.FFmpegError):  # what cannot be read is as good as absent
            for packet in self._container.demux(self._stream):
                if packet.pts is not None:
                    last = max(last, packet.pts + (packet.duration or 0))
        check_length(self.path, float(last * time_base) - self._origin_s, self._promised_s)

    @property
    def _origin_s(self) -> float:
        """Time of the first sample: in mp3, the encoder's delay."""
        return float((self._stream.start_time or 0) * (self._stream.time_base or 0))

    def _seek(self, start_s: float) -> None:
        import av

        self._at_start = False
        try:
            self._container.seek(int((self._origin_s + start_s) * av.time_base))
        except av.FFmpegError as error:  # as in a wav of more than 2 GiB
            raise AudioError(
                f"{self.path}: there is no seeking in this file ({reason(error)}); is it damaged?"
            ) from error

    def _slice(self, start_s: float, length_s: float, sample_rate: int) -> F32:
        self._seek(max(0.0, start_s - PREROLL_S))
        skip_s = 0.0

        def until_end() -> Iterator[AudioFrame]:
            nonlocal skip_s
            at_s: float | None = None  # counted from the first frame: not every one has a timestamp
            for frame in self._frames(before_s=start_s - PREROLL_S - LONGEST_PACKET_S):
                if at_s is None:
                    at_s = float((frame.pts or 0) * (frame.time_base or 0)) - self._origin_s
                end_s = at_s + frame.samples / frame.sample_rate
                if end_s >= start_s - PREROLL_S:  # a seek may lead far before
                    skip_s = max(skip_s, start_s - at_s)
                    yield frame
                at_s = end_s
                if at_s >= start_s + length_s + OVERLAP_S:
                    return

        y = _join(mono(until_end(), sample_rate))
        return y[round(skip_s * sample_rate) :]

    def _frames(self, at_most_s: float = math.inf, before_s: float | None = None) -> Iterator[AudioFrame]:
        base, paged = self._stream.time_base, self._container.format.name in SEEKING_EARLY
        before = int((self._origin_s + before_s) / base) if paged and base and before_s is not None else None
        return bounded(decoded(self._container, self._stream, before), self.path, at_most_s)

    def _measured_s(self) -> float:
        self._at_start = False
        return read_packets(self.path, self._container, self._stream, lambda packet: None)


@contextmanager
def opened(path: Path) -> Iterator[Sound]:
    """Open a file once, for every use of its sound.

    Raises
    ------
    AudioError
        If the file is empty or holds no audio.
    OSError
        If it cannot be opened.
    """
    with open_sound(path) as (container, stream):
        yield Sound(path, container, stream)


def probe(path: Path) -> AudioInfo:
    """Read a file's header; no sound is decoded.

    Raises
    ------
    AudioError
        If the file is empty or holds no audio.
    OSError
        If it cannot be opened.
    """
    with opened(path) as sound:
        return sound.info


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
        If nothing can be decoded, or the sound is much shorter than in the header.
    """
    return _join(stream(path, sample_rate, at_most_s))


def stream(path: Path, sample_rate: int = SAMPLE_RATE, at_most_s: float = math.inf) -> Iterator[F32]:
    """Decode a whole file part by part; see `Sound.stream`."""
    with opened(path) as sound:
        yield from sound.stream(sample_rate, at_most_s)


def load_slices(
    path: Path, starts_s: Sequence[float], length_s: float, sample_rate: int = SAMPLE_RATE
) -> F32:
    """Decode only the given stretches; see `Sound.slices`."""
    with opened(path) as sound:
        return sound.slices(starts_s, length_s, sample_rate)


def _join(parts: Iterator[F32]) -> F32:
    found = list(parts)
    return np.concatenate(found) if found else np.zeros(0, np.float32)
