"""Wrong solutions of `deep_compression`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`code_lengths` in `layer_to_bytes`, say), it calls the reference's function here, and the
student's own in a notebook.
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
    """You space the linear centroids evenly between minus and plus the largest magnitude.

    Weights are rarely symmetric about zero, so some centroids start where there are no weights:
    space them from the smallest kept weight to the largest.
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
    """You use 2b centroids for b bits.

    Each further bit doubles the number of labels instead of adding two: b bits can tell 2^b
    centroids apart.
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
    """You take the quantiles of all weights, including the pruned ones.

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
    """You draw the density-based centroids at random from the weights.

    Such draws follow the density only on average, and they are what the random method does:
    density-based centroids are fixed quantiles of the weights.
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

    Few weights lie near either end, so many of your centroids start far from any weight: draw from
    the kept weights themselves.
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
    """You cluster all weights, including the pruned ones.

    The many zeros pull nearby centroids towards zero, away from the weights that they should
    represent: cluster only the kept weights.
    """
    if not w.any():
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1).fit(w.reshape(-1, 1))
    labels = kmeans.labels_[w.ravel() != 0]
    return labels.astype(np.uint8), kmeans.cluster_centers_.ravel().astype(np.float32)


@misconception(of=weight_sharing.share_weights)
def centroids_never_move(w, start):
    """You assign the weights to the starting centroids and stop there.

    That is only the first half of one iteration: each centroid then moves to the mean of its
    weights, and both halves repeat until nothing changes.
    """
    kept = w[w != 0]
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    labels = np.abs(kept[:, None] - np.asarray(start)).argmin(axis=1)
    return labels.astype(np.uint8), np.asarray(start, dtype=np.float32)


@misconception(of=weight_sharing.share_weights)
def centroid_kept_for_zero(w, start):
    """You keep one centroid at zero for the pruned weights.

    The index already says which weights are pruned, so this centroid is wasted: all centroids
    belong to the kept weights.
    """
    kept = w[w != 0]
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1)
    labels = kmeans.fit(kept.reshape(-1, 1)).labels_
    centroids = kmeans.cluster_centers_.ravel().astype(np.float32)
    centroids[np.abs(centroids).argmin()] = 0
    return labels.astype(np.uint8), centroids


@misconception(of=weight_sharing.share_weights)
def labels_in_sorted_order(w, start):
    """You return the labels in the order of the sorted weights.

    The layer is rebuilt in memory order, so your labels end up at the wrong weights: sort a copy if
    you need to, but return the labels in the order of the kept weights.
    """
    kept = np.sort(w[w != 0])
    if kept.size == 0:
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    from sklearn.cluster import KMeans

    kmeans = KMeans(len(start), init=np.reshape(start, (-1, 1)), n_init=1)
    labels = kmeans.fit(kept.reshape(-1, 1)).labels_
    return labels.astype(np.uint8), kmeans.cluster_centers_.ravel().astype(np.float32)


# ------------------------------------------------------------------------------------------------
# weight_sharing.rebuild


@misconception(of=weight_sharing.rebuild)
def cluster_zero_is_lost(kept, labels, centroids):
    """You treat label 0 as "pruned", so all weights of the first cluster are lost.

    A label is just the number of a centroid: which weights are pruned depends on `kept` alone.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights[kept] = np.where(labels == 0, 0, centroids[labels]) if labels.size else 0
    return weights


