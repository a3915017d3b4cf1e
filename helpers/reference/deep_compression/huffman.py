"""Huffman codes for arrays of small numbers: lengths, canonical words, coding and decoding.

Symbols are the numbers 0 to ``k - 1``, as cluster indices are. A code is given by the lengths of
its words alone: the words themselves are the canonical ones, so that the lengths are all that has
to be stored beside the bits.

Coding and decoding work on whole arrays. Coding looks words up for groups of symbols and ORs them
into 64-bit pieces. Decoding looks at *every* bit position how long the word would be that began
there, which needs no knowledge of where words do begin, and then follows the jumps.

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

MAX_LENGTH = 57  # bits of a word: 64 less the 7 that a word may begin after the start of a byte
_WINDOW = 16  # bits that the first look of the decoder sees
_GROUPS = 2**16  # entries of the table of groups of symbols, at most


def entropy(counts: ArrayLike) -> float:
    """Return the entropy of symbols in bits per symbol, ``-sum p log2 p``.

    Parameters
    ----------
    counts : array of int, (k,)
        How often each symbol occurs. Symbols that do not occur add nothing.

    Returns
    -------
    float
        From 0 (one symbol only, or none at all) to ``log2 k``.
    """
    occurring = np.asarray(counts, dtype=np.float64)
    occurring = occurring[occurring > 0]
    if occurring.size == 0:
        return 0.0
    p = occurring / occurring.sum()
    return float(max(0.0, -(p * np.log2(p)).sum()))


def code_lengths(counts: ArrayLike) -> NDArray[np.uint8]:
    """Return the lengths of the words of an optimal prefix-free code (Huffman 1952).

    Merge the two rarest trees until one is left; with each merger every symbol in them gets one
    bit more.

    Parameters
    ----------
    counts : array of int, (k,)
        How often each symbol occurs.

    Returns
    -------
    uint8 array, (k,)
        Bits per word; 0 for a symbol that does not occur. If only one symbol occurs its word has
        1 bit: with no bits at all nobody could tell how many there are.

    Raises
    ------
    ValueError
        If a count is negative.
    """
    numbers = [int(count) for count in np.asarray(counts)]
    if any(count < 0 for count in numbers):
        raise ValueError("A symbol cannot occur a negative number of times.")
    lengths = np.zeros(len(numbers), dtype=np.uint8)
    # (count, order of birth, symbols): the order decides among equals, so that codes are the same
    # everywhere, and prefers young leaves to old trees, which keeps the longest word short.
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
    counts : mapping from layer to array of int, (k,)
        How often each symbol occurs in the layer.
    lengths : mapping from the same layers to array of int, (k,)
        Bits of each symbol's word in the layer's own code.

    Returns
    -------
    float
        All bits divided by all symbols: a frequent symbol and a large layer weigh more. 0 if there
        is no symbol.
    """
    symbols = sum(int(np.sum(layer)) for layer in counts.values())
    bits = sum(int(np.dot(np.asarray(counts[n]), np.asarray(lengths[n], int))) for n in counts)
    return bits / symbols if symbols else 0.0


