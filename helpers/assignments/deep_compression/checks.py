"""Public checks of the assignment `deep_compression`.

Every check takes the student's answer and returns a `CheckResult`. The examples are small enough to
be worked out by hand.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.checks.answers import (
    Array,
    as_array,
    as_number,
    as_tensor,
    ask,
    expect,
    kind,
    near,
    shown,
)
from helpers.checks.hints import Hints
from helpers.checks.result import Claims, public_check
from helpers.checks.trained import trained
from helpers.checks.values import accuracies, verdict

__all__ = [
    "accuracies",
    "average_bits",
    "canonical_codes",
    "centroid_gradient",
    "choice",
    "code_lengths",
    "compression_ratio",
    "decode",
    "encode",
    "entropy",
    "hint",
    "kept_from_runs",
    "layer_from_bytes",
    "layer_to_bytes",
    "rebuild",
    "run_lengths",
    "share_weights",
    "starting_centroids",
    "trained",
    "verdict",
]

hint = Hints(Path(__file__).with_name("hints.json"))

# Upper bound on the sum of a few rounding errors of float32 numbers up to 10.
ROUNDING = 1e-5

# ------------------------------------------------------------------------------------------------
# Weight sharing


@public_check("starting_centroids")
def starting_centroids(starting_centroids: Callable[..., Any]) -> Claims:
    """Check the student's ``starting_centroids(w, bits, method, seed)``."""

    def asked(w: Array, bits: int, method: str, count: int, seed: int = 0) -> Array:
        call = f"starting_centroids(w, {bits}, '{method}', {seed})"
        found = ask(call, starting_centroids, w.copy(), bits, method, seed)
        return as_array(f"`{call}`", found, (count,))

    yield "spaces linear centroids equally, from the smallest to the largest kept weight"
    w = np.array([[0, -1, 0.3], [5, 0.2, 0], [0.1, 0, 0.7]], np.float32)
    found = asked(w, 2, "linear", 4)
    expect(
        np.abs(found - [-1, 1, 3, 5]).max() <= ROUNDING,
        "`w` goes from -1 to 5, so the four centroids are -1, 1, 3 and 5. You found "
        f"{shown(found)}.",
    )

    yield "has 2^b centroids for b bits"
    long = np.linspace(-1, 2, 999, dtype=np.float32)
    for bits in (1, 3, 5):
        asked(long, bits, "linear", 2**bits)

    yield "puts density centroids at the quantiles of the kept weights"
    w = np.concatenate([np.arange(1, 101), np.zeros(60), [900, 1000]]).astype(np.float32)
    found = asked(w, 1, "density", 2)
    expect(
        np.abs(found - np.quantile(w[w != 0], [0.25, 0.75])).max() <= 1e-3,
        "102 weights are kept: 1, 2, ..., 100, 900 and 1000. Their quantiles at 1/4 and 3/4 are "
        f"26.25 and 76.75; you found {shown(found)}.",
    )
    found = asked(np.array([1, 1, 1, 0, 1, 1, 1, 2, 3], np.float32), 1, "density", 2)
    expect(
        np.abs(found - [1, 1.25]).max() <= ROUNDING,
        "Of eight kept weights six are 1, one is 2 and one is 3. Each of them counts, so the "
        f"quantiles at 1/4 and 3/4 are 1 and 1.25; you found {shown(found)}.",
    )

    yield "draws random centroids among the kept weights"
    w = np.array([0, 0, 0, *np.linspace(1, 2, 40) ** 9], np.float32)
    for seed in range(3):
        found = asked(w, 3, "random", 8, seed)
        allowed = np.isin(found.astype(np.float32), w[w != 0])
        expect(
            bool(allowed.all()),
            f"{found[~allowed][0] if not allowed.all() else 0:.5g} is not one of the kept weights.",
        )
        expect(
            len(np.unique(found)) == 8,
            f"There should be eight different weights; yours are {shown(np.sort(found))}.",
        )

    yield "draws the same centroids for the same seed, and others for another seed"
    expect(
        np.array_equal(asked(w, 3, "random", 8, 5), asked(w, 3, "random", 8, 5)),
        "Two calls with seed 5 gave different centroids: let `seed` decide all the random numbers.",
    )
    draws = {asked(w, 3, "random", 8, seed).tobytes() for seed in range(4)}
    expect(len(draws) > 1, "The seeds 0 to 3 all gave the same centroids.")

    yield "returns the weights themselves if there are no more than 2^b different values"
    w = np.array([0, 3, -1, 3, 0, 3], np.float32)
    for method in ("linear", "density", "random"):
        found = np.sort(asked(w, 2, method, 2))
        expect(
            np.array_equal(found, np.array([-1, 3])),
            "The kept weights have the values -1 and 3, which should be the centroids; yours are "
            f"{shown(found)}.",
        )
        found = np.sort(asked(np.array([0, 3, -1, 7, 4, 3], np.float32), 2, method, 4))
        expect(
            np.array_equal(found, np.array([-1, 3, 4, 7])),
            "The kept weights have the four values -1, 3, 4 and 7, which should be the four "
            f"centroids; yours are {shown(found)}.",
        )
        asked(np.zeros(5, np.float32), 2, method, 0)