@misconception(of=weight_sharing.rebuild)
def labels_counted_from_one(kept, labels, centroids):
    """You count the labels from 1, as if 0 stood for the pruned weights.

    Every weight then gets the centroid before its own, and the first cluster gets the last
    centroid: the labels number the centroids from 0.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights[kept] = centroids[labels.astype(int) - 1] if labels.size else 0
    return weights


@misconception(of=weight_sharing.rebuild)
def places_forgotten(kept, labels, centroids):
    """You fill the layer from its beginning, whichever places were kept.

    The values are right, but they end up in the wrong places: write them where `kept` is true.
    """
    weights = np.zeros(kept.shape, np.float32)
    weights.ravel()[: len(labels)] = centroids[labels] if labels.size else 0
    return weights


# ------------------------------------------------------------------------------------------------
# weight_sharing.centroid_gradient


@misconception(of=weight_sharing.centroid_gradient)
def gradients_averaged(gradient, kept, labels, count):
    """You average the gradients of a cluster instead of adding them up.

    When a centroid moves, all of its weights move with it, and each of them changes the loss: by
    the chain rule, their gradients add up.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    sums.index_add_(0, labels, gradient[kept])
    return sums / torch.bincount(labels, minlength=count).clamp(min=1)


@misconception(of=weight_sharing.centroid_gradient)
def last_gradient_wins(gradient, kept, labels, count):
    """You let the gradients of a cluster overwrite each other.

    `sums[labels] += ...` reads, adds and writes only once per centroid, however often the centroid
    occurs in `labels`, so only one gradient per cluster is left: use `index_add_` instead, or
    `scatter_add_`.
    """
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    for label, value in zip(labels.tolist(), gradient[kept], strict=True):
        sums[label] = value
    return sums


@misconception(of=weight_sharing.centroid_gradient)
def pruned_weights_pull(gradient, kept, labels, count):
    """You add the gradients of the pruned weights to the first centroid.

    Pruned weights have gradients too, but no centroid determines their value: only the gradients of
    kept weights count.
    """
    everywhere = torch.zeros(gradient.shape, dtype=torch.int64, device=gradient.device)
    everywhere[kept] = labels
    sums = torch.zeros(count, dtype=gradient.dtype, device=gradient.device)
    return sums.index_add_(0, everywhere.flatten(), gradient.flatten()) if count else sums


# ------------------------------------------------------------------------------------------------
# huffman.entropy


@misconception(of=huffman.entropy)
def entropy_in_nats(counts):
    """You use the natural logarithm, which gives the entropy in nats.

    A word is written in bits, and a symbol of probability 1/2 should cost exactly one bit: take the
    logarithm to base 2.
    """
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


@misconception(of=huffman.entropy)
def all_symbols_alike(counts):
    """You take the logarithm of the number of symbols.

    That is the entropy only if all symbols are equally frequent, and it is the largest possible
    value: weight each symbol by its probability.
    """
    return float(np.log2(len(counts[counts > 0])))


# ------------------------------------------------------------------------------------------------
# huffman.code_lengths


@misconception(of=huffman.code_lengths)
def one_symbol_without_bits(counts):
    """You give a symbol a word of 0 bits if it is the only one that occurs.

    Then nothing is written at all, and a reader cannot step from one symbol to the next: a single
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

    Their words are never written, but they make other words longer: leave counts of 0 out of the
    tree.
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

    That is Shannon's code: it can be decoded, but it leaves words unused. Merging the two rarest
    again and again, as Huffman does, gives the shortest code there is.
    """
    counts = np.asarray(counts)
    p = np.maximum(counts, 1) / max(1, counts.sum())
    bits = np.maximum(1, np.ceil(-np.log2(p) - 1e-12))
    return np.where(counts > 0, bits, 0).astype(np.uint8)


@misconception(of=huffman.code_lengths)
def same_length_for_all(counts):
    """You give every symbol the same number of bits.

    That is a fixed-length code, which ignores the counts: frequent symbols should get shorter words
    than rare ones.
    """
    used = np.asarray(counts) > 0
    return np.where(used, max(1, int(used.sum() - 1).bit_length()), 0).astype(np.uint8)


# ------------------------------------------------------------------------------------------------
# huffman.average_bits


@misconception(of=huffman.average_bits)
def lengths_not_weighted(counts, lengths):
    """You average the lengths of the words without weighting them.

    A short word is short because its symbol is frequent: count each length as many times as its
    symbol occurs.
    """
    used = [n for layer in counts for c, n in zip(counts[layer], lengths[layer], strict=True) if c]
    return float(np.mean(used))


