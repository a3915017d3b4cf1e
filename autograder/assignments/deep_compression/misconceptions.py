"""Wrong solutions of `deep_compression`, as students write them.

Each is one mistake and otherwise right. What a wrong solution takes from another question
(`code_lengths` in `layer_to_bytes`, say) is the reference's here and the student's in a notebook.
"""

# Students write no type hints.
# mypy: allow-untyped-defs

import numpy as np
import torch

from autograder.misconceptions import misconception
from helpers.reference.deep_compression import compressed_file, huffman, run_lengths, weight_sharing
from helpers.reference.deep_compression.huffman import (
    canonical_codes,
    code_lengths,
    decode,
    encode,
    entropy,
)
from helpers.reference.deep_compression.run_lengths import kept_from_runs
from helpers.reference.deep_compression.weight_sharing import rebuild

# ------------------------------------------------------------------------------------------------
# weight_sharing.starting_centroids


@misconception(of=weight_sharing.starting_centroids)
def linear_is_symmetric(w, bits, method, seed=0):
    """You space the linear centroids from minus the largest magnitude to plus it.

    Weights are rarely symmetric, and then some centroids lie where no weight is: space them from
    the smallest kept weight to the largest.
    """
    kept = w[w != 0].astype(np.float64)
    distinct, count = np.unique(kept), 2**bits
    if len(distinct) <= count:
        return distinct
    if method == "linear":
        return np.linspace(-np.abs(kept).max(), np.abs(kept).max(), count)
    if method == "density":
        return np.quantile(kept, (np.arange(count) + 0.5) / count)
    return np.sort(np.random.default_rng(seed).choice(distinct, count, replace=False))


@misconception(of=weight_sharing.starting_centroids)
def twice_as_many_as_bits(w, bits, method, seed=0):
    """You take 2 b centroids for b bits.

    Every further bit doubles the number of codes, it does not add two: b bits tell 2^b centroids
    apart.
    """
    kept = w[w != 0].astype(np.float64)
    distinct, count = np.unique(kept), 2 * bits
    if len(distinct) <= count:
        return distinct
    if method == "linear":
        return np.linspace(kept.min(), kept.max(), count)
    if method == "density":
        return np.quantile(kept, (np.arange(count) + 0.5) / count)
    return np.sort(np.random.default_rng(seed).choice(distinct, count, replace=False))


@misconception(of=weight_sharing.starting_centroids)
def zeros_in_the_distribution(w, bits, method, seed=0):
    """You take the quantiles of all weights, the pruned ones included.

    Half of the centroids can then start at zero, where no kept weight is: pruned weights need no
    centroid, so leave them out first.
    """
    kept = w[w != 0].astype(np.float64)
    distinct, count = np.unique(kept), 2**bits
    if len(distinct) <= count:
        return distinct
    if method == "linear":
        return np.linspace(kept.min(), kept.max(), count)
    if method == "density":
        return np.quantile(w.astype(np.float64), (np.arange(count) + 0.5) / count)
    return np.sort(np.random.default_rng(seed).choice(distinct, count, replace=False))


@misconception(of=weight_sharing.starting_centroids)
def density_is_drawn(w, bits, method, seed=0):
    """You draw the density-based centroids at random among the weights.

    Draws follow the density only on average, and that is the random method: density-based
    centroids are fixed quantiles of the weights.
    """
    kept = w[w != 0].astype(np.float64)
    distinct, count = np.unique(kept), 2**bits
    if len(distinct) <= count:
        return distinct
    if method == "linear":
        return np.linspace(kept.min(), kept.max(), count)
    return np.sort(np.random.default_rng(seed).choice(distinct, count, replace=False))


@misconception(of=weight_sharing.starting_centroids)
def random_between_the_ends(w, bits, method, seed=0):
    """You draw random numbers between the smallest and the largest weight.

    Few weights lie near the ends, and so many of your centroids start far from any: draw among the
    kept weights themselves.
    """
    kept = w[w != 0].astype(np.float64)
    distinct, count = np.unique(kept), 2**bits
    if len(distinct) <= count:
        return distinct
    if method == "linear":
        return np.linspace(kept.min(), kept.max(), count)
    if method == "density":
        return np.quantile(kept, (np.arange(count) + 0.5) / count)
    return np.sort(np.random.default_rng(seed).uniform(kept.min(), kept.max(), count))


# ------------------------------------------------------------------------------------------------
# weight_sharing.share_weights