@public_check("share_weights")
def share_weights(share_weights: Callable[..., Any]) -> Claims:
    """Check the student's ``share_weights(w, start)``."""

    def asked(w: Array, start: Sequence[float]) -> tuple[Array, Array]:
        call = "share_weights(w, start)"
        answer = ask(call, share_weights, w.copy(), np.array(start, np.float64))
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            f"`{call}` should return labels and centroids; yours is {kind(answer)}.",
        )
        labels = as_array("The labels", answer[0], (int((w != 0).sum()),))
        centroids = as_array("The centroids", answer[1], (len(start),))
        expect(labels.dtype == np.uint8, f"The labels should be uint8; yours are {labels.dtype}.")
        if labels.size:
            highest = int(labels.max())
            expect(highest < len(start), f"There is no centroid {highest} for your largest label.")
        return labels, centroids

    yield "returns the labels of the kept weights, and the centroids"
    w = np.array([[0, 1, 5], [2, 0, 6]], np.float32)
    labels, centroids = asked(w, [1, 6])

    yield "finds the two groups of an example"
    values = centroids[labels]
    expect(
        np.abs(values - [1.5, 5.5, 1.5, 5.5]).max() <= ROUNDING,
        "The kept weights of `w = [[0, 1, 5], [2, 0, 6]]` are 1, 5, 2, 6, in this order. With the "
        "starting centroids 1 and 6, they become the means of their groups, 1.5, 5.5, 1.5, 5.5; "
        f"with your labels and centroids they become {shown(values)}.",
    )

    yield "moves the centroids until nothing changes"
    w = np.array([1, 1.1, 1.2, 8, 8.1, 8.2, 20, 20.5, 21], np.float32)
    labels, centroids = asked(w, [1, 7, 9.05])
    values = centroids[labels].astype(np.float64)
    expect(
        float(((w - values) ** 2).sum()) <= 1,
        "There are three groups of three weights, around 1.1, 8.1 and 20.5. With the starting "
        f"centroids 1, 7 and 9.05, yours end at {shown(np.sort(centroids))}.",
    )

    yield "ignores the pruned weights"
    w = np.array([-2, -1.9, *[0] * 50, 0.5, 0.6, 1, 2, 2.2], np.float32)
    labels, centroids = asked(w, [-2, 0.5, 2])
    expect(
        np.abs(np.sort(centroids) - [-1.95, 0.7, 2.1]).max() <= ROUNDING,
        "Without the 50 zeros there are the groups -2 and -1.9, then 0.5, 0.6 and 1, then 2 and "
        "2.2. Their means are -1.95, 0.7 and 2.1; your centroids are "
        f"{shown(np.sort(centroids))}.",
    )

    yield "copes with a layer that is pruned altogether"
    asked(np.zeros((2, 2), np.float32), [])


@public_check("rebuild")
def rebuild(rebuild: Callable[..., Any]) -> Claims:
    """Check the student's ``rebuild(kept, labels, centroids)``."""
    kept = np.array([[True, False, True], [True, False, True]])
    labels, centroids = np.array([1, 0, 2, 0], np.uint8), np.array([0.5, -1, 2], np.float32)
    call = "rebuild(kept, labels, centroids)"

    yield "returns float32 in the shape of `kept`"
    found = as_array(f"`{call}`", ask(call, rebuild, kept, labels, centroids), (2, 3))
    expect(found.dtype == np.float32, f"`{call}` should be float32; yours is {found.dtype}.")

    yield "puts the centroids where weights are kept, and zeros elsewhere"
    expect(
        np.array_equal(found, np.array([[-1, 0, 0.5], [2, 0, 0.5]])),
        "With `kept` true at the corners, the labels 1, 0, 2, 0 and the centroids 0.5, -1, 2, the "
        f"weights are [[-1, 0, 0.5], [2, 0, 0.5]]; yours are {shown(found)}.",
    )

    yield "copes with a layer that is pruned altogether"
    empty = ask(call, rebuild, ~np.ones((2, 2), bool), labels[:0], centroids[:0])
    expect(not as_array(f"`{call}`", empty, (2, 2)).any(), "All weights should be zero.")