def canonical_codes(lengths: ArrayLike) -> list[str]:
    """Return the words of the canonical prefix-free code with these lengths.

    Sort the symbols by length, equal ones by number. The first word is all zeros; each next one is
    the word before plus 1, as a binary number, with zeros appended up to its own length.

    Parameters
    ----------
    lengths : array of int, (k,)
        Bits per word; symbols of length 0 have none.

    Returns
    -------
    list of str
        The words as strings of ``0`` and ``1``; empty for symbols that have none.

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
    symbols : array of int, (n,)
        Numbers from 0 to ``k - 1``.
    lengths : array of int, (k,)
        Bits per word, as from `code_lengths`.

    Returns
    -------
    uint8 array
        The bits, eight to a byte, the first in the highest bit. What is left of the last byte is
        filled with zeros.

    Raises
    ------
    ValueError
        If a symbol has no word.
    """
    widths = np.asarray(lengths, dtype=np.int64)
    items = np.asarray(symbols)
    if items.size == 0:
        return np.zeros(0, dtype=np.uint8)
    if items.min() < 0 or items.max() >= widths.size:
        raise ValueError(f"The symbols must be numbers from 0 to {widths.size - 1}.")
    words = _canonical(widths)
    # One table look-up may serve several symbols, as long as their words fit in 64 bits together
    # and the table stays small.
    group, table_words, table_widths = 1, words, widths
    while (group + 1) * widths.max() <= 64 and table_words.size * widths.size <= _GROUPS:
        table_words = ((table_words[:, None] << widths.astype(np.uint64)) | words).ravel()
        # A symbol without a word must not hide in a group.
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
    data : uint8 array
        The bits.
    lengths : array of int, (k,), k at most 256
        Bits per word.
    count : int
        How many symbols to read.

    Returns
    -------
    uint8 array, (count,)

    Raises
    ------
    ValueError
        If the data end too early, hold bits that begin no word, or the code is none.
    """
    stream = np.asarray(data, dtype=np.uint8)
    widths = np.asarray(lengths, dtype=np.int64)
    if widths.size > 256:
        raise ValueError("Symbols are bytes: there can be 256 at most.")
    words = _canonical(widths)
    if count == 0:
        return np.zeros(0, dtype=np.uint8)
    # In canonical order the words, followed by zeros, increase: the word that some bits begin with
    # is the last one that is not above them.
    order = np.lexsort((np.arange(widths.size), widths))
    order = order[widths[order] > 0]
    if order.size == 0:
        raise ValueError("There are symbols to read, but the code has no words.")
    left = words[order] << (MAX_LENGTH - widths[order]).astype(np.uint64)

    def looked_up(bits: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Return the symbols whose words begin these MAX_LENGTH bits."""
        return order[np.searchsorted(left, bits, side="right") - 1]

    # All windows of 16 bits: which symbol they begin with, if they are enough to tell.
    windows = np.arange(2**_WINDOW, dtype=np.uint64) << np.uint64(MAX_LENGTH - _WINDOW)
    symbol_in = looked_up(windows)
    width_in = widths[symbol_in]
    width_in[width_in > _WINDOW] = 0
    # The word that a window begins with, and not only the last one below it: 0 where there is none.
    begins = windows >> (MAX_LENGTH - width_in).astype(np.uint64) == words[symbol_in]
    short = widths[symbol_in] <= _WINDOW
    no_word = short & ~begins

    padded = np.concatenate([stream, np.zeros(8, dtype=np.uint8)])
    wide = padded.astype(np.uint32)
    three = (wide[:-2] << 16) | (wide[1:-1] << 8) | wide[2:]  # the three bytes from each byte on
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
        raise ValueError("There are bits that begin no word of this code.")
    if places[-1] + widths[symbols[-1]] > 8 * stream.size:
        raise ValueError("The data end before the last symbol.")
    return symbols.astype(np.uint8)


def _canonical(lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the canonical words as numbers; 0 where there is none."""
    if lengths.size and (lengths.min() < 0 or lengths.max() > MAX_LENGTH):
        raise ValueError(f"Words have 0 to {MAX_LENGTH} bits.")
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
    piece = starts >> 6  # the number of the 64-bit piece that a word begins in
    offset = (starts & 63).astype(np.uint64)
    left = words << (64 - widths).astype(np.uint64)
    # No word is longer than a piece, so that one begins in every piece.
    first = np.flatnonzero(np.diff(piece, prepend=-1))
    pieces = np.zeros(first.size + 1, dtype=np.uint64)
    pieces[:-1] = np.bitwise_or.reduceat(left >> offset, first)
    # Only the last word of a piece can reach into the next. Two shifts: one by 64 is not defined.
    last = np.append(first[1:], words.size) - 1
    pieces[1:] |= (left[last] << (np.uint64(63) - offset[last])) << np.uint64(1)
    return pieces.astype(">u8").view(np.uint8)[: (total + 7) // 8].copy()


def _followed(jumps: bytes, count: int, end: int) -> NDArray[np.intp]:
    """Return the first `count` places that jumping from place 0 on reaches."""
    marks = bytearray(end)
    place = 0
    # The one loop over symbols: bytes and small numbers are what Python is fastest with.
    try:
        for _ in range(count):
            marks[place] = 1
            place += jumps[place]
    except IndexError:
        raise ValueError("The data end before the last symbol.") from None
    return np.flatnonzero(np.frombuffer(marks, dtype=np.uint8))


def _long_windows(padded: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Return the MAX_LENGTH bits from each place on, the stream being padded by 8 bytes."""
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
    """Say whether these symbols' words stand at these places."""
    shift = (MAX_LENGTH - widths[symbols]).astype(np.uint64)
    return bool((_long_windows(padded, places) >> shift == words[symbols]).all())