@misconception(of=weight_sharing.share_weights)
def zeros_clustered_too(w, start):
    """You cluster all weights, the pruned ones included.

    The many zeros pull the centroids near them towards zero, away from the weights that they stand
    for: cluster the kept weights alone.
    """
    if not w.any():
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1).fit(w.reshape(-1, 1))
    codes = kmeans.labels_[w.ravel() != 0]
    return codes.astype(np.uint8), kmeans.cluster_centers_.ravel().astype(np.float32)


@misconception(of=weight_sharing.share_weights)
def centroids_never_move(w, start):
    """You assign the weights to the starting centroids and stop there.

    That is only the first half of one iteration: each centroid then moves to the mean of its
    weights, and both halves repeat until nothing changes.
    """
    kept = w[w != 0]
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    codes = np.abs(kept[:, None] - np.asarray(start)).argmin(axis=1)
    return codes.astype(np.uint8), np.asarray(start, dtype=np.float32)


@misconception(of=weight_sharing.share_weights)
def centroid_kept_for_zero(w, start):
    """You keep one centroid at zero for the pruned weights.

    Their places are stored in the index already, and so this centroid is wasted: all centroids
    belong to the kept weights.
    """
    kept = w[w != 0]
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1)
    codes = kmeans.fit(kept.reshape(-1, 1)).labels_
    centroids = kmeans.cluster_centers_.ravel().astype(np.float32)
    centroids[np.abs(centroids).argmin()] = 0
    return codes.astype(np.uint8), centroids


@misconception(of=weight_sharing.share_weights)
def codes_in_sorted_order(w, start):
    """You return the codes in the order of the sorted weights.

    The layer is rebuilt in memory order, and there they fall on the wrong weights: sort a copy if
    you need to, but return the codes in the order of the kept weights.
    """
    kept = np.sort(w[w != 0])
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1)
    codes = kmeans.fit(kept.reshape(-1, 1)).labels_
    return codes.astype(np.uint8), kmeans.cluster_centers_.ravel().astype(np.float32)


# ------------------------------------------------------------------------------------------------
# weight_sharing.rebuild


@misconception(of=weight_sharing.rebuild)
def cluster_zero_is_lost(kept, codes, centroids):
    """You take code 0 for "pruned", and all the weights of the first cluster are lost.

    A code is only a number: which weights are pruned, `kept` says and nothing else.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights[kept] = np.where(codes == 0, 0, centroids[codes]) if codes.size else 0
    return weights


@misconception(of=weight_sharing.rebuild)
def codes_counted_from_one(kept, codes, centroids):
    """You count the codes from 1, as if 0 stood for the pruned weights.

    Every weight then takes the centroid before its own, and the first ones wrap around to the last
    centroid: the codes count the centroids from 0.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights[kept] = centroids[codes.astype(int) - 1] if codes.size else 0
    return weights


@misconception(of=weight_sharing.rebuild)
def places_forgotten(kept, codes, centroids):
    """You fill the layer from its beginning, whatever places were kept.

    The weights are right, but each ends up at another place: write them where `kept` is true.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights.ravel()[: len(codes)] = centroids[codes] if codes.size else 0
    return weights


# ------------------------------------------------------------------------------------------------
# weight_sharing.centroid_gradient


@misconception(of=weight_sharing.centroid_gradient)
def gradients_averaged(gradient, kept, codes, count):
    """You average the gradients of a cluster instead of adding them up.

    A centroid that moves takes all of its weights with it, and the loss feels each of them: by the
    chain rule their gradients add.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    sums.index_add_(0, codes, gradient[kept])
    return sums / torch.bincount(codes, minlength=count).clamp(min=1)


