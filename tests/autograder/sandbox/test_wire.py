"""Plain data crosses the boundary unchanged; nothing else crosses it."""

import json
import tracemalloc

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import example, given
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


MIB = 2**20
PARSER_BYTES = 2048  # what the parser takes itself, however short the frame
anything = st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs too
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner) | st.dictionaries(anything, inner),
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


def test_a_tensor_without_numbers_stays_where_it_is():
    nowhere = torch.zeros(2, 3, device="meta")
    assert wire.encode(nowhere, lambda value: {"$": "handle", "id": 0}) == {"$": "handle", "id": 0}
    with pytest.raises(wire.WireError, match="not plain data"):
        wire.encode(nowhere)


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


def test_very_deep_nesting_is_refused():
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


def received(frame):
    """Return what `receive` makes of the bytes of a frame."""
    parts = iter([len(frame).to_bytes(4, "big"), frame])
    return wire.receive(lambda _: next(parts))


def taken(work):
    """Return the most memory that `work` takes at any moment, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(plain_json, st.booleans())
@example("\ud800", True)
@example({"\udfff": ["\ud83d", "\ude00"]}, False)
def test_what_arrives_can_be_written_whatever_was_sent(value, escaped):
    frame = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    json.dumps(received(frame), ensure_ascii=False).encode("utf-8")


@given(st.binary())
@example(b'"\xed\xa0\x80"')
@example(b'"\xff"')
@example('"'.encode("utf-16"))
def test_a_frame_of_any_bytes_is_refused_or_its_value_can_be_written(frame):
    try:
        value = received(frame)
    except wire.WireError:
        return
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def test_half_of_a_surrogate_pair_arrives_as_the_replacement_character():
    frame = b'["a\\ud800z", "\\uD83D\\uDE00", {"\\udc00": "\\\\ud800"}]'
    assert received(frame) == ["a\ufffdz", "\N{GRINNING FACE}", {"\ufffd": "\\ud800"}]


SHAPES = {
    "empty lists": b"[],",
    "lists of one number": b"[1.5],",
    "lists of lists": b"[[[[[[]]]]],[]],",
    "empty dicts": b"{},",
    "dicts": b'{"a":1.5,"b":{"c":"d"}},',
    "numbers": b"1.5,",
    "digits": b"1234567890,",
    "empty strings": b'"",',
    "strings": b'"ab","a longer one",',
    "strings with escapes": b'"\\n\\"\\\\",',
    "strings with wide characters": b'"\\ud83d\\ude00abc","\\u1234",',
    "strings with wide characters as they are": '"\N{GRINNING FACE}abc","ü",'.encode(),
    "white space": b" 1,    ",
}


@pytest.mark.parametrize("unit", SHAPES.values(), ids=SHAPES)
def test_parsing_takes_no_more_than_estimated_and_at_least_a_twelfth_of_it(unit):
    frame = b"[" + unit * (200_000 // len(unit)) + b"0]"
    measured = taken(lambda: json.loads(frame.decode()))
    assert measured - PARSER_BYTES <= wire.parsed_bytes(frame) <= 12 * measured


@pytest.mark.parametrize("text", ["a", "\n", "ü", "\u1234", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("last", ["", "ü", "\N{GRINNING FACE}"])
def test_one_long_string_takes_no_more_than_estimated(text, escaped, last):
    frame = json.dumps(text * 100_000 + last, ensure_ascii=escaped).encode()
    measured = taken(lambda: json.loads(frame.decode()))
    assert measured - PARSER_BYTES <= wire.parsed_bytes(frame) <= 12 * measured


def test_many_keys_take_no_more_than_estimated():
    for count in (1, 6, 11, 22, 43, 86, 171, 342, 10_000, 43_691):
        frame = json.dumps({str(key): 1.5 for key in range(count)}).encode()
        measured = taken(lambda f=frame: json.loads(f.decode()))
        assert measured - PARSER_BYTES <= wire.parsed_bytes(frame)


@given(st.lists(plain_json, min_size=1, max_size=5), st.booleans())
def test_parsing_anything_takes_no_more_than_estimated(values, escaped):
    text = json.dumps(values * 50, ensure_ascii=escaped)
    frame = text.encode("utf-8", "surrogatepass")
    measured = taken(lambda: json.loads(frame.decode("utf-8", "replace")))
    assert measured - PARSER_BYTES <= wire.parsed_bytes(frame)


@given(st.text('[]{},:"\\\\u0a'))
def test_text_after_an_error_does_not_make_the_estimate_smaller(behind):
    before = b"[[],[],{}," * 10
    assert wire.parsed_bytes(before + behind.encode()) >= wire.parsed_bytes(before)


@given(anything, st.integers(1, 20))
def test_the_estimate_does_not_depend_on_where_a_frame_is_cut_into_pieces(text, size):
    frame = json.dumps([text, {text: text}, 1.5]).encode()
    whole = wire.parsed_bytes(frame)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "_PIECE_BYTES", size)
        # An escape of six bytes that is cut in two is not recognised as one character.
        assert whole <= wire.parsed_bytes(frame) <= whole + 5 * 8 * frame.count(b"\\u")


def test_40_mb_of_brackets_are_refused_before_they_are_parsed():
    frame = b"[" + b"[]," * (40 * MIB // 3) + b"0]"

    def refuse():
        with pytest.raises(wire.WireError, match="256 MB of memory"):
            received(frame)

    assert taken(refuse) < 32 * MIB


@pytest.mark.parametrize(
    "unit", [b"[", b"[],", b"{}", b'"",', b"\\", b'\\"', b"1", b'"', b"\xff", b"\\ud800"]
)
@pytest.mark.parametrize("start", [b"", b'"'])
def test_the_estimate_itself_takes_little_memory(start, unit):
    frame = start + unit * (8 * MIB // len(unit))
    assert taken(lambda: wire.parsed_bytes(frame)) < 16 * MIB


def test_the_largest_answers_of_a_course_pass():
    wire.check_cost(json.dumps(np.random.default_rng(0).normal(size=500_000).tolist()).encode())
    wire.check_cost(b'{"value": "' + b"A" * (64 * MIB - 20) + b'"}')
    printed = '[1.5, {"a": "\\n"}]:\n' * (8 * MIB // 20)
    wire.check_cost(json.dumps({"text": printed}).encode())
    wire.check_cost(json.dumps({"text": "ü" * 8 * MIB}).encode())