@public_check("centroid_gradient")
def centroid_gradient(centroid_gradient: Callable[..., Any]) -> Claims:
    """Check the student's ``centroid_gradient(gradient, kept, labels, count)``."""
    gradient = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    kept = torch.tensor([[True, True, False], [True, False, True]])
    labels = torch.tensor([1, 0, 1, 1])
    call = "centroid_gradient(gradient, kept, labels, 3)"

    yield "returns one number for each centroid"
    found = as_tensor(f"`{call}`", ask(call, centroid_gradient, gradient, kept, labels, 3), (3,))

    yield "adds up the gradients of the weights that share a centroid"
    example = (
        "The kept weights have the gradients 1, -2, 4, -6 and the labels 1, 0, 1, 1. Centroid 0 "
        "has one weight, centroid 1 has three and centroid 2 has none, so their gradients are "
        "-2, -1, 0"
    )
    expect(
        near(found, torch.tensor([-2.0, -1.0, 0.0]), ROUNDING),
        f"{example}. You found {shown(found)}.",
    )


# ------------------------------------------------------------------------------------------------
# Huffman coding


@public_check("entropy")
def entropy(entropy: Callable[..., Any]) -> Claims:
    """Check the student's ``entropy(counts)``."""
    yield "is 2 bits for four symbols that are equally frequent"
    _expect_number("entropy", entropy, ([7, 7, 7, 7],), 2)
    yield "is less if some symbols are more frequent than others"
    _expect_number("entropy", entropy, ([2, 1, 1],), 1.5)
    yield "copes with symbols that do not occur"
    _expect_number("entropy", entropy, ([0, 5, 0, 5],), 1)
    yield "is 0 if only one symbol occurs"
    _expect_number("entropy", entropy, ([0, 9],), 0)


def _expect_number(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], right: float
) -> None:
    call = f"{name}({', '.join(map(str, args))})"
    arrays = [np.array(a) if isinstance(a, list) else a for a in args]
    found = as_number(f"`{call}`", ask(call, function, *arrays))
    expect(abs(found - right) <= ROUNDING, f"`{call}` is {right:.5g}; you found {found:.5g}.")


@public_check("code_lengths")
def code_lengths(code_lengths: Callable[..., Any]) -> Claims:
    """Check the student's ``code_lengths(counts)``."""

    def asked(counts: Sequence[int]) -> Array:
        call = f"code_lengths({list(counts)})"
        found = ask(call, code_lengths, np.array(counts))
        lengths = as_array(f"`{call}`", found, (len(counts),))
        expect(
            lengths.dtype.kind in "iu" and bool((lengths >= 0).all()),
            f"`{call}` should be numbers of bits; yours are {shown(lengths)} ({lengths.dtype}).",
        )
        return lengths

    yield "finds the lengths of an example"
    lengths = asked([8, 4, 2, 1])
    expect(
        lengths.tolist() == [1, 2, 3, 3],
        "Of the counts 8, 4, 2 and 1, the two smallest are merged to 3, then 3 and 4 to 7, then 7 "
        f"and 8. The lengths are 1, 2, 3, 3; yours are {shown(lengths)}.",
    )

    yield "returns the lengths of a prefix-free code, and no code is shorter"
    for counts, best in (
        ([5, 5, 5, 5], 40),
        ([1, 1, 1, 1, 4], 16),
        ([45, 13, 12, 16, 9, 5], 224),
        ([97, 1, 1, 1], 105),
    ):
        lengths = asked(counts).astype(int)
        used = [2.0**-n for n in lengths.tolist()]
        expect(
            lengths.min() > 0 and sum(used) <= 1,
            f"For the counts {counts} you found the lengths {shown(lengths)}, but every code with "
            "these lengths has a word that is the beginning of another word.",
        )
        total = int(np.dot(counts, lengths))
        expect(
            total == best,
            f"For the counts {counts}, all symbols together take {best} bits in the best code, but "
            f"{total} in yours ({shown(lengths)}).",
        )

    yield "gives no word to a symbol that does not occur"
    lengths = asked([3, 0, 5, 0, 1])
    expect(
        (lengths == 0).tolist() == [False, True, False, True, False],
        "With the counts [3, 0, 5, 0, 1], the second and fourth lengths should be 0; your lengths "
        f"are {shown(lengths)}.",
    )

    yield "gives 1 bit to the only symbol that occurs, and copes with no symbols"
    lengths = asked([0, 6])
    expect(
        lengths.tolist() == [0, 1],
        "If only one symbol occurs, it gets a word of 1 bit; for the counts [0, 6], your lengths "
        f"are {shown(lengths)}.",
    )
    expect(not asked([0, 0, 0]).any(), "If no symbol occurs, all lengths should be 0.")


