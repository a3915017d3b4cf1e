"""Plain data crosses the boundary unchanged; nothing else crosses it."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as hnp

from autograder.hidden.compare import difference
from autograder.sandbox.inside import wire

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner, max_size=4)
    ),
    max_leaves=20,
)
arrays = hnp.arrays(
    st.sampled_from([np.dtype(name) for name in sorted(wire.ARRAY_TYPES)]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


def crossed(value):
    return wire.decode(json.loads(json.dumps(wire.encode(value))))


@given(plain)
def test_plain_data_arrives_unchanged(value):
    assert crossed(value) == value


@given(arrays)
def test_arrays_arrive_bit_for_bit(array):
    arrived = crossed(array)
    assert arrived.dtype == array.dtype
    assert arrived.shape == array.shape
    assert arrived.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", sorted(wire.TENSOR_TYPES))
def test_tensors_arrive_unchanged(dtype):
    tensor = torch.tensor([[0, 1], [1, 0], [1, 1]]).to(getattr(torch, dtype)).T
    arrived = crossed(tensor)
    assert arrived.dtype == tensor.dtype
    assert torch.equal(arrived, tensor)


def test_a_parameter_arrives_as_a_tensor():
    assert torch.equal(crossed(torch.nn.Parameter(torch.ones(2))), torch.ones(2))


def test_byte_order_does_not_matter():
    assert crossed(np.array([1.5, -2.0], dtype=">f4")).tolist() == [1.5, -2.0]


def test_infinities_and_nan_arrive():
    assert crossed(float("inf")) == float("inf")
    assert difference(crossed(float("nan")), 0.0) is not None


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", torch.nn.Linear(1, 1), len])
def test_anything_else_is_refused_unless_a_reference_stands_for_it(value):
    with pytest.raises(wire.WireError):
        wire.encode(value)
    assert wire.encode(value, lambda _: {"$": "handle", "id": 0})["$"] == "handle"


tag = wire.encode(np.zeros(2, dtype=np.float32))


@pytest.mark.parametrize(
    "message",
    [
        {"$": "array"},
        {**tag, "dtype": "object"},
        {**tag, "dtype": ["float32"]},
        {**tag, "shape": [3]},
        {**tag, "shape": [-1, -2]},
        {**tag, "shape": [True, 2]},
        {**tag, "shape": [2**62, 2**62]},
        {**tag, "shape": [1] * 40},
        {**tag, "v": "not base64"},
        {**tag, "v": None},
        {"$": "array", "dtype": "bool", "shape": [1], "v": "Ag=="},
        {"$": "dict", "v": [[1]]},
        {"$": "dict", "v": [[[], 1]]},
        {"$": "float", "v": "1.0"},
        {"$": "pickle", "v": "gASV"},
        {"no": "tag"},
    ],
)
def test_a_malformed_message_is_refused(message):
    with pytest.raises(wire.WireError):
        wire.decode(message)


def test_nesting_without_end_is_refused():
    message = []
    for _ in range(100_000):
        message = [message]
    with pytest.raises(wire.WireError):
        wire.decode(message)


def test_a_frame_longer_than_allowed_is_refused_before_it_is_read():
    asked = []

    def read(count):
        asked.append(count)
        return (wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big")

    with pytest.raises(wire.WireError, match="64 MB"):
        wire.receive(read)
    assert asked == [4]


def test_a_frame_that_is_not_json_is_refused():
    frame = b"\x80\x04K\x01."
    parts = iter([len(frame).to_bytes(4, "big"), frame])
    with pytest.raises(wire.WireError):
        wire.receive(lambda _: next(parts))
