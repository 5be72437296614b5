"""From one sample rate to another by a matrix product: FFmpeg's own filter, on many samples at once.

A resampler of rational ratio repeats itself: for every `M` samples that go in, `L` come out, each a fixed
weighted sum of its neighbourhood. The weights are read off FFmpeg's resampler, with one impulse for each of
the `M` places, so that what comes out is FFmpeg's to a float's rounding; BLAS takes a third of its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mgtag.arrays import F32

HALF_TAPS = 16  # of FFmpeg's filter, on each side, at the lower rate; its cutoff makes them a few more
CUTOFF = 0.97  # of half the lower rate
ROW = 96  # samples at least that one row of the product takes: fewer are slow, more meet mostly zeros
LARGEST = 1280  # M or L, as of 192,000 to 22,050 Hz; beyond, FFmpeg is faster than the making of the matrix


def resampled(parts: Iterator[F32], rate: int, to: int) -> Iterator[F32]:
    """Resample mono sound; what goes in and what comes out are parts of any length.

    Beyond its ends the sound is taken to be mirrored, as FFmpeg does; less than a millisecond gives nothing.

    Parameters
    ----------
    rate, to : int
        Hz.
    """
    every, gives = rate // gcd(rate, to), to // gcd(rate, to)
    if every == gives:
        return parts
    return _by_matrix(parts, every, gives) if max(every, gives) <= LARGEST else by_ffmpeg(parts, rate, to)


def by_ffmpeg(parts: Iterator[F32], rate: int, to: int) -> Iterator[F32]:
    """Do as `resampled`, with FFmpeg's resampler."""
    import av
    from av.audio.frame import AudioFrame

    resampler = av.AudioResampler("fltp", "mono", to)
    for part in parts:
        frame = AudioFrame.from_ndarray(part[None], "fltp", "mono")
        frame.sample_rate = rate
        for done in resampler.resample(frame):
            yield done.to_ndarray()[0]
    for done in resampler.resample(None):
        yield done.to_ndarray()[0]


def _by_matrix(parts: Iterator[F32], every: int, gives: int) -> Iterator[F32]:
    weights, reach = _weights(every, gives)
    row, out = len(weights) - 2 * reach, weights.shape[1]
    held, heard, given, begun = np.zeros(0, np.float32), 0, 0, False
    for part in parts:
        held, heard = np.concatenate([held, part]), heard + len(part)
        if not begun and len(held) > reach:
            held, begun = np.concatenate([held[reach:0:-1], held]), True
        if begun and (rows := (len(held) - 2 * reach) // row) > 0:
            yield _product(held, weights, row)
            held, given = held[rows * row :], given + rows * out
    if begun:  # of less there is no sound to speak of
        rest = ceil(heard * gives / every) - given
        last = np.pad(np.pad(held, (0, reach), "symmetric"), (0, row))  # the last row is seldom full
        yield _product(last, weights, row)[:rest]


def _product(y: F32, weights: F32, row: int) -> F32:
    """Return what comes out for all whole rows of `y`, which holds their neighbourhood too."""
    cuts = np.ascontiguousarray(sliding_window_view(y, len(weights))[::row])
    product: F32 = (cuts @ weights).ravel()
    return product


@cache
def _weights(every: int, gives: int) -> tuple[F32, int]:
    """Return the weights of some rows' worth, and how many samples a weighted sum reaches to either side.

    Returns
    -------
    F32
        Shape ``(reach + row + reach, out)``; `row` is a multiple of `every`, `out` as many times `gives`.
    int
        The reach.
    """
    reach = ceil(HALF_TAPS * max(1.0, every / gives / CUTOFF)) + 2
    times = ceil(ROW / every)
    apart = every * ceil((2 * reach + every) / every)
    places = np.arange(every) * (apart + 1) + apart  # impulse k lies at place k of its M samples
    impulses = np.zeros(places[-1] + 2 * apart, np.float32)
    impulses[places] = 1
    response = np.concatenate([*by_ffmpeg(iter([impulses]), every * 1000, gives * 1000)])
    samples, outs = np.arange(-reach, times * every + reach)[:, None], np.arange(times * gives)[None]
    moved, place = samples // every, samples % every
    at = (places[place] // every - moved) * gives + outs
    within = np.abs(at * every - places[place] * gives) <= reach * gives
    return np.where(within, response[at.clip(0, len(response) - 1)], np.float32(0)), reach
