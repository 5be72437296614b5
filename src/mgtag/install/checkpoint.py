"""Read a TensorFlow V2 checkpoint ("tensor bundle") without TensorFlow.

The index is a LevelDB table (github.com/google/leveldb, doc/table_format.md): blocks of keys, each with the
prefix that it shares with the one before left out, and a footer with the offset of the index block.
Its values are TensorFlow's ``BundleEntryProto``; the numbers lie one after the other in the data file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mgtag.arrays import F32
from mgtag.install import varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48  # bytes
UNCOMPRESSED = 0
FLOAT32 = 1  # TensorFlow's DT_FLOAT
DTYPE, SHAPE, OFFSET, SIZE = 1, 2, 4, 5  # fields of BundleEntryProto
DIM, EXTENT = 2, 1  # of TensorShapeProto, and of its Dim


def tensors(index: bytes, data: bytes) -> dict[str, F32]:
    """Return every float32 tensor of a checkpoint of one shard by its name.

    Parameters
    ----------
    index, data : bytes
        Content of the files ``.index`` and ``.data-00000-of-00001``.

    Raises
    ------
    ValueError
        If these are no such files, or compressed ones.
    """
    try:
        return dict(_tensors(index, data))
    except (IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"the index is damaged ({error!r})") from error


def _tensors(index: bytes, data: bytes) -> Iterator[tuple[str, F32]]:
    for key, value in _table(index):
        entry = _fields(value)
        if not key or entry[DTYPE] != [FLOAT32]:  # the header, or a counter
            continue
        shape = [_fields(dim)[EXTENT][0] for dim in _fields(entry[SHAPE][0]).get(DIM, [])]
        offset = entry.get(OFFSET, [0])[0]  # a nought is left out
        yield key.decode(), np.frombuffer(data, "<f4", entry[SIZE][0] // 4, offset).reshape(shape)


def _table(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = raw[-FOOTER:]
    if not footer.endswith(MAGIC):
        raise ValueError("this is no LevelDB table")
    _, at = _handle(footer, 0)  # of the metadata
    (begin, size), _ = _handle(footer, at)
    for _, handle in _block(raw, begin, size):
        yield from _block(raw, *_handle(handle, 0)[0])


def _block(raw: bytes, begin: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if raw[begin + size] != UNCOMPRESSED:
        raise ValueError("the table is compressed")
    block = raw[begin : begin + size]
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")  # where the list of whole keys begins
    at, key = 0, b""
    while at < end:
        (shared, own), at = _handle(block, at)
        length, at = varint.decode(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> dict[int, list[Any]]:
    """Split a protobuf message into its fields, each a list of numbers or bytes."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        tag, at = varint.decode(message, at)
        value: Any
        match tag & 7:
            case 0:
                value, at = varint.decode(message, at)
            case 2:
                length, at = varint.decode(message, at)
                value, at = message[at : at + length], at + length
            case 5:
                value, at = message[at : at + 4], at + 4
            case kind:
                raise ValueError(f"a field of kind {kind}")
        found.setdefault(tag >> 3, []).append(value)
    return found


def _handle(raw: bytes, at: int) -> tuple[tuple[int, int], int]:
    first, at = varint.decode(raw, at)
    second, at = varint.decode(raw, at)
    return (first, second), at
