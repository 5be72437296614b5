"""Packets to mono float32, at the rate that is wanted.

The channels are averaged before resampling, so that one channel is resampled, and a slice goes through
the resampler in one piece: a call for every frame of a thousand samples costs more than the work itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from mgtag.arrays import F32

AT_ONCE = 1 << 16  # samples that are resampled together: memory stays small, and calls few
LOUDEST = 1e6  # beyond it (120 dB over full scale) a float is no sample, and its square no float32
FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63}  # of FFmpeg's integers


def decoded(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
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


def resampled(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[F32]:
    """Mono sound of some frames, at one rate, in parts of any length."""
    for rate, same in groupby(frames, lambda frame: frame.sample_rate):
        resampler = av.AudioResampler("fltp", "mono", sample_rate)
        for sound in _mono(same):
            frame = AudioFrame.from_ndarray(sound[None], "fltp", "mono")
            frame.sample_rate = rate
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        for part in resampler.resample(None):
            yield part.to_ndarray()[0]


def _mono(frames: Iterator[AudioFrame]) -> Iterator[F32]:
    """Mean of the channels, many frames at a time."""
    for (form, channels), same in groupby(
        frames, lambda frame: (frame.format.name, frame.layout.nb_channels)
    ):
        held: list[NDArray[Any]] = []
        length = 0
        for frame in same:
            held.append(_samples(frame))
            length += frame.samples
            if length >= AT_ONCE:
                yield mean(np.concatenate(held, axis=1), form, channels)
                held, length = [], 0
        if held:
            yield mean(np.concatenate(held, axis=1), form, channels)


def _samples(frame: AudioFrame) -> NDArray[Any]:
    if frame.format.is_planar and frame.layout.nb_channels >= 8:  # of which PyAV 18 reads past the pointers
        packer = av.AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
        parts = [part.to_ndarray() for part in (*packer.resample(frame), *packer.resample(None))]
        n = frame.layout.nb_channels
        return np.ascontiguousarray(np.concatenate(parts, axis=1).reshape(-1, n).T)
    return frame.to_ndarray()


def mean(samples: NDArray[Any], form: str, channels: int) -> F32:
    """Return the mean of the channels, shape ``(n,)``, in -1..1.

    What is no sample (NaN, infinite, beyond reason) comes out as silence.

    Parameters
    ----------
    samples : array
        Shape ``(channels, n)`` or, of a packed format, ``(1, n * channels)``.
    form : str
        FFmpeg's name of the format, such as ``"s16"``; one that ends with p is planar.
    """
    y = samples.astype(np.float32, copy=False)
    full_scale = FULL_SCALE.get(form.removesuffix("p"), 1)
    if full_scale == FULL_SCALE["u8"]:  # the only unsigned one
        y -= full_scale
    # A product: numpy's mean takes ten times as long.
    weights = np.full(channels, 1 / (full_scale * channels), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        mono: F32 = weights @ y if form.endswith("p") else y.reshape(-1, channels) @ weights
    if not np.abs(mono).max(initial=0.0) < LOUDEST:  # so that NaN is caught as well
        mono[~(np.abs(mono) < LOUDEST)] = 0.0
    return mono
