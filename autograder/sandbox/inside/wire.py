"""Plain data as JSON frames: the only thing that crosses the trust boundary.

Both ends use this file. What a peer sends is never unpickled, imported or evaluated: a frame is
length-limited JSON, and `decode` builds nothing but numbers, strings, ``None``, lists, tuples,
dicts, numpy arrays and torch tensors of a few listed types, after checking that sizes agree.
"""

from __future__ import annotations

import base64
import json
import math
import socket
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_FRAME_BYTES = 64 * 2**20
"""A ResNet-20 in float32 takes about 1.5 MB in base64; the digits' test images take 1.5 MB."""

TENSOR_TYPES = frozenset(
    {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}
)
ARRAY_TYPES = TENSOR_TYPES | {"uint16", "uint32", "uint64"}


class WireError(ValueError):
    """What was to be sent, or what came, is not plain data."""


def encode(value: Any, reference: Callable[[Any], dict[str, Any]] | None = None) -> Any:
    """Turn plain data into what JSON can hold.

    Parameters
    ----------
    value : object
        Numbers, strings, ``None``, lists, tuples, dicts, arrays, tensors, nested as you like.
    reference : callable, optional
        Called with anything else; returns the tagged dict that stands for it.

    Raises
    ------
    WireError
        If `value` holds something else and `reference` is not given.
    """
    if value is None or isinstance(value, bool | int | str):
        # A subclass (an enum, say) crosses as the plain value that it is.
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
        if dtype in TENSOR_TYPES and not value.is_sparse:
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
    message : object
        Parsed JSON from the other side. Nothing about it is believed.
    resolve : callable, optional
        Called with a tagged dict of an unknown tag (a reference to an object of this side, or a
        handle to one of the other).

    Raises
    ------
    WireError
        If `message` is not what `encode` makes.
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
        If the frame is longer than `MAX_FRAME_BYTES` or not JSON.
    """
    length = int.from_bytes(read(4), "big")
    if length > MAX_FRAME_BYTES:
        raise WireError(f"more than {MAX_FRAME_BYTES // 2**20} MB in one answer")
    payload = read(length)
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise WireError("malformed frame") from None
