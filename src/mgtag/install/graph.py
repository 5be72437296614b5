"""Put weights and heads into an ONNX graph, needing no ``onnx`` package.

Protocol Buffers merge messages that stand one behind the other, and add up their lists. So weights, nodes and
outputs can be appended to a model's file: a second ``ModelProto`` with nothing but these in its graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mgtag.arrays import F32
from mgtag.install import varint

FLOAT = 1  # TensorProto.DataType
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9  # fields of TensorProto
NODE, INITIALIZER, OUTPUT, VALUE_INFO = 1, 5, 12, 13  # of GraphProto
INPUTS, OUTPUTS, OPERATOR, ATTRIBUTE = 1, 2, 4, 5  # of NodeProto
INTEGER, KIND, IS_INTEGER = 3, 20, 2  # of AttributeProto, and its type
GRAPH = 7  # of ModelProto

Part = tuple[int, bytes | None, bytes]  # number, content where it has a length, and all of it


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


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes
    ----------
    operator : str
        ONNX's name.
    inputs : tuple of str
    output : str
    integers : mapping of str to int
        Its attributes.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    integers: Mapping[str, int] = field(default_factory=dict)


def with_nodes(model: bytes, nodes: Iterable[Node], output: str, width: int) -> bytes:
    """Return an ONNX model with nodes behind its own, and one output more.

    Parameters
    ----------
    model : bytes
        A serialised ``ModelProto``.
    nodes : iterable of Node
        In the order in which they can be computed.
    output : str
        A value that one of them makes, of shape ``(n, width)``.
    """
    dims = _bytes(1, _bytes(2, b"batch")) + _bytes(1, _number(1, width))  # of TensorShapeProto
    of_tensor = _bytes(1, _number(1, FLOAT) + _bytes(2, dims))
    value = _bytes(OUTPUT, _bytes(1, output.encode()) + _bytes(2, of_tensor))
    return model + _bytes(GRAPH, b"".join(_bytes(NODE, _node(node)) for node in nodes) + value)


def renamed(model: bytes, old: str, new: str) -> bytes:
    """Return an ONNX model in which a value that its nodes make is called otherwise."""

    def named(content: bytes) -> bytes:
        return new.encode() if content == old.encode() else content

    def within(fields: Mapping[int, Callable[[bytes], bytes]]) -> Callable[[bytes], bytes]:
        def change(message: bytes) -> bytes:
            return b"".join(
                _bytes(number, fields[number](content)) if number in fields and content is not None else whole
                for number, content, whole in _parts(message)
            )

        return change

    node, value = within({INPUTS: named, OUTPUTS: named}), within({1: named})
    return within({GRAPH: within({NODE: node, OUTPUT: value, VALUE_INFO: value})})(model)


def outputs(model: bytes) -> list[str]:
    """Return the names of an ONNX model's outputs."""
    graphs = (content for number, content, _ in _parts(model) if number == GRAPH and content is not None)
    values = (content for g in graphs for number, content, _ in _parts(g) if number == OUTPUT and content)
    return [content.decode() for v in values for number, content, _ in _parts(v) if number == 1 and content]


def _parts(message: bytes) -> Iterator[Part]:
    """Split a message into its fields.

    Raises
    ------
    ValueError
        If it is none.
    """
    at = 0
    while at < len(message):
        begin = at
        tag, at = varint.decode(message, at)
        content = None
        match tag & 7:
            case 0:
                _, at = varint.decode(message, at)
            case 1:
                at += 8
            case 2:
                length, at = varint.decode(message, at)
                content, at = message[at : at + length], at + length
            case 5:
                at += 4
            case kind:
                raise ValueError(f"a field of kind {kind}")
        yield tag >> 3, content, message[begin:at]


def _node(node: Node) -> bytes:
    names = b"".join(_bytes(INPUTS, name.encode()) for name in node.inputs)
    attributes = b"".join(
        _bytes(ATTRIBUTE, _bytes(1, name.encode()) + _number(INTEGER, value) + _number(KIND, IS_INTEGER))
        for name, value in node.integers.items()
    )
    return (
        names + _bytes(OUTPUTS, node.output.encode()) + _bytes(OPERATOR, node.operator.encode()) + attributes
    )


def _tensor(name: str, values: F32) -> bytes:
    dims = b"".join(_number(DIMS, n) for n in values.shape)
    raw = values.astype("<f4").tobytes()
    return dims + _number(DATA_TYPE, FLOAT) + _bytes(NAME, name.encode()) + _bytes(RAW_DATA, raw)


def _number(field: int, value: int) -> bytes:
    return varint.encode(field << 3) + varint.encode(value)


def _bytes(field: int, value: bytes) -> bytes:
    return varint.encode(field << 3 | 2) + varint.encode(len(value)) + value