@misconception(of=huffman.average_bits)
def layers_not_weighted(counts, lengths):
    """You average the averages of the layers.

    A layer of a hundred weights then counts as much as a layer of ten thousand: divide the total
    number of bits by the total number of symbols.
    """
    means = [np.dot(counts[n], lengths[n].astype(int)) / counts[n].sum() for n in counts]
    return float(np.mean(means))


@misconception(of=huffman.average_bits)
def entropy_for_the_average(counts, lengths):
    """You compute the entropy, which is only a lower bound on the average length of this code.

    Words have whole numbers of bits: count the bits that are actually written.
    """
    sizes = {n: counts[n].sum() for n in counts}
    return float(sum(sizes[n] * entropy(counts[n]) for n in counts) / sum(sizes.values()))


# ------------------------------------------------------------------------------------------------
# huffman.canonical_codes


@misconception(of=huffman.canonical_codes)
def words_without_zeros_in_front(lengths):
    """You number the words in binary without filling them up to their lengths.

    The word 1 is then the beginning of 10 and 11, and nobody can tell where a word ends: such a
    table is not prefix-free.
    """
    order = sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n)
    words = [""] * len(lengths)
    for number, (_, symbol) in enumerate(order):
        words[symbol] = format(number, "b")
    return words


@misconception(of=huffman.canonical_codes)
def not_lengthened(lengths):
    """You add 1 for the next word, and fill longer words up with zeros on the left.

    A longer word can then begin like a shorter one, so the table is not prefix-free: append the new
    zeros on the right.
    """
    order = sorted((n, s) for s, n in enumerate(np.asarray(lengths).tolist()) if n)
    words = [""] * len(lengths)
    for number, (n, symbol) in enumerate(order):
        words[symbol] = format(number, "b").zfill(n)
    return words


@misconception(of=huffman.canonical_codes)
def lengthened_before_adding(lengths):
    """You append the zeros first and then add the 1.

    A longer word then begins with the shorter word before it, so the table is not prefix-free: add
    1 first, then append the zeros.
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
    """You assign the words in the order of the symbols, whatever their lengths.

    A short word that follows a long one can then be the beginning of it: the canonical code sorts
    by length first, and by symbol among equal lengths.
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

    That is not the order agreed on here, so a reader finds different words: the first bit is the
    highest of its byte.
    """
    words = canonical_codes(lengths)
    bits = np.array([int(bit) for s in symbols for bit in words[s]], dtype=np.uint8)
    return np.packbits(bits, bitorder="little")


@misconception(of=huffman.encode)
def filled_in_front(symbols, lengths):
    """You fill up with zeros in front, as for one large number.

    The first word then no longer begins at the first bit: the zeros belong at the end of the last
    byte.
    """
    words = canonical_codes(lengths)
    bits = [int(bit) for s in symbols for bit in words[s]]
    return np.packbits(np.array([0] * (-len(bits) % 8) + bits, dtype=np.uint8))


@misconception(of=huffman.encode)
def a_byte_for_each_word(symbols, lengths):
    """You begin a new byte for every word.

    A word of two bits then takes eight, and nothing is gained: write each word right after the one
    before, and fill up only once, at the very end.
    """
    words = canonical_codes(lengths)
    bits = [np.packbits([int(bit) for bit in words[s]]) for s in symbols]
    return np.concatenate([np.zeros(0, dtype=np.uint8), *bits])


# ------------------------------------------------------------------------------------------------
# huffman.decode


@misconception(of=huffman.decode)
def reads_the_filling(data, lengths, count):
    """You read to the last bit of the data.

    The zeros that fill up the last byte are not symbols, although they may look like some: stop
    after `count` symbols.
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
    """You read each byte starting from its lowest bit.

    That is not the order agreed on here: the first bit is the highest of its byte.
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
    """You count the steps from one kept weight to the next instead of the zeros between them.

    Two neighbours are one step apart and have no zero between them: your runs are too long by one.
    """
    most = 2**width - 1
    steps = np.diff(np.flatnonzero(kept), prepend=-1)
    runs = [run for step in steps for run in [most] * (step // most) + [step % most]]
    return np.array(runs, dtype=np.uint8)


@misconception(of=run_lengths.run_lengths)
def long_gaps_cut_off(kept, width):
    """You cut long gaps off at the largest run.

    All weights after such a gap then move forward: a gap that does not fit takes paddings, followed
    by a run for the rest.
    """
    zeros = np.diff(np.flatnonzero(kept), prepend=-1) - 1
    return np.minimum(zeros, 2**width - 1).astype(np.uint8)


@misconception(of=run_lengths.run_lengths)
def first_gap_missing(kept, width):
    """You count the zeros between kept weights, but not those before the first one.

    A reader would put the first kept weight at the very beginning: its run counts the zeros from
    there.
    """
    most = 2**width - 1
    positions = np.flatnonzero(kept)
    zeros = np.concatenate([positions[:1] * 0, np.diff(positions) - 1])
    runs = [run for gap in zeros for run in [most] * (gap // most) + [gap % most]]
    return np.array(runs, dtype=np.uint8)


@misconception(of=run_lengths.run_lengths)
def padding_for_a_gap_that_fits(kept, width):
    """You write a gap of exactly M zeros as the run M, with nothing after it.

    A run of M says that no weight follows yet, so a reader never reaches this weight: M zeros are
    written as a padding and a run of 0.
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
    """You put a kept weight after every run, even after the paddings.

    The largest run stands for zeros alone: no kept weight follows it.
    """
    positions = np.cumsum(runs.astype(int) + 1) - 1
    kept = np.zeros(int(np.prod(shape)), dtype=bool)
    kept[positions[positions < kept.size]] = True
    return kept.reshape(shape)


