"""No bytes from a sandbox make the trusted side crash, take much memory, or run anything.

`make fuzz` looks for such bytes for longer, guided by coverage.
"""

import json
import os

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from seeds import REPLIES, seeds
from targets import TARGETS, Broken, as_data_only

TAGS = ["float", "tuple", "dict", "array", "tensor", "handle", "student", "pickle"]
WORDS = ["$", "v", "id", "dtype", "shape", "value", "error", "outputs", "output_type", "data"]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*TAGS, "float32", "bool", "stream", "AAAA", "inf", "text/html"])
)
messages = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=5)
        | st.builds(lambda tag, v: {"$": tag, "v": v}, st.sampled_from(TAGS), inner)
    ),
    max_leaves=15,
)
each_target = pytest.mark.parametrize("target", TARGETS)


@pytest.mark.parametrize(("target", "data"), [(t, d) for t, all in seeds().items() for d in all])
def test_what_an_honest_kernel_sends_is_taken(target, data):
    TARGETS[target](data)


@each_target
@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_are_taken_as_data_or_refused(target, data):
    TARGETS[target](data)


@each_target
@given(st.lists(messages, min_size=1, max_size=3))
@settings(max_examples=200)
def test_any_messages_are_taken_as_data_or_refused(target, data):
    contents = [json.dumps(message).encode() for message in data]
    for content in contents:
        TARGETS[target](
            content if target == "payload" else len(content).to_bytes(4, "big") + content
        )


@given(st.sampled_from(REPLIES), st.integers(0), st.integers(0, 255), st.integers(0, 60))
@settings(max_examples=300)
def test_a_damaged_reply_is_taken_as_data_or_refused(reply, place, byte, cut):
    content = bytearray(json.dumps(reply).encode())
    content[place % len(content)] = byte
    TARGETS["payload"](bytes(content[: len(content) - cut]))


@pytest.mark.parametrize(
    "work",
    [
        lambda: eval("1 + 1"),
        lambda: os.listdir("/"),
        lambda: open(os.devnull).close(),
        lambda: bytearray(64 * 2**20),
    ],
)
def test_what_no_data_may_do_is_noticed(work):
    """Otherwise the tests above would prove nothing."""
    with pytest.raises(Broken), as_data_only():
        work()
