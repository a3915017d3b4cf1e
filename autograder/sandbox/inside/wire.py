"""Plain data as JSON frames: the only thing that crosses the trust boundary.

Both sides use this file. What the other side sends is never unpickled, imported or evaluated. A
frame is JSON of limited length, and `decode` builds nothing but numbers, strings, ``None``, lists,
tuples, dicts, and numpy arrays and torch tensors of a few listed types, after checking that sizes
agree.
"""

from __future__ import annotations

import base64
import json
import math
import re
import socket
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_FRAME_BYTES = 64 * 2**20
"""Limit on one frame. A ResNet-20 in float32 takes about 1.5 MB in base64, and so do the digits'
test images."""

MAX_PARSED_BYTES = 256 * 2**20
"""Limit on the memory of a frame when it is parsed: four times the longest frame.

Arrays are sent as text, which takes its own length in the frame and the same again when it is
parsed. A list takes at most 42 bytes per number, so a list of five million numbers is accepted.
Brackets take one or two hundred bytes each, so a frame is refused if it consists mostly of brackets
or empty strings. No answer in the course is like that.
"""

TENSOR_TYPES = frozenset(
    {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}
)
ARRAY_TYPES = TENSOR_TYPES | {"uint16", "uint32", "uint64"}


class WireError(ValueError):
    """Something to be sent, or something received, is not plain data."""