@misconception(of=run_lengths.kept_from_runs)
def weights_take_no_place(runs, width, shape):
    """You add up the runs but forget that a kept weight takes up a place too.

    Your positions fall behind by one with every weight: after the zeros, step over the weight as
    well.
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

    Without its centroids the labels mean nothing: 2^b floats of 32 bits are stored as well, and in
    a small layer they take most of the memory.
    """
    return 32 * size / (bits * kept + width * runs)


@misconception(of=run_lengths.compression_ratio)
def index_not_counted(size, kept, runs, bits, width):
    """You do not count the index.

    Without the runs nobody knows which weights were kept, and the runs cost about as much as the
    labels: count `width` bits for each run.
    """
    return 32 * size / (bits * kept + 32 * 2**bits)


@misconception(of=run_lengths.compression_ratio)
def labels_for_pruned_weights(size, kept, runs, bits, width):
    """You count a label for every weight, including the pruned ones.

    Pruned weights have no label; otherwise pruning would gain nothing here. Their places follow
    from the runs.
    """
    return 32 * size / (bits * size + width * runs + 32 * 2**bits)


@misconception(of=run_lengths.compression_ratio)
def ratio_upside_down(size, kept, runs, bits, width):
    """You divide the compressed size by the original one.

    The ratio says how many times smaller the layer becomes, so it is the other way round: above 1
    for all but the smallest layers.
    """
    return (bits * kept + width * runs + 32 * 2**bits) / (32 * size)


# ------------------------------------------------------------------------------------------------
# compressed_file.layer_to_bytes