@public_check("average_bits")
def average_bits(average_bits: Callable[..., Any]) -> Claims:
    """Check the student's ``average_bits(counts, lengths)``."""
    call = "average_bits(counts, lengths)"

    def asked(counts: dict[str, list[int]], lengths: dict[str, list[int]]) -> float:
        arrays = [{n: np.array(v) for n, v in given.items()} for given in (counts, lengths)]
        return as_number(f"`{call}`", ask(call, average_bits, *arrays))

    yield "weights the length of each word by how often it occurs"
    found = asked({"a": [6, 1, 1]}, {"a": [1, 2, 2]})
    expect(
        abs(found - 1.25) <= ROUNDING,
        "Six words of 1 bit and two of 2 bits are 10 bits for 8 symbols, or 1.25 on average. You "
        f"found {found:.5g}.",
    )

    yield "weights each layer by its number of symbols"
    found = asked({"a": [6, 1, 1], "b": [1, 1, 0]}, {"a": [1, 2, 2], "b": [1, 1, 0]})
    expect(
        abs(found - 1.2) <= ROUNDING,
        "With another layer of 2 symbols of 1 bit, there are 12 bits for 10 symbols, or 1.2 on "
        "average. You "
        f"found {found:.5g}.",
    )

    yield "finds the lengths of a layer by its name, whatever the order of the layers"
    found = asked({"a": [6, 1, 1], "b": [1, 1, 0]}, {"b": [1, 1, 0], "a": [1, 2, 2]})
    expect(
        abs(found - 1.2) <= ROUNDING,
        "The two layers of before have an average of 1.2 bits, also if layer `b` comes first in "
        f"`lengths` and second in `counts`. You found {found:.5g}.",
    )


@public_check("canonical_codes")
def canonical_codes(canonical_codes: Callable[..., Any]) -> Claims:
    """Check the student's ``canonical_codes(lengths)``."""

    def asked(lengths: Sequence[int]) -> list[str]:
        call = f"canonical_codes({list(lengths)})"
        words = ask(call, canonical_codes, np.array(lengths, np.uint8))
        expect(
            isinstance(words, list | tuple) and all(isinstance(word, str) for word in words),
            f"`{call}` should be a list of strings; yours is {kind(words)}.",
        )
        expect(len(words) == len(lengths), f"`{call}` should have {len(lengths)} words.")
        return list(words)

    yield "gives each symbol a word of its length"
    for lengths in ([2, 1, 0, 3, 3], [2, 2, 2, 2], [0, 1]):
        words = asked(lengths)
        expect(
            [len(word) for word in words] == lengths,
            f"The lengths are {lengths}; your words are {words}.",
        )

    yield "has no word that is the beginning of another"
    for lengths in ([2, 1, 0, 3, 3], [3, 3, 2, 2, 2], [1, 2, 3, 4, 4]):
        words = asked(lengths)
        for a, b in itertools.permutations([word for word in words if word], 2):
            expect(
                not b.startswith(a),
                f"With the lengths {lengths} you have the words {a} and {b}: after reading {a}, a "
                "decoder cannot know whether the word ends there.",
            )

    yield "is the canonical code"
    for lengths, right in (
        ([2, 1, 0, 3, 3], ["10", "0", "", "110", "111"]),
        ([3, 3, 2, 2, 2], ["110", "111", "00", "01", "10"]),
    ):
        words = asked(lengths)
        expect(words == right, f"For {lengths} the words are {right}; yours are {words}.")


