"""Huffman codes for arrays of small numbers: word lengths, canonical words, encoding and decoding.

Symbols are the numbers 0 to ``k - 1``, such as cluster indices. A code is determined by the lengths
of its words, because the words themselves are the canonical ones. Therefore only the lengths have
to be stored beside the bits.

Encoding and decoding work on whole arrays. The encoder looks up the words of groups of symbols and
ORs them into 64-bit pieces. The decoder determines for *every* bit position the length of a word
that would begin there. This needs no knowledge of where words do begin. It then follows the jumps
from word to word.

References
----------
Huffman, "A Method for the Construction of Minimum-Redundancy Codes", Proceedings of the IRE 40(9),
1952.

Schwartz and Kallick, "Generating a Canonical Prefix Encoding", Communications of the ACM 7(3),
1964.

Cover and Thomas, "Elements of Information Theory", 2nd edition, 2006, chapter 5: the length of an
optimal code lies between the entropy and the entropy plus one bit.
"""

import heapq
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_LENGTH = 57  # bits of a word: 64, less up to 7 bits of the first byte before the word
_WINDOW = 16  # bits of a window, which the decoder looks up first
_GROUPS = 2**16  # largest size of the table of groups of symbols


def entropy(counts: ArrayLike) -> float:
    """Return the entropy of symbols in bits per symbol, ``-sum p log2 p``.

    Parameters
    ----------
    counts
        (k,), integers: how often each symbol occurs. Symbols that do not occur contribute nothing.

    Returns
    -------
    float
        From 0 (if at most one symbol occurs) to ``log2 k``.
    """
    occurring = np.asarray(counts, dtype=np.float64)
    occurring = occurring[occurring > 0]
    if occurring.size == 0:
        return 0.0
    p = occurring / occurring.sum()
    return float(max(0.0, -(p * np.log2(p)).sum()))


