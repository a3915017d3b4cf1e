"""Compare the speed of our Huffman coder with that of dahuffman, a published pure-Python coder.

dahuffman is a development dependency: the course itself does not need it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any, TypeVar

import numpy as np

from helpers.reference.deep_compression import huffman

SYMBOLS = 1_000_000
ALPHABETS = (16, 64)
REPEATS = 3

T = TypeVar("T")


def huffman_coding() -> dict[str, Any]:
    """Encode and decode a million cluster indices with both coders.

    The indices are distributed like those of a layer: centroids in the middle stand for many
    weights, and those far out for few. Each coder gets the data in the form that suits it best, an
    array or a list, and the best of three runs counts. The time to construct the code is not
    included.

    Returns
    -------
    dict
        The versions and, for each alphabet, the seconds that both coders take to encode and to
        decode, how many times faster ours is, and the bits per symbol of both.

    Raises
    ------
    RuntimeError
        If a coder does not give back the symbols that it was given.
    """
    figures: dict[str, Any] = {
        "symbols": SYMBOLS,
        "versions": {name: metadata.version(name) for name in ("dahuffman", "numpy")},
    }
    for size in ALPHABETS:
        figures[f"alphabet_{size}"] = _compared(size)
    return figures


def _compared(size: int) -> dict[str, float]:
    places = np.linspace(-2.5, 2.5, size)
    p = np.exp(-(places**2) / 2)
    symbols = np.random.default_rng(0).choice(size, SYMBOLS, p=p / p.sum()).astype(np.uint8)
    counts = np.bincount(symbols, minlength=size)

    lengths = huffman.code_lengths(counts)
    encode_ours, data = _best(lambda: huffman.encode(symbols, lengths))
    decode_ours, back = _best(lambda: huffman.decode(data, lengths, SYMBOLS))

    # Imported by name, because it has no types and is installed only on developers' machines.
    codec = import_module("dahuffman").HuffmanCodec.from_frequencies(
        dict(enumerate(counts.tolist()))
    )
    listed = symbols.tolist()
    encode_theirs, their_data = _best(lambda: codec.encode(listed))
    decode_theirs, their_back = _best(lambda: codec.decode(their_data))

    if not np.array_equal(back, symbols) or list(their_back) != listed:
        raise RuntimeError("A coder did not give back the symbols that it was given.")
    return {
        "encode_seconds": encode_ours,
        "encode_seconds_dahuffman": encode_theirs,
        "encode_times_faster": encode_theirs / encode_ours,
        "decode_seconds": decode_ours,
        "decode_seconds_dahuffman": decode_theirs,
        "decode_times_faster": decode_theirs / decode_ours,
        "bits_per_symbol": 8 * len(data) / SYMBOLS,
        "bits_per_symbol_dahuffman": 8 * len(their_data) / SYMBOLS,
    }


def _best(do: Callable[[], T]) -> tuple[float, T]:
    """Return the shortest of `REPEATS` run times, and the result."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = do()
        seconds.append(time.perf_counter() - began)
    return min(seconds), result
