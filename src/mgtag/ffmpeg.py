"""Open a file so that FFmpeg sees its sound, and nothing before, behind or beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgtag import asf_header, tails
from mgtag.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# FFmpeg's demuxers of sound. Others are kept out: a playlist (concat, hls) would open what it names,
# on this disk or elsewhere, and any text file may pose as one.
DEMUXERS = "aac,aiff,ape,asf,au,caf,dsf,flac,matroska,mov,mp3,mpc,mpc8,ogg,tak,tta,w64,wav,wv"
PROBED = "65536"  # bytes of a wav; FFmpeg would look through 5 MB, 20 ms, whether it is DTS in disguise
LOWEST_RATE = 1_000  # Hz; a second at 1 Hz would be resampled to 22,050 samples
MOST_CHANNELS = 64
TRUNCATED_S = 2.0  # seconds that a header may promise beyond the sound before we call it damage
OPENING_S, READING_S = 30.0, 60.0  # seconds, for a header and for a packet


@contextmanager
def open_sound(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open a file's first stream of sound.

    Raises
    ------
    AudioError
        If the file is empty or holds no audio.
    OSError
        If it cannot be opened.
    """
    import av  # 30 ms, which a process that opens no file is spared

    if not Path(path).stat().st_size:
        raise AudioError(f"{path}: the file is empty.")
    with open(path, "rb") as file:  # Python's own OSError names the file and the cause; FFmpeg's does not
        end, size = tails.end_of_sound(file), file.seek(0, os.SEEK_END)
        file.seek(0)
        is_riff = file.read(4) == b"RIFF"
    if not end:
        raise AudioError(f"{path}: there are tags in this file, and no sound.")
    try:
        # "subfile" to see nothing behind the sound, "file" so that no name is taken for a protocol.
        container = av.open(
            ("" if end == size else f"subfile,,start,0,end,{end},,:") + f"file:{os.fspath(path)}",
            metadata_errors="ignore",
            timeout=(OPENING_S, READING_S),  # a damaged header can send a demuxer round and round
            options={"format_whitelist": DEMUXERS} | ({"probesize": PROBED} if is_riff else {}),
        )
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{path}: this is no audio file that mgtag can read ({reason(error)}).") from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{path}: there is no sound in this file.")
        stream = container.streams.audio[0]
        if stream.codec_context is None:  # nothing that FFmpeg knows; PyAV's types say it cannot be
            raise AudioError(f"{path}: its sound is of a kind that mgtag cannot decode.")
        stream.codec_context.thread_count = 1  # scan runs one process a core already
        yield container, stream


def bounded(
    frames: Iterator[AudioFrame], path: Path, at_most_s: float = float("inf")
) -> Iterator[AudioFrame]:
    """Pass decoded frames on, up to the given length.

    A frame may contradict the header that the file began with, so each is looked at.

    Raises
    ------
    AudioError
        At a frame that would grow out of all proportion when it is resampled.
    """
    length_s = 0.0
    for frame in frames:
        channels = frame.layout.nb_channels
        if frame.sample_rate < LOWEST_RATE or channels > MOST_CHANNELS:
            raise AudioError(
                f"{path}: this is no music: {channels} channels at {frame.sample_rate} Hz, "
                f"and mgtag takes {MOST_CHANNELS} at most, at {LOWEST_RATE} Hz at least."
            )
        yield frame
        length_s += frame.samples / frame.sample_rate
        if length_s >= at_most_s:
            return


def reason(error: Exception) -> str:
    """Return FFmpeg's words for what went wrong."""
    return getattr(error, "strerror", None) or str(error)


def promised_s(path: Path, container: InputContainer, stream: AudioStream) -> float:
    """Return the length that the header promises, in seconds; 0 where it is silent on it."""
    import av

    if container.format.name == "asf":
        with open(path, "rb") as file:
            return asf_header.length_s(file)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def is_guessed(path: Path, codec: str) -> bool:
    """Return whether FFmpeg guessed the length from the bit rate: an mp3 without a Xing or VBRI header."""
    if not codec.startswith("mp3"):
        return False
    with open(path, "rb") as file:
        head = file.read(10)
        # ID3v2: the tag's size is in the last four bytes of its header, seven bits each.
        skip = (
            10 + sum(byte << 7 * n for n, byte in enumerate(reversed(head[6:10])))
            if head[:3] == b"ID3"
            else 0
        )
        file.seek(skip)
        first = file.read(4096)
    return not any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def check_length(path: Path, decoded_s: float, promised_s: float) -> None:
    """Compare how long the sound is with what the header promises.

    Raises
    ------
    AudioError
        If it ends well before.
    """
    if decoded_s < promised_s - TRUNCATED_S:
        raise AudioError(
            f"{path}: the file is truncated or damaged: its sound ends after {decoded_s:.0f} s "
            f"of {promised_s:.0f} s. Get a whole copy, then scan again."
        )


def read_packets(
    path: Path, container: InputContainer, stream: AudioStream, tell: Callable[[Any], None]
) -> float:
    """Read the encoded sound to its end, and return its length in seconds."""
    import av

    begin, end = None, 0  # by the timestamps; Ogg's packets have no lengths
    try:
        for packet in container.demux(stream):
            tell(packet)
            if packet.pts is not None:
                begin = packet.pts if begin is None else begin
                end = max(end, packet.pts + (packet.duration or 0))
    except av.FFmpegError as error:
        raise AudioError(f"{path}: the sound cannot be read to its end ({reason(error)}).") from error
    return float((end - (begin or 0)) * (stream.time_base or 0))
