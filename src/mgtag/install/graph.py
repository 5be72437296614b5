"""Put weights into an ONNX graph that came without, needing no ``onnx`` package.

Protocol Buffers merge messages that stand one behind the other, and add up their lists. So a model's weights
can be appended to its file: a second ``ModelProto`` with nothing but the initialisers of its graph.
"""

from __future__ import annotations

from collections.abc import Mapping

from mgtag.arrays import F32

FLOAT = 1  # TensorProto.DataType
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9  # fields of TensorProto
INITIALIZER = 5  # of GraphProto
GRAPH = 7  # of ModelProto


def with_weights(skeleton: bytes, weights: Mapping[str, F32]) -> bytes:
    """Return an ONNX model with initialisers.

    Parameters
    ----------
    skeleton : bytes
        A serialised ``ModelProto`` whose nodes use names that nothing gives a value to.
    weights : mapping
        The values.
    """
    return skeleton + _bytes(GRAPH, b"".join(_bytes(INITIALIZER, _tensor(*item)) for item in weights.items()))


def _tensor(name: str, values: F32) -> bytes:
    dims = b"".join(_number(DIMS, n) for n in values.shape)
    raw = values.astype("<f4").tobytes()
    return dims + _number(DATA_TYPE, FLOAT) + _bytes(NAME, name.encode()) + _bytes(RAW_DATA, raw)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    low = bytes([number & 127 | (128 if number > 127 else 0)])
    return low + _varint(number >> 7) if number > 127 else low