@public_check("encode")
def encode(encode: Callable[..., Any]) -> Claims:
    """Check the student's ``encode(symbols, lengths)``."""

    def asked(symbols: Sequence[int], lengths: Sequence[int], size: int) -> Array:
        call = f"encode({list(symbols)}, {list(lengths)})"
        args = np.array(symbols, np.uint8), np.array(lengths, np.uint8)
        data = as_array(f"`{call}`", ask(call, encode, *args), (size,))
        expect(data.dtype == np.uint8, f"`{call}` should be uint8; yours is {data.dtype}.")
        return data

    yield "writes the bits of an example, the first in the highest bit of the first byte"
    data = asked([0, 1, 4, 1, 3], [2, 1, 0, 3, 3], 2)
    expect(
        data.tolist() == [0b10011101, 0b10000000],
        "The words are 10, 0, 111, 0, 110. With zeros added at the end, they give the bytes "
        f"10011101 10000000; yours are {' '.join(f'{int(byte):08b}' for byte in data)}.",
    )

    yield "uses no more bytes than necessary"
    asked([1] * 16, [2, 1, 2], 2)
    asked([1] * 17, [2, 1, 2], 3)

    yield "returns no bytes if there are no symbols"
    asked([], [0, 0], 0)


@public_check("decode")
def decode(decode: Callable[..., Any]) -> Claims:
    """Check the student's ``decode(data, lengths, count)``."""

    def asked(data: Sequence[int], lengths: Sequence[int], count: int) -> Array:
        call = f"decode({list(data)}, {list(lengths)}, {count})"
        args = np.array(data, np.uint8), np.array(lengths, np.uint8), count
        symbols = as_array(f"`{call}`", ask(call, decode, *args), (count,))
        expect(symbols.dtype == np.uint8, f"`{call}` should be uint8; yours is {symbols.dtype}.")
        return symbols

    yield "reads the symbols of an example, but not the zeros after them"
    found = asked([0b10011101, 0b10000000], [2, 1, 0, 3, 3], 5)
    expect(
        found.tolist() == [0, 1, 4, 1, 3],
        "The bits 10 0 111 0 110 are the symbols 0, 1, 4, 1, 3 of the code with the words 10, 0, "
        f"(none), 110, 111; you found {shown(found)}.",
    )

    yield "copes with a code of a single word, and with no symbols"
    found = asked([0, 0], [0, 0, 1], 9)
    expect(
        bool((found == 2).all()), f"Nine bits are nine times symbol 2; you found {shown(found)}."
    )
    asked([], [0, 0], 0)


# ------------------------------------------------------------------------------------------------
# Runs of zeros