@misconception(of=weight_sharing.centroid_gradient)
def last_gradient_wins(gradient, kept, codes, count):
    """You write the gradients to the centroids one over the other.

    `sums[codes] += ...` reads, adds and writes once for each centroid, however often it occurs in
    `codes`: of each cluster only one weight is left. Use `index_add_` or `scatter_add_`.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    for code, value in zip(codes.tolist(), gradient[kept], strict=True):
        sums[code] = value
    return sums


@misconception(of=weight_sharing.centroid_gradient)
def pruned_weights_pull(gradient, kept, codes, count):
    """You add the gradients of the pruned weights to the first centroid.

    They get a gradient too, but they take no centroid's value: only the gradients of kept weights
    count.
    """
    everywhere = torch.zeros(gradient.shape, dtype=torch.int64, device=gradient.device)
    everywhere[kept] = codes
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    return sums.index_add_(0, everywhere.flatten(), gradient.flatten()) if count else sums


# ------------------------------------------------------------------------------------------------
# huffman.entropy


@misconception(of=huffman.entropy)
def entropy_in_nats(counts):
    """You use the natural logarithm, which gives the entropy in nats.

    A code is written in bits, and a symbol of probability 1/2 should cost exactly one: take the
    logarithm to the base 2.
    """
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


@misconception(of=huffman.entropy)
def all_symbols_alike(counts):
    """You take the logarithm of the number of symbols.

    That is the entropy if all of them are equally frequent, and the largest that it can be: weigh
    each symbol by its probability.
    """
    return float(np.log2(len(counts[counts > 0])))


@misconception(of=huffman.entropy)
def absent_symbols_give_nan(counts):
    """You take the logarithm of 0 for symbols that do not occur.

    0 times minus infinity is not a number, and it spoils the sum. What never occurs adds nothing to
    the entropy: leave it out.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        p = counts / counts.sum()
        return float(-(p * np.log2(p)).sum())


# ------------------------------------------------------------------------------------------------
# huffman.code_lengths


@misconception(of=huffman.code_lengths)
def one_symbol_without_bits(counts):
    """You give a symbol that is alone a word of 0 bits.

    Then nothing is written at all, and no reader could step from one symbol to the next: a single
    symbol takes 1 bit.
    """
    lengths = np.zeros(len(counts), np.uint8)
    trees = [(int(count), [s]) for s, count in enumerate(counts) if count]
    while len(trees) > 1:
        trees.sort(key=lambda tree: tree[0])
        (a, few), (b, more), *trees = trees
        lengths[few + more] += 1
        trees.append((a + b, few + more))
    return lengths


@misconception(of=huffman.code_lengths)
def absent_symbols_get_words(counts):
    """You build the tree with symbols that never occur.

    Their words are never written, but they make the words of others longer: leave counts of 0 out
    of the tree.
    """
    lengths = np.zeros(len(counts), np.uint8)
    trees = [(int(count), [s]) for s, count in enumerate(counts)]
    while len(trees) > 1:
        trees.sort(key=lambda tree: tree[0])
        (a, few), (b, more), *trees = trees
        lengths[few + more] += 1
        trees.append((a + b, few + more))
    return np.maximum(lengths, 1)


@misconception(of=huffman.code_lengths)
def rounded_up_information(counts):
    """You round the information content of each symbol up to whole bits.

    That is Shannon's code: it can be read, but it leaves words unused. Huffman's merges of the two
    rarest give the shortest code there is.
    """
    counts = np.asarray(counts)
    p = np.maximum(counts, 1) / max(1, counts.sum())
    bits = np.maximum(1, np.ceil(-np.log2(p) - 1e-12))
    return np.where(counts > 0, bits, 0).astype(np.uint8)


@misconception(of=huffman.code_lengths)
def same_length_for_all(counts):
    """You give each symbol the same number of bits.

    That is a code of fixed length, which does not use the counts: frequent symbols should get
    shorter words than rare ones.
    """
    used = np.asarray(counts) > 0
    return np.where(used, max(1, int(used.sum() - 1).bit_length()), 0).astype(np.uint8)


# ------------------------------------------------------------------------------------------------
# huffman.average_bits


@misconception(of=huffman.average_bits)
def lengths_not_weighted(counts, lengths):
    """You average the lengths of the words without weighing them.

    A short word is short because it is used often: each length counts as many times as its symbol
    occurs.
    """
    used = [n for layer in counts for c, n in zip(counts[layer], lengths[layer], strict=True) if c]
    return float(np.mean(used))


@misconception(of=huffman.average_bits)
def layers_not_weighted(counts, lengths):
    """You average the averages of the layers.

    A layer of a hundred weights counts there as much as one of ten thousand: add up all bits, and
    divide by all symbols.
    """
    means = [np.dot(counts[n], lengths[n].astype(int)) / counts[n].sum() for n in counts]
    return float(np.mean(means))


@misconception(of=huffman.average_bits)
def entropy_for_the_average(counts, lengths):
    """You compute the entropy, which is a bound, and not the length of this code.

    Words have whole numbers of bits: count those that are really written.
    """
    sizes = {n: counts[n].sum() for n in counts}
    return float(sum(sizes[n] * entropy(counts[n]) for n in counts) / sum(sizes.values()))


