import itertools
import warnings

import numpy as np
import pytest
from dahuffman import HuffmanCodec
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.reference.deep_compression import huffman

COUNTS = st.lists(st.integers(0, 2**40), min_size=1, max_size=256)
SYMBOLS = st.lists(st.integers(0, 255), max_size=300)


def total_bits(counts, lengths):
    return sum(int(c) * int(n) for c, n in zip(counts, lengths, strict=True))


# Lengths


def test_the_lengths_of_an_example_worked_out_by_hand():
    # 1 + 2 = 3, 3 + 4 = 7, 7 + 8 = 15: a chain
    assert huffman.code_lengths([8, 4, 2, 1]).tolist() == [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("counts", "lengths"), [([], []), ([0, 0], [0, 0]), ([0, 7, 0], [0, 1, 0])]
)
def test_no_symbol_and_one_symbol(counts, lengths):
    assert huffman.code_lengths(counts).tolist() == lengths


@given(COUNTS)
def test_the_average_length_lies_between_the_entropy_and_one_bit_more(counts):
    counts = np.array(counts)
    if np.count_nonzero(counts) < 2:
        return
    average = total_bits(counts, huffman.code_lengths(counts)) / int(counts.sum())
    entropy = huffman.entropy(counts)
    assert entropy - 1e-9 <= average < entropy + 1


@given(COUNTS)
def test_the_code_is_complete(counts):
    lengths = huffman.code_lengths(counts)
    used = [int(n) for n in lengths if n]
    if len(used) > 1:
        assert sum(2 ** (max(used) - n) for n in used) == 2 ** max(used)  # Kraft's equality
    assert [bool(n) for n in lengths] == [c > 0 for c in counts]


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=60))
def test_no_code_is_shorter_than_dahuffmans(counts):
    """dahuffman adds an end symbol with a count of 1; the same symbol is added to our counts."""
    occurring = [c for c in counts if c]
    if not occurring:
        return
    codec = HuffmanCodec.from_frequencies(dict(enumerate(occurring)))
    with warnings.catch_warnings(action="ignore"):
        table = codec.get_code_table()
    theirs = sum(
        n * ([*occurring, 1][s] if isinstance(s, int) else 1) for s, (n, _) in table.items()
    )
    assert total_bits([*occurring, 1], huffman.code_lengths([*occurring, 1])) == theirs


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="negative"):
        huffman.code_lengths([3, -1])


# Entropy and averages


def test_the_entropy_is_in_bits():
    assert huffman.entropy([5, 5, 5, 5]) == 2
    assert huffman.entropy([3, 0]) == 0
    assert huffman.entropy([]) == 0


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_the_entropy_agrees_with_scipy(counts):
    from scipy.stats import entropy

    if sum(counts):
        assert huffman.entropy(counts) == pytest.approx(entropy(counts, base=2), abs=1e-9)


def test_the_average_weighs_symbols_and_layers_by_their_counts():
    counts = {"small": np.array([1, 1]), "large": np.array([6, 1, 1])}
    lengths = {"small": np.array([1, 1]), "large": np.array([1, 2, 2])}
    assert huffman.average_bits(counts, lengths) == (2 + 10) / 10
    assert huffman.average_bits({}, {}) == 0


# Words


def test_the_canonical_words_of_an_example():
    assert huffman.canonical_codes([2, 1, 0, 3, 3]) == ["10", "0", "", "110", "111"]


@given(COUNTS)
def test_no_word_is_a_prefix_of_another(counts):
    words = sorted(w for w in huffman.canonical_codes(huffman.code_lengths(counts)) if w)
    # In sorted order, a prefix comes immediately before a word that begins with it.
    assert not any(b.startswith(a) for a, b in itertools.pairwise(words))


@pytest.mark.parametrize("lengths", [[1, 1, 1], [1, 2, 2, 2], [0, 64]])
def test_lengths_that_no_code_has_are_refused(lengths):
    with pytest.raises(ValueError, match=r"Words have|No prefix-free code"):
        huffman.canonical_codes(lengths)


# Bits


def test_the_bits_of_an_example():
    # 10 0 111 0 110 -> 10011101 10......
    data = huffman.encode([0, 1, 4, 1, 3], [2, 1, 0, 3, 3])
    assert data.dtype == np.uint8
    assert data.tolist() == [0b10011101, 0b10000000]


@given(SYMBOLS, st.integers(0, 40))
def test_a_round_trip_gives_the_same_symbols(symbols, skew):
    """Skewed counts make long words; the symbols need not be distributed like the counts."""
    weights = [1 + (s * 7919) % 2 ** (1 + s % (skew + 1)) for s in range(256)]
    lengths = huffman.code_lengths(weights)
    data = huffman.encode(np.array(symbols, np.uint8), lengths)
    assert huffman.decode(data, lengths, len(symbols)).tolist() == symbols
    words = huffman.canonical_codes(lengths)
    text = "".join(words[s] for s in symbols)
    assert data.tolist() == np.packbits(np.array([*text], np.uint8)).tolist()


@pytest.mark.parametrize("depth", [2, 15, 16, 17, 18, 25, 40, 57])
def test_words_of_any_length_are_decoded(depth):
    lengths = [*range(1, depth + 1), depth]
    rng = np.random.default_rng(depth)
    symbols = rng.integers(0, depth + 1, 5000).astype(np.uint8)
    assert (huffman.decode(huffman.encode(symbols, lengths), lengths, 5000) == symbols).all()


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 63, 64, 65, 1000])
def test_one_symbol_takes_one_bit_each(count):
    symbols = np.full(count, 2, np.uint8)
    lengths = huffman.code_lengths([0, 0, 5])
    data = huffman.encode(symbols, lengths)
    assert len(data) == (count + 7) // 8
    assert (huffman.decode(data, lengths, count) == symbols).all()


@settings(deadline=None)
@given(st.binary(max_size=40), st.lists(st.integers(0, 30), max_size=20), st.integers(0, 400))
def test_invalid_input_to_decode_raises_only_value_errors(data, lengths, count):
    try:
        found = huffman.decode(np.frombuffer(data, np.uint8), lengths, count)
    except ValueError:
        return
    # Encoding the decoded symbols gives the same bits again.
    again = huffman.encode(found, lengths)
    bits = int(np.asarray(lengths, int)[found].sum())
    assert (
        np.unpackbits(again)[:bits].tolist()
        == np.unpackbits(np.frombuffer(data, np.uint8))[:bits].tolist()
    )


def test_a_symbol_without_a_word_is_refused():
    for symbols in ([1], [0, 0, 0, 0, 1], [3], [-1]):
        with pytest.raises(ValueError, match="symbol"):
            huffman.encode(symbols, [1, 0, 1])