@misconception(of=compressed_file.layer_to_bytes)
def centroids_in_double(labels, runs, centroids, width):
    """You write each centroid with 8 bytes.

    NumPy computes in float64 by default, and `tobytes` writes whatever type the array has: convert
    the centroids to float32 first.
    """
    label_table = code_lengths(np.bincount(labels, minlength=len(centroids)))
    run_table = code_lengths(np.bincount(runs, minlength=2**width))
    label_bits = encode(labels, label_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(labels), len(runs), len(label_bits)], np.uint32).tobytes()
    header += np.array([len(centroids), width], np.uint16).tobytes()
    content = centroids.astype(np.float64).tobytes()
    content += b"".join(part.tobytes() for part in (label_table, run_table, label_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


@misconception(of=compressed_file.layer_to_bytes)
def tables_end_with_the_last_symbol(labels, runs, centroids, width):
    """Your code tables end with the last symbol that occurs.

    A reader expects k entries for the labels and 2^width for the runs, and takes the bytes that
    follow for the missing entries: give `np.bincount` a `minlength`.
    """
    label_table = code_lengths(np.bincount(labels))
    run_table = code_lengths(np.bincount(runs))
    label_bits = encode(labels, label_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(labels), len(runs), len(label_bits)], np.uint32).tobytes()
    header += np.array([len(centroids), width], np.uint16).tobytes()
    content = centroids.astype(np.float32).tobytes()
    content += b"".join(part.tobytes() for part in (label_table, run_table, label_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


@misconception(of=compressed_file.layer_to_bytes)
def highest_byte_first(labels, runs, centroids, width):
    """You write the numbers of the header with the highest byte first.

    Both orders are in use, so a reader has to know which one was chosen: here the lowest byte comes
    first, as in `"<u4"`.
    """
    label_table = code_lengths(np.bincount(labels, minlength=len(centroids)))
    run_table = code_lengths(np.bincount(runs, minlength=2**width))
    label_bits = encode(labels, label_table)
    run_bits = encode(runs, run_table)
    header = np.array([len(labels), len(runs), len(label_bits)], ">u4").tobytes()
    header += np.array([len(centroids), width], ">u2").tobytes()
    content = centroids.astype(np.float32).tobytes()
    content += b"".join(part.tobytes() for part in (label_table, run_table, label_bits, run_bits))
    return np.frombuffer(header + content, np.uint8)


# ------------------------------------------------------------------------------------------------
# compressed_file.layer_from_bytes


@misconception(of=compressed_file.layer_from_bytes)
def as_many_runs_as_weights(data, shape):
    """You read as many runs as there are kept weights.

    Every padding is one more run: the second number of the header says how many runs there are.
    """
    content = data.tobytes()
    n, _, label_bytes = np.frombuffer(content, "<u4", 3).tolist()
    k, width = np.frombuffer(content, "<u2", 2, offset=12).tolist()
    centroids = np.frombuffer(content, "<f4", k, offset=16)
    tables = data[16 + 4 * k :]
    bits = tables[k + 2**width :]
    labels = decode(bits[:label_bytes], tables[:k], n)
    runs = decode(bits[label_bytes:], tables[k : k + 2**width], n)
    kept = kept_from_runs(runs, width, shape)
    return rebuild(kept, labels[: kept.sum()], centroids)


@misconception(of=compressed_file.layer_from_bytes)
def runs_begin_at_the_next_bit(data, shape):
    """You read the runs from the bit right after the last label.

    The rest of that byte is filled with zeros, and you take them for runs: the runs begin with a
    new byte, c bytes after the beginning of the labels.
    """
    content = data.tobytes()
    n, m, _ = np.frombuffer(content, "<u4", 3).tolist()
    k, width = np.frombuffer(content, "<u2", 2, offset=12).tolist()
    centroids = np.frombuffer(content, "<f4", k, offset=16)
    tables = data[16 + 4 * k :]
    bits = tables[k + 2**width :]
    labels = decode(bits, tables[:k], n)
    used = int(tables[:k][labels].astype(int).sum())
    run_bits = np.packbits(np.unpackbits(bits)[used:])
    kept = kept_from_runs(decode(run_bits, tables[k : k + 2**width], m), width, shape)
    weights = np.zeros(shape, np.float32)
    places = np.flatnonzero(kept)[:n]
    weights.ravel()[places] = centroids[labels][: len(places)]
    return weights