# ------------------------------------------------------------------------------------------------
# huffman.canonical_codes


@misconception(of=huffman.canonical_codes)
def words_without_zeros_in_front(lengths):
    """You number the words in binary, without filling them up to their lengths.

    Then 1 begins 10 and 11, and nobody can tell where a word ends: such a table is not
    prefix-free.
    """
    order = sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n)
    words = [""] * len(lengths)
    for number, (_, symbol) in enumerate(order):
        words[symbol] = format(number, "b")
    return words


@misconception(of=huffman.canonical_codes)
def not_lengthened(lengths):
    """You add 1 for the next word and fill up with zeros on the left when words get longer.

    The longer words then begin like shorter ones, and the table is not prefix-free: append the new
    zeros on the right.
    """
    order = sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n)
    words = [""] * len(lengths)
    for number, (n, symbol) in enumerate(order):
        words[symbol] = format(number, "b").zfill(n)
    return words


@misconception(of=huffman.canonical_codes)
def lengthened_before_adding(lengths):
    """You append the zeros first and add the 1 afterwards.

    A longer word then begins with the shorter word before it, so that the table is not prefix-free:
    add 1 first, then append zeros.
    """
    order = sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n)
    words = [""] * len(lengths)
    word = -1
    before = order[0][0] if order else 0
    for n, symbol in order:
        word = (word << (n - before)) + 1 if word >= 0 else 0
        before = n
        words[symbol] = format(word, "b").zfill(n)
    return words


@misconception(of=huffman.canonical_codes)
def ordered_by_symbol(lengths):
    """You give out the words in the order of the symbols, whatever their lengths.

    After a long word the next short one can begin it: the canonical code sorts by length first, and
    by symbol among equal lengths.
    """
    words, word, before = [], 0, 0
    for n in np.asarray(lengths).tolist():
        if n == 0:
            words.append("")
            continue
        word = word << (n - before) if n >= before else word >> (before - n)
        words.append(format(word, "b").zfill(n)[-n:])
        word, before = word + 1, n
    return words


# ------------------------------------------------------------------------------------------------
# huffman.encode


@misconception(of=huffman.encode)
def lowest_bit_first(symbols, lengths):
    """You put the first bit into the lowest bit of a byte.

    That is another order than the one agreed on here, and a reader finds other words: the first bit
    is the highest of its byte.
    """
    words = canonical_codes(lengths)
    bits = np.array([int(bit) for s in symbols for bit in words[s]], dtype=np.uint8)
    return np.packbits(bits, bitorder="little")


@misconception(of=huffman.encode)
def filled_in_front(symbols, lengths):
    """You fill the missing bits up with zeros in front, as for one large number.

    The first word then no longer begins at the first bit: the zeros belong at the end of the last
    byte.
    """
    words = canonical_codes(lengths)
    bits = [int(bit) for s in symbols for bit in words[s]]
    return np.packbits(np.array([0] * (-len(bits) % 8) + bits, dtype=np.uint8))


@misconception(of=huffman.encode)
def a_byte_for_each_word(symbols, lengths):
    """You begin a new byte for every word.

    A word of two bits then takes eight, and nothing is gained: write the words one right after the
    other, and fill up once, at the very end.
    """
    words = canonical_codes(lengths)
    bits = [np.packbits([int(bit) for bit in words[s]]) for s in symbols]
    return np.concatenate([np.zeros(0, dtype=np.uint8), *bits])


# ------------------------------------------------------------------------------------------------
# huffman.decode


@misconception(of=huffman.decode)
def reads_the_filling(data, lengths, count):
    """You read to the last bit of the data.

    The zeros that fill the last byte are no symbols, although they look like some: stop after
    `count` symbols.
    """
    symbol_of = {word: s for s, word in enumerate(canonical_codes(lengths)) if word}
    symbols, word = [], ""
    for bit in np.unpackbits(data):
        word += str(bit)
        if word in symbol_of:
            symbols.append(symbol_of[word])
            word = ""
    return np.array(symbols, dtype=np.uint8)


@misconception(of=huffman.decode)
def reads_the_lowest_bit_first(data, lengths, count):
    """You read each byte from its lowest bit on.

    That is another order than the one agreed on here: the first bit is the highest of its byte.
    """
    symbol_of = {word: s for s, word in enumerate(canonical_codes(lengths)) if word}
    symbols, word = [], ""
    for bit in np.unpackbits(data, bitorder="little"):
        word += str(bit)
        if word in symbol_of:
            symbols.append(symbol_of[word])
            word = ""
    return np.array(symbols[:count], dtype=np.uint8)


