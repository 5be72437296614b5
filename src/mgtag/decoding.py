"""Packets to mono float32, at the rate that is wanted.

The channels are averaged before resampling, so that one channel is resampled, and a slice goes through
the resampler in one piece: a call for every frame of a thousand samples costs more than the work itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

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
        for sound in _gathered(map(mono, same)):
            frame = AudioFrame.from_ndarray(sound[None], "fltp", "mono")
            frame.sample_rate = rate
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        for part in resampler.resample(None):
            yield part.to_ndarray()[0]


def mono(frame: AudioFrame) -> F32:
    """Return the mean of a frame's channels, shape ``(n,)``, in -1..1.

    What is no sample (NaN, infinite, beyond reason) comes out as silence.
    """
    n = frame.layout.nb_channels
    if n >= 8 and frame.format.is_planar:  # of which PyAV 18 reads past the pointers
        packed = av.AudioResampler("flt", frame.layout, frame.sample_rate).resample(frame)
        return np.concatenate([mono(part) for part in packed])
    y = frame.to_ndarray().astype(np.float32, copy=False)
    full_scale = FULL_SCALE.get(frame.format.name.removesuffix("p"), 1)
    if full_scale == FULL_SCALE["u8"]:  # the only unsigned one
        y -= full_scale
    weights = np.full(n, 1 / (full_scale * n), np.float32)  # a product: numpy's mean takes ten times as long
    with np.errstate(invalid="ignore", over="ignore"):
        mean: F32 = weights @ y if frame.format.is_planar else y.reshape(-1, n) @ weights
    if not np.abs(mean).max(initial=0.0) < LOUDEST:  # so that NaN is caught as well
        mean[~(np.abs(mean) < LOUDEST)] = 0.0
    return mean


def _gathered(parts: Iterator[F32]) -> Iterator[F32]:
    held: list[F32] = []
    length = 0
    for part in parts:
        held.append(part)
        length += len(part)
        if length >= AT_ONCE:
            yield np.concatenate(held)
            held, length = [], 0
    if held:
        yield np.concatenate(held)
