"""A checkpoint of musicnn's shape with random weights, and the file format that it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mgtag.arrays import F32

MAGIC = bytes.fromhex("57fb808b247547db")
KERNELS = [
    *((7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51)),
    *((7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64)),
]
HEARING = (23, 14, 3, 7, 17)  # filters of each kind that hear anything, as in MSD_musicnn
WIDTH = 2 * (561 + 3 * 64)
NORMS = (1, 204, 204, 51, 51, 51, 64, 64, 64, WIDTH, 200)


def random_checkpoint(seed: int = 0, tags: int = 50) -> dict[str, F32]:
    """Weights of a network that says something, most of whose filters hear nothing, as the real one's."""
    g = np.random.default_rng(seed)
    made: dict[str, F32] = {}
    for n, shape in enumerate(KERNELS):
        name = f"conv2d_{n}" if n else "conv2d"
        kernel = g.normal(0, np.prod(shape[:3]) ** -0.5, shape)
        if n < 5:
            kernel[..., g.permutation(shape[-1])[HEARING[n] :]] *= 1e-28
        made |= {f"{name}/kernel": kernel, f"{name}/bias": g.normal(0, 0.3, shape[-1])}
        made |= {f"{name}/kernel/Adam": kernel, f"{name}/bias/Adam_1": kernel[0, 0, 0]}
    for n, width in enumerate(NORMS):
        name = f"batch_normalization_{n}" if n else "batch_normalization"
        made[f"{name}/gamma"] = g.normal(0.3, 0.5, width)  # many are negative
        made[f"{name}/beta"], made[f"{name}/moving_mean"] = g.normal(0, 0.3, (2, width))
        made[f"{name}/moving_variance"] = g.random(width) + 1e-3
    for name, shape in (("dense", (WIDTH, 200)), ("dense_1", (200, tags))):
        made |= {
            f"{name}/kernel": g.normal(0, shape[0] ** -0.5, shape),
            f"{name}/bias": g.normal(0, 1, shape[1]),
        }
    return {name: np.asarray(values, np.float32) for name, values in made.items()}


def written(tensors: Mapping[str, F32], block_size: int = 2000) -> tuple[bytes, bytes]:
    """Index and data of a TensorFlow V2 checkpoint, by the description of LevelDB's tables."""
    data, entries = b"", [(b"", b"\x08\x01")]  # the header: one shard
    for name in sorted(tensors):
        raw = tensors[name].astype("<f4").tobytes()
        shape = b"".join(field(2, number(1, n)) for n in tensors[name].shape)
        offset = number(4, len(data)) if data else b""
        entries.append(
            (name.encode(), number(1, 1) + field(2, shape) + offset + number(5, len(raw)) + b"\x35abcd")
        )
        data += raw
    entries.append((b"global_step", number(1, 9) + field(2, b"") + number(5, 8)))  # an int64, read by nobody
    table, handles, block = b"", [], []
    for entry in [*entries, None]:
        if block and (entry is None or sum(len(k) + len(v) for k, v in block) > block_size):
            raw = blocked(block)
            handles.append((block[-1][0] + b"~", varint(len(table)) + varint(len(raw))))
            table, block = table + raw + b"\0crc!", []
        if entry:
            block.append(entry)
    handle = varint(len(table)) + varint(len(raw := blocked([])))
    table += raw + b"\0crc!"
    handle += varint(len(table)) + varint(len(raw := blocked(handles)))
    return table + raw + b"\0crc!" + handle.ljust(40, b"\0") + MAGIC, data


def blocked(entries: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(_prefixed(entries)) + bytes(4) + (1).to_bytes(4, "little")  # one restart, at 0


def _prefixed(entries: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
    before = b""
    for key, value in entries:
        shared = next(
            (n for n, (a, b) in enumerate(zip(before, key, strict=False)) if a != b),
            min(len(before), len(key)),
        )
        yield varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key


def number(n: int, value: int) -> bytes:
    return varint(n << 3) + varint(value)


def field(n: int, value: bytes) -> bytes:
    return varint(n << 3 | 2) + varint(len(value)) + value


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