# ------------------------------------------------------------------------------------------------
# run_lengths.run_lengths


@misconception(of=run_lengths.run_lengths)
def steps_instead_of_zeros(kept, width):
    """You count the steps from one kept weight to the next, and not the zeros between them.

    Two neighbours are one step apart and have no zero between them: your runs are too long by one.
    """
    most = 2**width - 1
    steps = np.diff(np.flatnonzero(kept), prepend=-1)
    runs = [run for step in steps for run in [most] * (step // most) + [step % most]]
    return np.array(runs, dtype=np.uint8)


@misconception(of=run_lengths.run_lengths)
def long_gaps_cut_off(kept, width):
    """You cut long gaps off at the largest run.

    All the weights behind such a gap move forward: a gap that does not fit takes paddings, and then
    the rest.
    """
    zeros = np.diff(np.flatnonzero(kept), prepend=-1) - 1
    return np.minimum(zeros, 2**width - 1).astype(np.uint8)


@misconception(of=run_lengths.run_lengths)
def first_gap_missing(kept, width):
    """You count the zeros between kept weights, but not those before the first one.

    A reader would put the first kept weight at the very beginning: its run counts from there.
    """
    most = 2**width - 1
    positions = np.flatnonzero(kept)
    zeros = np.concatenate([positions[:1] * 0, np.diff(positions) - 1])
    runs = [run for gap in zeros for run in [most] * (gap // most) + [gap % most]]
    return np.array(runs, dtype=np.uint8)


@misconception(of=run_lengths.run_lengths)
def padding_for_a_gap_that_fits(kept, width):
    """You write a gap of exactly M zeros as the run M, with no rest behind it.

    M alone says that no weight follows yet, and so a reader never gets to this weight: M zeros are
    a padding and a run of 0.
    """
    most = 2**width - 1
    zeros = np.diff(np.flatnonzero(kept), prepend=-1) - 1
    runs = []
    for gap in zeros:
        while gap > most:
            runs.append(most)
            gap -= most
        runs.append(gap)
    return np.array(runs, dtype=np.uint8)


# ------------------------------------------------------------------------------------------------
# run_lengths.kept_from_runs


@misconception(of=run_lengths.kept_from_runs)
def paddings_taken_for_weights(runs, width, shape):
    """You keep a weight after each run, after the paddings too.

    The largest run stands for zeros alone: no kept weight follows it.
    """
    positions = np.cumsum(runs.astype(int) + 1) - 1
    kept = np.zeros(int(np.prod(shape)), dtype=bool)
    kept[positions[positions < kept.size]] = True
    return kept.reshape(shape)


@misconception(of=run_lengths.kept_from_runs)
def weights_take_no_place(runs, width, shape):
    """You add up the runs, but a kept weight takes a place itself.

    Your positions fall behind by one with every weight: after the zeros, step over the weight too.
    """
    is_weight = runs < 2**width - 1
    kept = np.zeros(int(np.prod(shape)), dtype=bool)
    kept[np.cumsum(runs.astype(int))[is_weight]] = True
    return kept.reshape(shape)


# ------------------------------------------------------------------------------------------------
# run_lengths.compression_ratio


@misconception(of=run_lengths.compression_ratio)
def codebook_not_counted(size, kept, runs, bits, width):
    """You do not count the codebook.

    Without its centroids the codes mean nothing: 2^b floats of 32 bits belong to what is stored,
    and for a small layer they are most of it.
    """
    return 32 * size / (bits * kept + width * runs)


@misconception(of=run_lengths.compression_ratio)
def index_not_counted(size, kept, runs, bits, width):
    """You do not count the index.

    Nobody knows which weights were kept without the runs, and they cost about as much as the codes:
    count `width` bits for each.
    """
    return 32 * size / (bits * kept + 32 * 2**bits)


@misconception(of=run_lengths.compression_ratio)
def codes_for_pruned_weights(size, kept, runs, bits, width):
    """You count a code for each weight, the pruned ones too.

    Pruned weights have no code, or pruning would gain nothing here: their places follow from the
    runs.
    """
    return 32 * size / (bits * size + width * runs + 32 * 2**bits)


@misconception(of=run_lengths.compression_ratio)
def ratio_upside_down(size, kept, runs, bits, width):
    """You divide the compressed size by the original one.

    "How many times smaller" is the other way round: a number above 1 for all but the smallest
    layers.
    """
    return (bits * kept + width * runs + 32 * 2**bits) / (32 * size)


# ------------------------------------------------------------------------------------------------
# compressed_file.layer_to_bytes


@misconception(of=compressed_file.layer_to_bytes)
def centroids_in_double(codes, runs, centroids, width):
    """You write the centroids with 8 bytes each.

    NumPy computes in float64 unless told otherwise, and `tobytes` writes what is there: convert the
    centroids to float32 first.
    """
    code_table = code_lengths(np.bincount(codes, minlength=len(centroids)))
    run_table = code_lengths(np.bincount(runs, minlength=2**width))
    code_bits = encode(codes, code_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(codes), len(runs), len(code_bits)], np.uint32).tobytes()
    header += np.array([len(centroids), width], np.uint16).tobytes()
    content = centroids.astype(np.float64).tobytes()
    content += b"".join(part.tobytes() for part in (code_table, run_table, code_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


@misconception(of=compressed_file.layer_to_bytes)
def tables_end_with_the_last_symbol(codes, runs, centroids, width):
    """Your code tables end with the last symbol that occurs.

    A reader expects k entries for the codes and 2^width for the runs, and takes the next bytes for
    the rest: give `np.bincount` a `minlength`.
    """
    code_table = code_lengths(np.bincount(codes))
    run_table = code_lengths(np.bincount(runs))
    code_bits = encode(codes, code_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(codes), len(runs), len(code_bits)], np.uint32).tobytes()
    header += np.array([len(centroids), width], np.uint16).tobytes()
    content = centroids.astype(np.float32).tobytes()
    content += b"".join(part.tobytes() for part in (code_table, run_table, code_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


@misconception(of=compressed_file.layer_to_bytes)
def highest_byte_first(codes, runs, centroids, width):
    """You write the numbers of the header with the highest byte first.

    Both orders are in use, and a reader has to know which: here the lowest byte comes first, as in
    `"<u4"`.
    """
    code_table = code_lengths(np.bincount(codes, minlength=len(centroids)))
    run_table = code_lengths(np.bincount(runs, minlength=2**width))
    code_bits = encode(codes, code_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(codes), len(runs), len(code_bits)], ">u4").tobytes()
    header += np.array([len(centroids), width], ">u2").tobytes()
    content = centroids.astype(np.float32).tobytes()
    content += b"".join(part.tobytes() for part in (code_table, run_table, code_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


# ------------------------------------------------------------------------------------------------
# compressed_file.layer_from_bytes


@misconception(of=compressed_file.layer_from_bytes)
def as_many_runs_as_weights(data, shape):
    """You read as many runs as there are kept weights.

    Every padding is one run more: the header says how many runs there are, in its second number.
    """
    content = data.tobytes()
    n, _, code_bytes = np.frombuffer(content, "<u4", 3).tolist()
    k, width = np.frombuffer(content, "<u2", 2, offset=12).tolist()
    centroids = np.frombuffer(content, "<f4", k, offset=16)
    tables = data[16 + 4 * k :]
    bits = tables[k + 2**width :]
    codes = decode(bits[:code_bytes], tables[:k], n)
    runs = decode(bits[code_bytes:], tables[k : k + 2**width], n)
    kept = kept_from_runs(runs, width, shape)
    return rebuild(kept, codes[: kept.sum()], centroids)


@misconception(of=compressed_file.layer_from_bytes)
def runs_begin_at_the_next_bit(data, shape):
    """You read the runs from the bit right after the last code.

    The rest of that byte is filled with zeros, and you take them for runs: the runs begin with a
    fresh byte, c bytes after the first code.
    """
    content = data.tobytes()
    n, m, _ = np.frombuffer(content, "<u4", 3).tolist()
    k, width = np.frombuffer(content, "<u2", 2, offset=12).tolist()
    centroids = np.frombuffer(content, "<f4", k, offset=16)
    tables = data[16 + 4 * k :]
    bits = tables[k + 2**width :]
    codes = decode(bits, tables[:k], n)
    used = int(tables[:k][codes].astype(int).sum())
    run_bits = np.packbits(np.unpackbits(bits)[used:])
    kept = kept_from_runs(decode(run_bits, tables[k : k + 2**width], m), width, shape)
    weights = np.zeros(shape, np.float32)
    places = np.flatnonzero(kept)[:n]
    weights.ravel()[places] = centroids[codes][: len(places)]
    return weights
