"""TensorFlow's checkpoint, read without TensorFlow."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from checkpoints import random_checkpoint, written
from hypothesis import given, settings
from hypothesis import strategies as st

from mgtag.install.checkpoint import tensors


@pytest.mark.parametrize("block_size", [10, 300, 2000, 10**6])
def test_every_float_tensor_is_read_back(block_size: int) -> None:
    made = random_checkpoint() | {"scalar": np.array(3.5, np.float32)}
    found = tensors(*written(made, block_size))
    assert found.keys() == made.keys()
    for name, values in made.items():
        np.testing.assert_array_equal(found[name], values)


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="no LevelDB table"):
        tensors(b"PK\x03\x04" * 50, b"")


def test_a_compressed_table_is_refused() -> None:
    index, data = written({"a": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match="compressed"):
        tensors(index.replace(b"\0crc!", b"\1crc!"), data)


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_damaged_index_ends_in_a_value_error_or_an_answer(at: int, byte: int) -> None:
    index, data = written({"layer/kernel": np.ones((3, 2), np.float32), "layer/bias": np.ones(2, np.float32)})
    damaged = bytearray(index)
    damaged[at % len(index)] = byte
    with suppress(ValueError):
        tensors(bytes(damaged), data)
