"""Packets to mono float32, at the rate that is wanted.

The channels are averaged before resampling, so that one channel is resampled, and many frames go through
the resampler in one piece: a call for every frame of a thousand samples costs more than the work itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mgtag.arrays import F32
from mgtag.resampling import resampled

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

AT_ONCE = 1 << 16  # samples that are resampled together: memory stays small, and calls few
LOUDEST = 1e6  # beyond it (120 dB over full scale) a float is no sample, and its square no float32
# FFmpeg's names and numpy's
SAMPLE_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "s64": 1 << 63}  # of FFmpeg's integers


def decoded(
    container: InputContainer, stream: AudioStream, before: int | None = None
) -> Iterator[AudioFrame]:
    """Frames in order, passing over packets that cannot be decoded, as every player does.

    Parameters
    ----------
    before : int, optional
        In the stream's time base: packets that begin earlier are not decoded. A seek in Ogg leads to the
        beginning of a page, up to a second too early.
    """
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        if before is not None and packet.pts is not None:
            if packet.pts < before:
                continue
            before = None
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def mono(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[F32]:
    """Mono sound of some frames, at one rate, in parts of any length."""
    for rate, same in groupby(frames, lambda frame: frame.sample_rate):
        yield from resampled(_averaged(same), rate, sample_rate)


def _averaged(frames: Iterator[AudioFrame]) -> Iterator[F32]:
    """Mean of the channels, many frames at a time."""
    for (form, channels), same in groupby(
        frames, lambda frame: (frame.format.name, frame.layout.nb_channels)
    ):
        held: list[AudioFrame] = []
        length = 0
        for frame in same:
            held.append(frame)
            length += frame.samples
            if length >= AT_ONCE:
                yield mean(_samples(held), form, channels)
                held, length = [], 0
        if held:
            yield mean(_samples(held), form, channels)


def _samples(frames: list[AudioFrame]) -> NDArray[Any]:
    """Join frames of one format; `AudioFrame.to_ndarray` takes five times as long for each."""
    form, channels = frames[0].format, frames[0].layout.nb_channels
    if form.is_planar and channels >= 8:  # of which PyAV 18 reads past the pointers
        return np.concatenate([_unpacked(frame) for frame in frames], axis=1)
    dtype, values = SAMPLE_TYPES[form.packed.name], 1 if form.is_planar else channels
    planes: list[tuple[tuple[Any, ...], int]] = [(frame.planes, frame.samples * values) for frame in frames]
    samples = np.empty((channels // values, sum(n for _, n in planes)), dtype)
    for channel, row in enumerate(samples):
        np.concatenate([np.frombuffer(plane[channel], dtype, n) for plane, n in planes], out=row)
    return samples


def _unpacked(frame: AudioFrame) -> NDArray[Any]:
    import av

    packer = av.AudioResampler(frame.format.packed.name, frame.layout, frame.sample_rate)
    parts = [part.to_ndarray() for part in (*packer.resample(frame), *packer.resample(None))]
    interleaved = np.concatenate(parts, axis=1).reshape(-1, frame.layout.nb_channels)
    return np.ascontiguousarray(interleaved.T)


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
