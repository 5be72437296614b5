r"""Binary patches that turn an edited file back into the original, byte for byte.

The original is cut into windows of 1 MiB. Most of a tagged file's windows stand unchanged in
the edited one, at the same distance from its beginning or from its end, and are only counted.
The others are compressed by Zstandard with the corresponding region of the edited file as a
prefix ("patch-from"), which finds audio shifted by any amount and pages renumbered one by one,
in memory that does not grow with the file.

Format, little-endian::

    b"mgtagP1\n"  u64 size of the edited file  u64 size of the original
    then, until the original is complete, one of
    b"="  u64 n                       n bytes, equal at the same distance from the beginning
    b">"  u64 n                       n bytes, equal at the same distance from the end
    b"Z"  u32 n  u64 at  u32 m  u32 k  then k bytes of Zstandard: n bytes, whose prefix is the
                                      edited file's m bytes from `at`

A patch proves nothing by itself: `tags.drafting` keeps the SHA-256 of both files beside it.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import BinaryIO, Protocol

from mgtag.errors import TagError
from mgtag.tails import read_at

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MAGIC = b"mgtagP1\n"
_HEAD = struct.Struct("<8sQQ")
_COPY = struct.Struct("<cQ")
_DELTA = struct.Struct("<cIQII")
_WINDOW = 1 << 20  # bytes of the original per step
_SLACK = 1 << 16  # bytes of the edited file added on both sides of the corresponding region
_MAX_REACH = 1 << 23  # bytes; past this size difference a shift within the file is not searched for
_WINDOW_LOG = 25  # 32 MiB: covers a window and the largest prefix
_LEVEL = 3


class Sink(Protocol):
    """Whatever bytes can be written to."""

    def write(self, data: bytes, /) -> int: ...


def make(old: BinaryIO, new: BinaryIO) -> bytes:
    """Return the patch that turns `new` back into `old`.

    Both are read from seekable files, opened in binary; memory use is bounded.
    """
    old_size, new_size = _size(old), _size(new)
    shift = new_size - old_size
    out = [_HEAD.pack(_MAGIC, new_size, old_size)]
    run_kind, run = b"", 0
    for at in range(0, old_size, _WINDOW):
        piece = read_at(old, at, _WINDOW)
        if read_at(new, at, len(piece)) == piece:
            kind = b"="
        elif shift and read_at(new, at + shift, len(piece)) == piece:
            kind = b">"
        else:
            kind = b"Z"
        if run and kind != run_kind:
            out.append(_COPY.pack(run_kind, run))
            run = 0
        if kind == b"Z":
            out.append(_delta(piece, at, new, shift))
        else:
            run_kind, run = kind, run + len(piece)
    if run:
        out.append(_COPY.pack(run_kind, run))
    return b"".join(out)


def sizes(patch: bytes) -> tuple[int, int]:
    """Return how long the edited file and the original are, in bytes; zeros for a damaged patch."""
    if not patch.startswith(_MAGIC) or len(patch) < _HEAD.size:
        return 0, 0
    _, new_size, old_size = _HEAD.unpack_from(patch)
    return new_size, old_size


def apply(new: BinaryIO, patch: bytes, out: Sink) -> None:
    """Write the original to `out`, from the edited file and its patch.

    Raises
    ------
    TagError
        If the patch is damaged or belongs to a file of another size.
    """
    try:
        magic, new_size, old_size = _HEAD.unpack_from(patch)
        if magic != _MAGIC or new_size != _size(new):
            raise TagError("this patch belongs to another file.")
        at, position = _HEAD.size, 0
        while position < old_size:
            at, n = _step(new, patch, at, position, new_size - old_size, out)
            position += n
        if position != old_size or at != len(patch):
            raise TagError("the patch is damaged: it does not end where it should.")
    except (struct.error, zstd.ZstdError) as error:
        raise TagError(f"the patch is damaged ({error}).") from error


def _step(new: BinaryIO, patch: bytes, at: int, position: int, shift: int, out: Sink) -> tuple[int, int]:
    kind = patch[at : at + 1]
    if kind in (b"=", b">"):
        _, n = _COPY.unpack_from(patch, at)
        source = position if kind == b"=" else position + shift
        for offset in range(0, n, _WINDOW):
            out.write(_exactly(new, source + offset, min(_WINDOW, n - offset)))
        return at + _COPY.size, n
    if kind == b"Z":
        _, n, start, length, packed = _DELTA.unpack_from(patch, at)
        at += _DELTA.size
        prefix = _exactly(new, start, length)
        piece = zstd.decompress(
            patch[at : at + packed],
            zstd_dict=_prefix(prefix),
            options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG},
        )
        if len(piece) != n:
            raise TagError("the patch is damaged: a window has the wrong length.")
        out.write(piece)
        return at + packed, n
    raise TagError("the patch is damaged.")


def _delta(piece: bytes, at: int, new: BinaryIO, shift: int) -> bytes:
    reach = min(abs(shift), _MAX_REACH) + _SLACK
    start = max(0, at - reach)
    prefix = read_at(new, start, at + len(piece) + reach - start)
    options = {
        int(zstd.CompressionParameter.compression_level): _LEVEL,
        zstd.CompressionParameter.window_log: _WINDOW_LOG,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    packed = zstd.compress(piece, options=options, zstd_dict=_prefix(prefix))
    return _DELTA.pack(b"Z", len(piece), start, len(prefix), len(packed)) + packed


def _prefix(data: bytes) -> tuple[zstd.ZstdDict, int] | None:
    return zstd.ZstdDict(data, is_raw=True).as_prefix if len(data) >= 8 else None  # Zstandard's least


def _exactly(file: BinaryIO, at: int, n: int) -> bytes:
    data = read_at(file, at, n)
    if len(data) != n:
        raise TagError("the patch is damaged: it points past the end of the file.")
    return data


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)