GAPS = np.array([1, 0, 0, 1, *[0] * 7, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
LONG = np.array([0] * 258 + [1], dtype=bool)


@public_check("run_lengths")
def run_lengths(run_lengths: Callable[..., Any]) -> Claims:
    """Check the student's ``run_lengths(kept, width)``."""

    def asked(kept: Array, width: int, right: Sequence[int], why: str) -> None:
        call = f"run_lengths(kept, {width})"
        found = ask(call, run_lengths, kept, width)
        expect(isinstance(found, Array), f"`{call}` should be an array; yours is {kind(found)}.")
        expect(found.dtype == np.uint8, f"`{call}` should be uint8; yours is {found.dtype}.")
        if found.tolist() != list(right):
            expect(False, f"{why} the runs are {list(right)}; yours are {shown(found)}.")

    before = "There are 0, 2, 7 and 3 zeros before the four kept weights, so"
    yield "counts the zeros before each kept weight"
    asked(GAPS, 4, [0, 2, 7, 3], before)
    yield "counts the zeros before the first kept weight, but none after the last"
    asked(~GAPS[:4], 4, [1, 0], "For `[0, 1, 1, 0]`")
    asked(GAPS[1:4], 4, [2], "For `[0, 0, 1]`")
    asked(GAPS[3:8], 2, [0], "For `[1, 0, 0, 0, 0]`")
    yield "writes paddings where a gap is too long for the bits"
    asked(GAPS, 2, [0, 2, 3, 3, 1, 3, 0], f"With 2 bits, 3 is the padding. {before}")
    asked(GAPS, 3, [0, 2, 7, 0, 3], f"With 3 bits, 7 is the padding. {before}")
    asked(LONG, 8, [255, 3], "With 8 bits, 255 is the padding. For 258 zeros and a kept weight,")
    yield "reads an array of several dimensions in memory order"
    asked(GAPS[:16].reshape(2, 2, 4), 4, [0, 2, 7, 3], before)
    yield "copes with a layer that is pruned altogether"
    asked(np.zeros(9, bool), 4, [], "If nothing is kept,")


@public_check("kept_from_runs")
def kept_from_runs(kept_from_runs: Callable[..., Any]) -> Claims:
    """Check the student's ``kept_from_runs(runs, width, shape)``."""

    def asked(runs: Sequence[int], width: int, kept: Array) -> None:
        call = f"kept_from_runs({list(runs)}, {width}, {kept.shape})"
        found = ask(call, kept_from_runs, np.array(runs, np.uint8), width, kept.shape)
        found = as_array(f"`{call}`", found, kept.shape)
        expect(found.dtype == bool, f"`{call}` should be boolean; yours is {found.dtype}.")
        expect(
            np.array_equal(found, kept),
            f"`{call}` should keep the weights at {shown(np.flatnonzero(kept))}; yours keeps those "
            f"at {shown(np.flatnonzero(found))}.",
        )

    yield "finds the kept weights of an example"
    asked([0, 2, 7, 3], 4, GAPS)
    yield "keeps no weight at a padding"
    asked([0, 2, 3, 3, 1, 3, 0], 2, GAPS)
    asked([0, 2, 7, 0, 3], 3, GAPS)
    asked([255, 3], 8, LONG)
    yield "returns an array of the given shape"
    asked([0, 2, 7, 3], 4, GAPS.reshape(3, 6))
    yield "copes with a layer that is pruned altogether"
    asked([], 4, np.zeros((2, 2), bool))


@public_check("compression_ratio")
def compression_ratio(compression_ratio: Callable[..., Any]) -> Claims:
    """Check the student's ``compression_ratio(size, kept, runs, bits, width)``."""

    def asked(*numbers: int) -> float:
        call = f"compression_ratio{numbers}"
        return as_number(f"`{call}`", ask(call, compression_ratio, *numbers))

    yield "finds the ratio of an example of Han et al."
    found = asked(16, 16, 0, 2, 4)
    expect(
        math.isclose(found, 3.2, rel_tol=ROUNDING),
        "There are 16 weights in 4 clusters, and none is pruned. Their 512 bits become 16 labels "
        "of 2 bits and 4 centroids of 32 bits, which are 160 bits. The ratio is 3.2; you found "
        f"{found:.5g}.",
    )
    yield "counts labels for the kept weights, the runs, and the codebook"
    found = asked(100, 50, 60, 4, 3)
    expect(
        math.isclose(found, 3200 / 892, rel_tol=ROUNDING),
        "100 weights take 3200 bits. 50 labels of 4 bits, 60 runs of 3 bits and 16 centroids of 32 "
        f"bits take 892 bits. The ratio is 3.5874; you found {found:.5g}.",
    )
    yield "counts the whole codebook, also if fewer weights are kept than it has centroids"
    found = asked(100, 2, 4, 4, 3)
    expect(
        math.isclose(found, 3200 / 532, rel_tol=ROUNDING),
        "2 labels of 4 bits, 4 runs of 3 bits and 16 centroids of 32 bits take 532 bits. The ratio "
        f"is 6.015; you found {found:.5g}.",
    )


# ------------------------------------------------------------------------------------------------
# The file

# The block of a layer with four kept weights of six, byte by byte.
LABELS, RUNS = np.array([1, 0, 1, 1], np.uint8), np.array([0, 0, 1, 1], np.uint8)
CENTROIDS = np.array([0.5, -1], np.float32)
BLOCK = {
    "number of kept weights": [4, 0, 0, 0],
    "number of runs": [4, 0, 0, 0],
    "bytes of the labels": [1, 0, 0, 0],
    "number of centroids": [2, 0],
    "bits of a run": [2, 0],
    "centroids": [0, 0, 0, 0x3F, 0, 0, 0x80, 0xBF],
    "code table of the labels": [1, 1],
    "code table of the runs": [1, 1, 0, 0],
    "labels": [0b10110000],
    "runs": [0b00110000],
}


@public_check("layer_to_bytes")
def layer_to_bytes(layer_to_bytes: Callable[..., Any]) -> Claims:
    """Check the student's ``layer_to_bytes(labels, runs, centroids, width)``."""
    call = "layer_to_bytes(labels, runs, centroids, 2)"

    yield "returns bytes"
    data = ask(call, layer_to_bytes, LABELS, RUNS, CENTROIDS, 2)
    expect(isinstance(data, Array), f"`{call}` should be an array; yours is {kind(data)}.")
    expect(
        data.dtype == np.uint8 and data.ndim == 1,
        f"`{call}` should be uint8 with one dimension; yours is {data.dtype} of shape "
        f"{data.shape}.",
    )

    yield "writes each part of an example in its place"
    place = 0
    for part, right in BLOCK.items():
        found = data[place : place + len(right)].tolist()
        expect(
            found == right,
            f"For the labels {shown(LABELS)}, the runs {shown(RUNS)} of 2 bits and the centroids "
            f"{shown(CENTROIDS)}, the bytes from number {place} on are the {part}: {right}; "
            f"yours are {found}.",
        )
        place += len(right)
    expect(len(data) == place, f"The block should have {place} bytes; yours has {len(data)}.")

    yield "copes with a layer that is pruned altogether"
    nothing = np.zeros(0, np.uint8)
    data = ask(call, layer_to_bytes, nothing, nothing, np.zeros(0, np.float32), 2)
    right_size = 16 + 4
    expect(
        isinstance(data, Array) and data.size == right_size,
        f"With a header of 16 bytes and a code table for 4 runs, there should be {right_size} "
        "bytes.",
    )


@public_check("layer_from_bytes")
def layer_from_bytes(layer_from_bytes: Callable[..., Any]) -> Claims:
    """Check the student's ``layer_from_bytes(data, shape)``."""
    call = "layer_from_bytes(data, (2, 3))"
    data = np.array([byte for part in BLOCK.values() for byte in part], np.uint8)

    yield "returns float32 in the shape of the layer"
    found = as_array(f"`{call}`", ask(call, layer_from_bytes, data, (2, 3)), (2, 3))
    expect(found.dtype == np.float32, f"`{call}` should be float32; yours is {found.dtype}.")

    yield "reads the weights of an example"
    right = np.array([[-1, 0.5, 0], [-1, 0, -1]])
    expect(
        np.array_equal(found, right),
        f"With the labels {shown(LABELS)}, the runs {shown(RUNS)} and the centroids "
        f"{shown(CENTROIDS)}, the weights are {shown(right)}; yours are {shown(found)}.",
    )

    yield "reads a layer with a longer run and other numbers of bits"
    # Three kept weights; a padding of 7, then gaps of 5, 0 and 1 in 3 bits; only one centroid.
    parts = [3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 0, 0, 0, 0x40, 0x40, 1]
    parts += [2, 2, 0, 0, 0, 2, 0, 2, 0b00000000, 0b11100001]
    found = as_array(
        "`layer_from_bytes(data, (17,))`",
        ask("layer_from_bytes(data, (17,))", layer_from_bytes, np.array(parts, np.uint8), (17,)),
        (17,),
    )
    where = np.flatnonzero(found)
    expect(
        where.tolist() == [12, 13, 15] and bool((found[where] == 3).all()),
        "The runs 7 (padding), 5, 0, 1 of 3 bits keep the weights 12, 13 and 15, all of them 3; "
        f"yours are {shown(found[where])} at {shown(where)}.",
    )

    yield "copes with a layer that is pruned altogether"
    empty = np.array([0] * 12 + [0, 0, 2, 0] + [0] * 4, np.uint8)
    found = as_array(f"`{call}`", ask(call, layer_from_bytes, empty, (2, 3)), (2, 3))
    expect(not found.any(), "All weights should be zero.")


# ------------------------------------------------------------------------------------------------
# The choice of sparsity and bits


@public_check("choice")
def choice(sparsity: Any, bits: Any) -> Claims:
    """Check the form of the chosen sparsity and bits, but not how good they are."""
    yield "has a sparsity from 0 to 1"
    share = as_number("`chosen_sparsity`", sparsity)
    expect(
        0 <= share < 1,
        f"`chosen_sparsity` is {share:g}. Write it as a fraction: 0.5 for 50 %.",
    )
    yield "has a whole number of bits from 1 to 8"
    found = as_number("`chosen_bits`", bits)
    expect(
        found in range(1, 9),
        f"A label has 1, 2, ... or 8 bits; your `chosen_bits` is {found:g}.",
    )