def encode(value: Any, reference: Callable[[Any], dict[str, Any]] | None = None) -> Any:
    """Turn plain data into a form that JSON can hold.

    Parameters
    ----------
    value
        Numbers, strings, ``None``, lists, tuples, dicts, arrays and tensors, nested in any way.
    reference
        Called with anything else; returns the tagged dict that represents it.

    Raises
    ------
    WireError
        If `value` holds something else and `reference` is not given.
    """
    if value is None or isinstance(value, bool | int | str):
        # An instance of a subclass (an enum, say) is sent as a value of the plain type.
        plain = {bool: bool, int: int, str: str}
        kind = next((k for k in plain if isinstance(value, k)), None)
        return value if kind is None else kind(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$": "float", "v": repr(float(value))}
    if isinstance(value, list):
        return [encode(item, reference) for item in value]
    if isinstance(value, tuple):
        return {"$": "tuple", "v": [encode(item, reference) for item in value]}
    if isinstance(value, dict):
        pairs = [[encode(k, reference), encode(v, reference)] for k, v in value.items()]
        return {"$": "dict", "v": pairs}
    if isinstance(value, np.generic):
        return encode(value.item(), reference)
    if isinstance(value, np.ndarray) and value.dtype.name in ARRAY_TYPES:
        return _encode_array("array", value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        # A tensor on the device "meta" has a type and a shape, but no numbers to send.
        if dtype in TENSOR_TYPES and not value.is_sparse and not value.is_meta:
            return _encode_array("tensor", value.detach().cpu().resolve_conj().numpy())
    if reference is not None:
        return reference(value)
    raise WireError(f"a {type(value).__name__} is not plain data")


def _encode_array(tag: str, array: np.ndarray) -> dict[str, Any]:
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    data = base64.b64encode(native.tobytes()).decode("ascii")
    return {"$": tag, "dtype": array.dtype.name, "shape": list(array.shape), "v": data}


def decode(message: Any, resolve: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Build the plain data that `encode` was given.

    Parameters
    ----------
    message
        Parsed JSON from the other side, which is not trusted in any way.
    resolve
        Called with a tagged dict whose tag is unknown (a reference to an object on this side, or a
        handle to one on the other).

    Raises
    ------
    WireError
        If `message` is not in the form that `encode` makes.
    """
    try:
        return _decode(message, resolve)
    except WireError:
        raise
    except (RecursionError, KeyError, TypeError, ValueError, OverflowError, MemoryError) as error:
        raise WireError(f"malformed data ({type(error).__name__})") from None


def _decode(message: Any, resolve: Callable[[dict[str, Any]], Any] | None) -> Any:
    if message is None or isinstance(message, bool | int | float | str):
        return message
    if isinstance(message, list):
        return [_decode(item, resolve) for item in message]
    if not isinstance(message, dict):
        raise WireError("malformed data")
    match message.get("$"):
        case "float":
            value = float(message["v"])
            if math.isfinite(value):
                raise WireError("malformed number")
            return value
        case "tuple":
            return tuple(_decode(item, resolve) for item in message["v"])
        case "dict":
            return {_decode(k, resolve): _decode(v, resolve) for k, v in message["v"]}
        case "array":
            return _decode_array(message, ARRAY_TYPES)
        case "tensor":
            import torch

            return torch.from_numpy(_decode_array(message, TENSOR_TYPES))
    if resolve is None:
        raise WireError("malformed data")
    return resolve(message)


def _decode_array(message: dict[str, Any], allowed: frozenset[str]) -> np.ndarray:
    dtype, shape = message["dtype"], message["shape"]
    if dtype not in allowed:
        raise WireError(f"arrays of type {str(dtype)[:40]!r} do not cross")
    if len(shape) > 16 or not all(type(n) is int and n >= 0 for n in shape):
        raise WireError("malformed array shape")
    data = base64.b64decode(message["v"], validate=True)
    if len(data) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise WireError("an array's shape does not fit its data")
    if dtype == "bool" and any(byte > 1 for byte in set(data)):
        raise WireError("malformed truth values")
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


# What parsed JSON takes: `sys.getsizeof` on CPython 3.11 with 64 bits, rounded up to the 16
# bytes in which small objects are allotted.
_COSTS = {
    # An empty list has 56 bytes, and its first item brings room for four.
    "[": 64 + 32,
    # An empty dict has 64 bytes, and its first key brings a table of 120 bytes.
    "{": 64 + 128,
    # An item's place in a list: 8 bytes, and an eighth more as the list grows. The item itself, if
    # it is a number: 24 or 28 bytes. Other items are counted by their brackets or quotes.
    ",": 10 + 32,
    # A key's place in its dict, and in the parser's own dict of the keys that it knows. A table
    # that has just grown has 3 indices (of 4 bytes) and 2 entries (of 16 bytes) for each key, and
    # the table that it replaces, half as large, is still there. A number is added as above.
    ":": 44 + 66 + 32,
    # A string, counted at the quote that ends it: 49 bytes, or 76 if its characters take more than
    # one byte each. The characters are counted separately.
    '"': 80,
}
_ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}")
_PIECE_BYTES = 2**20


def check_cost(payload: bytes) -> None:
    """Refuse JSON that would take too much memory when it is parsed.

    Nothing is parsed for this: brackets, commas and quotes outside of strings are counted, each at
    the most memory that it can lead to. The check itself takes linear time (0.03 s per megabyte at
    most) and a few megabytes of memory.

    Parameters
    ----------
    payload
        JSON in UTF-8, or what claims to be JSON.

    Raises
    ------
    WireError
        If it would take more than `MAX_PARSED_BYTES`.
    """
    if parsed_bytes(payload) > MAX_PARSED_BYTES:
        raise WireError(f"data that take more than {MAX_PARSED_BYTES // 2**20} MB of memory")


def parsed_bytes(payload: bytes) -> int:
    """Estimate the memory that JSON takes while it is parsed: its text, and all that it describes.

    Parameters
    ----------
    payload
        JSON in UTF-8, or what claims to be JSON; the estimate then covers what is built before the
        parser finds the error.

    Returns
    -------
    int
        Never less than the memory that is really taken, apart from a kilobyte that the parser needs
        for itself. Well-formed JSON takes at least a twelfth of the estimate.
    """
    cost, characters = 0, len(payload)
    inside = False  # whether `start` is inside a string
    start = 0
    while start < len(payload):
        piece = payload[start : start + _PIECE_BYTES]
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:  # the last escape is cut in two
            piece = payload[start : start + len(piece) + 1]
        start += len(piece)
        # Without escaped backslashes and quotes, every quote begins or ends a string.
        piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        piece, escapes = _ESCAPE.subn(b"", piece)
        characters -= 5 * escapes  # six bytes for one character
        symbols = np.frombuffer(piece, dtype=np.uint8)
        within = np.logical_xor.accumulate(symbols == ord('"')) ^ inside
        inside = bool(within[-1]) if within.size else inside
        counts = np.bincount(symbols[~within], minlength=128)
        cost += sum(each * int(counts[ord(symbol)]) for symbol, each in _COSTS.items())
        cost += _COSTS[","] * int(counts[ord("[")])  # the first item has no comma before it
    # Text takes 4 bytes per character if any one of its characters needs that. A string with
    # escapes is built in a buffer that grows; while it moves, both the old and the new one exist.
    text = 1 if payload.isascii() else 4
    string = 1 if payload.isascii() and b"\\" not in payload else 8
    return cost + text * len(payload) + string * characters


_SURROGATE = re.compile("[\ud800-\udfff]")


def well_formed(value: Any) -> Any:
    r"""Return JSON data in which all strings, including keys, are Unicode that can be encoded.

    ``"\ud800"`` is valid JSON, but half of a character: it cannot be encoded, so no notebook or
    page that contains it can be written. Such halves become U+FFFD.

    Parameters
    ----------
    value
        Nested numbers, strings, ``None``, lists and dicts. It is not changed.

    Raises
    ------
    RecursionError
        If it is nested too deeply.
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [well_formed(item) for item in value]
    if isinstance(value, dict):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    return value


def send(connection: socket.socket, message: Any) -> None:
    """Send one frame: four bytes of length (big-endian), then UTF-8 JSON."""
    payload = json.dumps(message, allow_nan=False).encode("utf-8", "replace")
    if len(payload) > MAX_FRAME_BYTES:
        raise WireError(f"more than {MAX_FRAME_BYTES // 2**20} MB in one answer")
    connection.sendall(len(payload).to_bytes(4, "big") + payload)


def receive(read: Callable[[int], bytes]) -> Any:
    """Receive one frame through `read`, which returns exactly as many bytes as it is asked for.

    Raises
    ------
    WireError
        If the frame is longer than `MAX_FRAME_BYTES`, takes more than `MAX_PARSED_BYTES` when it
        is parsed, or is not JSON.
    """
    length = int.from_bytes(read(4), "big")
    if length > MAX_FRAME_BYTES:
        raise WireError(f"more than {MAX_FRAME_BYTES // 2**20} MB in one answer")
    payload = read(length)
    check_cost(payload)
    try:
        message = json.loads(payload.decode("utf-8", "replace"))
        # Half a character can only be received as an escape such as "\ud800".
        return well_formed(message) if b"\\ud" in payload or b"\\uD" in payload else message
    except (ValueError, RecursionError):
        raise WireError("malformed frame") from None