def code_lengths(counts: ArrayLike) -> NDArray[np.uint8]:
    """Return the lengths of the words of an optimal prefix-free code (Huffman 1952).

    The two rarest trees are merged until only one is left. With each merger, the word of every
    symbol in the two trees gets one bit longer.

    Parameters
    ----------
    counts
        (k,), integers: how often each symbol occurs.

    Returns
    -------
    ndarray
        (k,): bits per word; 0 for a symbol that does not occur. If only one symbol occurs, its word
        has 1 bit, because with no bits the number of symbols could not be read from the data.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    numbers = [int(count) for count in np.asarray(counts)]
    if any(count < 0 for count in numbers):
        raise ValueError("A symbol cannot occur a negative number of times.")
    lengths = np.zeros(len(numbers), dtype=np.uint8)
    # (count, order of creation, symbols). Ties are broken by the order, so that codes are the same
    # everywhere; single symbols come before merged trees, which keeps the longest word short.
    heap = [(count, symbol, [symbol]) for symbol, count in enumerate(numbers) if count]
    if len(heap) == 1:
        lengths[heap[0][2]] = 1
    heapq.heapify(heap)
    born = len(numbers)
    while len(heap) > 1:
        rare, rarest = heapq.heappop(heap), heapq.heappop(heap)
        merged = rare[2] + rarest[2]
        lengths[merged] += 1
        heapq.heappush(heap, (rare[0] + rarest[0], born, merged))
        born += 1
    return lengths


def average_bits(counts: Mapping[str, ArrayLike], lengths: Mapping[str, ArrayLike]) -> float:
    """Return the mean number of bits per symbol over all layers together.

    Parameters
    ----------
    counts
        Mapping from layer to (k,), integers: how often each symbol occurs in the layer.
    lengths
        Mapping from the same layers to (k,), integers: the bits of each symbol's word in the
        layer's own code.

    Returns
    -------
    float
        The total number of bits divided by the total number of symbols, so that frequent symbols
        and large layers have more weight. 0 if there are no symbols.
    """
    symbols = sum(int(np.sum(layer)) for layer in counts.values())
    bits = sum(int(np.dot(np.asarray(counts[n]), np.asarray(lengths[n], int))) for n in counts)
    return bits / symbols if symbols else 0.0


def canonical_codes(lengths: ArrayLike) -> list[str]:
    """Return the words of the canonical prefix-free code with these lengths.

    The symbols are sorted by the length of their words, and by number if the lengths are equal. The
    first word consists of zeros. Each next word is the previous word plus 1, as a binary number,
    with zeros appended up to its own length.

    Parameters
    ----------
    lengths
        (k,), integers: bits per word; 0 for symbols without a word.

    Returns
    -------
    list[str]
        The words as strings of ``0`` and ``1``; empty for symbols without a word.

    Raises
    ------
    ValueError
        If no prefix-free code has these lengths (Kraft's inequality).
    """
    numbers = np.asarray(lengths, dtype=np.int64)
    values = _canonical(numbers)
    return [
        format(value, f"0{length}b") if length else ""
        for value, length in zip(values.tolist(), numbers.tolist(), strict=True)
    ]


def encode(symbols: ArrayLike, lengths: ArrayLike) -> NDArray[np.uint8]:
    """Write symbols one after the other in the canonical code.

    Parameters
    ----------
    symbols
        (n,), integers from 0 to ``k - 1``.
    lengths
        (k,), integers: bits per word, as returned by `code_lengths`.

    Returns
    -------
    ndarray
        The bits, eight to a byte, of which the first is the highest. The rest of the last byte is
        filled with zeros.

    Raises
    ------
    ValueError
        If a symbol is out of range or has no word.
    """
    widths = np.asarray(lengths, dtype=np.int64)
    items = np.asarray(symbols)
    if items.size == 0:
        return np.zeros(0, dtype=np.uint8)
    if items.min() < 0 or items.max() >= widths.size:
        raise ValueError(f"The symbols must be numbers from 0 to {widths.size - 1}.")
    words = _canonical(widths)
    # One table look-up can encode several symbols, as long as their words together fit in 64 bits
    # and the table stays small.
    group, table_words, table_widths = 1, words, widths
    while (group + 1) * widths.max() <= 64 and table_words.size * widths.size <= _GROUPS:
        table_words = ((table_words[:, None] << widths.astype(np.uint64)) | words).ravel()
        # A group that contains a symbol without a word must be recognised: its width is 0.
        both = (table_widths[:, None] > 0) & (widths > 0)
        table_widths = np.where(both, table_widths[:, None] + widths, 0).ravel()
        group += 1
    whole = items.size - items.size % group
    grouped = items[:whole:group].astype(np.intp)
    for place in range(1, group):
        grouped *= widths.size
        grouped += items[place:whole:group]
    rest = items[whole:].astype(np.intp)
    each_width = np.concatenate([table_widths[grouped], widths[rest]])
    each_word = np.concatenate([table_words[grouped], words[rest]])
    if not each_width.all():
        raise ValueError("There is a symbol that has no word in this code.")
    return _joined(each_word, each_width)


def decode(data: ArrayLike, lengths: ArrayLike, count: int) -> NDArray[np.uint8]:
    """Read symbols that `encode` wrote.

    Parameters
    ----------
    data
        The bytes, uint8.
    lengths
        (k,), integers with ``k`` at most 256: bits per word.
    count
        Number of symbols to read.

    Returns
    -------
    ndarray
        (`count`,): the symbols.

    Raises
    ------
    ValueError
        If the data end too early or contain bits that are not the beginning of a word, or if no
        prefix-free code has these lengths.
    """
    stream = np.asarray(data, dtype=np.uint8)
    widths = np.asarray(lengths, dtype=np.int64)
    if widths.size > 256:
        raise ValueError("Symbols are bytes: there can be at most 256 of them.")
    words = _canonical(widths)
    if count == 0:
        return np.zeros(0, dtype=np.uint8)
    # In canonical order, the words (extended with zeros) increase. Hence the word with which some
    # bits begin is the last word that is not larger than they are.
    order = np.lexsort((np.arange(widths.size), widths))
    order = order[widths[order] > 0]
    if order.size == 0:
        raise ValueError("There are symbols to read, but the code has no words.")
    left = words[order] << (MAX_LENGTH - widths[order]).astype(np.uint64)

    def looked_up(bits: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the symbols whose words begin these MAX_LENGTH bits."""
        return order[np.searchsorted(left, bits, side="right") - 1]

    # For each window of 16 bits: the symbol with which it begins, if 16 bits suffice to tell.
    windows = np.arange(2**_WINDOW, dtype=np.uint64) << np.uint64(MAX_LENGTH - _WINDOW)
    symbol_in = looked_up(windows)
    width_in = widths[symbol_in]
    width_in[width_in > _WINDOW] = 0
    # Whether each window really begins with that word, and the word is not just the last below it.
    begins = windows >> (MAX_LENGTH - width_in).astype(np.uint64) == words[symbol_in]
    short = widths[symbol_in] <= _WINDOW
    no_word = short & ~begins

    padded = np.concatenate([stream, np.zeros(8, dtype=np.uint8)])
    wide = padded.astype(np.uint32)
    three = (wide[:-2] << 16) | (wide[1:-1] << 8) | wide[2:]  # three bytes, starting at each byte
    shifts = np.arange(8, 0, -1, dtype=np.uint32)
    window_at = (three[: stream.size, None] >> shifts).astype(np.uint16).ravel()  # bit by bit

    jump_at = width_in.astype(np.uint8)[window_at]
    far = np.flatnonzero(jump_at == 0)
    far_symbols = looked_up(_long_windows(padded, far))
    jump_at[far] = widths[far_symbols]

    places = _followed(jump_at.tobytes(), count, 8 * stream.size)
    windows_there = window_at[places]
    symbols = symbol_in[windows_there]
    long = ~short[windows_there]
    symbols[long] = far_symbols[np.searchsorted(far, places[long])]
    far_fit = _begin(padded, places[long], symbols[long], words, widths)
    if no_word[windows_there].any() or not far_fit:
        raise ValueError("There are bits with which no word of this code begins.")
    if places[-1] + widths[symbols[-1]] > 8 * stream.size:
        raise ValueError("The data end before the last symbol.")
    return symbols.astype(np.uint8)


def _canonical(lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the canonical words as numbers; 0 for symbols without a word."""
    if lengths.size and (lengths.min() < 0 or lengths.max() > MAX_LENGTH):
        raise ValueError(f"Words have from 0 to {MAX_LENGTH} bits.")
    words = np.zeros(lengths.size, dtype=np.uint64)
    word, before = 0, 0
    for symbol in np.lexsort((np.arange(lengths.size), lengths)).tolist():
        length = int(lengths[symbol])
        if length == 0:
            continue
        word <<= length - before
        if word >> length:
            raise ValueError("No prefix-free code has words of these lengths.")
        words[symbol] = word
        word, before = word + 1, length
    return words


def _joined(words: NDArray[np.uint64], widths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Write words of 1 to 64 bits one after the other, eight bits to a byte."""
    ends = np.cumsum(widths)
    total = int(ends[-1])
    starts = ends - widths
    piece = starts >> 6  # number of the 64-bit piece in which a word begins
    offset = (starts & 63).astype(np.uint64)
    left = words << (64 - widths).astype(np.uint64)
    # No word is longer than a piece, so a word begins in every piece.
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    pieces = np.zeros(first.size + 1, dtype=np.uint64)
    pieces[:-1] = np.bitwise_or.reduceat(left >> offset, first)
    # Only the last word of a piece can extend into the next. A shift by 64 is undefined, hence two.
    last = np.append(first[1:], words.size) - 1
    pieces[1:] |= (left[last] << (np.uint64(63) - offset[last])) << np.uint64(1)
    return pieces.astype(">u8").view(np.uint8)[: (total + 7) // 8].copy()


def _followed(jumps: bytes, count: int, end: int) -> NDArray[np.intp]:
    """Return the first `count` places that are reached by jumping, starting at place 0."""
    marks = bytearray(end)
    place = 0
    # The only loop over symbols. It uses bytes and small integers, which are fastest in Python.
    try:
        for _ in range(count):
            marks[place] = 1
            place += jumps[place]
    except IndexError:
        raise ValueError("The data end before the last symbol.") from None
    return np.flatnonzero(np.frombuffer(marks, dtype=np.uint8))


def _long_windows(padded: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Return the MAX_LENGTH bits that start at each place of a stream padded by 8 bytes."""
    eight = np.zeros(places.size, dtype=np.uint64)
    for byte in range(8):
        eight = (eight << np.uint64(8)) | padded[(places >> 3) + byte]
    within = (places & 7).astype(np.uint64)
    return (eight << within) >> np.uint64(64 - MAX_LENGTH)


def _begin(
    padded: NDArray[np.uint8],
    places: NDArray[np.intp],
    symbols: NDArray[np.intp],
    words: NDArray[np.uint64],
    widths: NDArray[np.int64],
) -> bool:
    """Return whether the words of the symbols are found at the given places."""
    shift = (MAX_LENGTH - widths[symbols]).astype(np.uint64)
    return bool((_long_windows(padded, places) >> shift == words[symbols]).all())
