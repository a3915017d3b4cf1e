"""Correct answers that differ from the reference earn every point of `deep_compression`.

They use another k-means, another optimal code, or loops or tensors instead of arrays. Every
function here is a correct answer to the question that it is named after; only the number at the
end of the name is added.
"""

import math
import struct
from collections import Counter

import kmeans1d
import numpy as np
import torch
from alternatives import each_alternative, judged_alternative
from sklearn.cluster import KMeans

from helpers.reference.deep_compression import huffman

# ------------------------------------------------------------------------------------------------
# Weight sharing


def starting_centroids_1(w, bits, method, seed=0):
    """In float32 tensors; another random generator, whose centroids are not sorted."""
    kept = torch.from_numpy(w[w != 0])
    distinct, count = torch.unique(kept), 2**bits
    if len(distinct) <= count:
        return distinct.numpy()
    if method == "linear":
        return torch.linspace(float(kept.min()), float(kept.max()), count).numpy()
    if method == "density":
        return torch.quantile(kept, (torch.arange(count) + 0.5) / count).numpy()
    order = torch.randperm(len(distinct), generator=torch.Generator().manual_seed(seed))
    return distinct[order[:count]].numpy()


def starting_centroids_2(w, bits, method, seed=0):
    """Linear starts as the minimum plus steps; the quantile's interpolation written out."""
    kept = np.sort(w.ravel()[w.ravel() != 0]).astype(float)
    k = 2**bits
    if len(set(kept.tolist())) <= k:
        return np.array(sorted(set(kept.tolist())))
    if method == "linear":
        return kept[0] + np.arange(k) * (kept[-1] - kept[0]) / (k - 1)
    if method == "density":
        return np.interp((np.arange(k) + 0.5) / k * (len(kept) - 1), np.arange(len(kept)), kept)
    return np.random.RandomState(seed).permutation(np.unique(kept))[:k]


def share_weights_1(w, start):
    """Lloyd's algorithm in float32; an empty cluster stays where it is."""
    kept, centroids = w[w != 0], np.array(start, np.float32)
    labels = None
    while kept.size:
        nearest = np.abs(kept[:, None] - centroids[None, :]).argmin(1)
        if labels is not None and np.array_equal(nearest, labels):
            break
        labels = nearest
        for j in range(len(centroids)):
            if (labels == j).any():
                centroids[j] = kept[labels == j].mean()
    return np.array([] if labels is None else labels, np.uint8), centroids


def share_weights_2(w, start):
    """The exact optimum, which no start can beat."""
    kept = w[w != 0].astype(float)
    if not kept.size:
        return np.array([], np.uint8), np.array([], np.float32)
    labels, centroids = kmeans1d.cluster(kept, len(start))
    return np.array(labels, np.uint8), np.array(centroids, np.float32)


def share_weights_3(w, start):
    """scikit-learn on float32, run until nothing moves."""
    kept = w[w != 0].reshape(-1, 1)
    if not kept.size:
        return np.array([], np.uint8), np.array([], np.float32)
    init = np.asarray(start, np.float32).reshape(-1, 1)
    found = KMeans(n_clusters=len(start), init=init, n_init=1, tol=0, max_iter=1000).fit(kept)
    return found.labels_.astype("uint8"), found.cluster_centers_.flatten()


def rebuild_1(kept, labels, centroids):
    weights = np.zeros(kept.size, np.float32)
    for place, label in zip(np.flatnonzero(kept), labels, strict=True):
        weights[place] = centroids[label]
    return weights.reshape(kept.shape)


def rebuild_2(kept, labels, centroids):
    if not kept.any():
        return np.zeros(kept.shape, "float32")
    padded = np.append(centroids, np.float32(0)).astype(np.float32)
    numbers = np.full(kept.shape, len(centroids))
    np.place(numbers, kept, labels)
    return padded[numbers]


def centroid_gradient_1(gradient, kept, labels, count):
    weights = gradient[kept].double()
    return torch.bincount(labels, weights=weights, minlength=count).to(gradient.dtype)


def centroid_gradient_2(gradient, kept, labels, count):
    members = torch.nn.functional.one_hot(labels, count).to(gradient.dtype)
    return gradient[kept] @ members


# ------------------------------------------------------------------------------------------------
# Huffman


def entropy_1(counts):
    total = sum(int(c) for c in counts)
    return sum(c / total * math.log2(total / c) for c in map(int, counts) if c)


def entropy_2(counts):
    p = torch.from_numpy(np.asarray(counts)).float() / int(np.sum(counts))
    return torch.special.entr(p).sum() / math.log(2)


def code_lengths_1(counts):
    """Sorting instead of a heap; ties broken the other way round; int64."""
    trees = [(int(c), {s: 0}) for s, c in reversed(list(enumerate(counts))) if c]
    if len(trees) == 1:
        trees = [(1, dict.fromkeys(trees[0][1], 1))]
    while len(trees) > 1:
        trees.sort(key=lambda tree: -tree[0])
        (a, few), (b, more) = trees.pop(), trees.pop()
        trees.append((a + b, {s: n + 1 for s, n in (few | more).items()}))
    found = trees[0][1] if trees else {}
    return np.array([found.get(s, 0) for s in range(len(counts))])


def average_bits_1(counts, lengths):
    all_counts = np.concatenate([counts[name] for name in sorted(counts)])
    all_lengths = np.concatenate([lengths[name] for name in sorted(counts)])
    return np.average(all_lengths.astype(np.float32), weights=all_counts)


def canonical_codes_1(lengths):
    """As in RFC 1951: first count the words of each length."""
    count, code, first = Counter(int(n) for n in lengths if n), 0, {}
    for bits in range(1, max(count, default=0) + 1):
        code = (code + count[bits - 1]) << 1
        first[bits] = code
    words = []
    for n in map(int, lengths):
        words.append(bin(first[n])[2:].zfill(n) if n else "")
        if n:
            first[n] += 1
    return words


def encode_1(symbols, lengths):
    """Write all bits as one large number."""
    words = huffman.canonical_codes(lengths)
    text = "".join(words[s] for s in symbols)
    if not text:
        return np.zeros(0, np.uint8)
    text += "0" * (-len(text) % 8)
    return np.frombuffer(int(text, 2).to_bytes(len(text) // 8, "big"), np.uint8)


def decode_1(data, lengths, count):
    """Compare the beginning of the remaining bits with each word."""
    words = {w: s for s, w in enumerate(huffman.canonical_codes(lengths)) if w}
    sizes = sorted({len(w) for w in words})
    text, place, found = "".join(f"{int(b):08b}" for b in data), 0, []
    while len(found) < count:
        size = next(n for n in sizes if text[place : place + n] in words)
        found.append(words[text[place : place + size]])
        place += size
    return np.array(found, "uint8")


# ------------------------------------------------------------------------------------------------
# Runs and bytes


def run_lengths_1(kept, width):
    runs, zeros = [], 0
    for keep in kept.ravel():
        if keep:
            runs.append(zeros)
            zeros = 0
            continue
        zeros += 1
        if zeros == 2**width - 1:
            runs.append(zeros)
            zeros = 0
    last = max((i for i, run in enumerate(runs) if run < 2**width - 1), default=-1)
    return np.array(runs[: last + 1], np.uint8)  # no paddings after the last weight


def kept_from_runs_1(runs, width, shape):
    flags = []
    for run in runs.tolist():
        flags += [False] * run + [True] * (run != 2**width - 1)
    flags += [False] * (math.prod(shape) - len(flags))
    return np.array(flags, bool).reshape(shape)


def compression_ratio_1(size, kept, runs, bits, width):
    compressed = kept * bits / 8 + runs * width / 8 + 4 * 2**bits
    return np.float32(4 * size / compressed)


def layer_to_bytes_1(labels, runs, centroids, width):
    """Other optimal labels; the bytes are packed with `struct`."""
    tables = [
        code_lengths_1(np.bincount(labels, minlength=len(centroids))),
        code_lengths_1(np.bincount(runs, minlength=2**width)),
    ]
    bits = [huffman.encode(labels, tables[0]).tobytes(), huffman.encode(runs, tables[1]).tobytes()]
    content = struct.pack("<IIIHH", len(labels), len(runs), len(bits[0]), len(centroids), width)
    content += struct.pack(f"<{len(centroids)}f", *centroids)
    content += bytes(tables[0].tolist()) + bytes(tables[1].tolist()) + b"".join(bits)
    return np.array(list(content), np.uint8)


def layer_from_bytes_1(data, shape):
    content = bytes(data)
    n, m, size, k, width = struct.unpack_from("<IIIHH", content)
    centroids = struct.unpack_from(f"<{k}f", content, 16)
    place = 16 + 4 * k
    tables = list(content[place : place + k]), list(content[place + k : place + k + 2**width])
    place += k + 2**width
    labels = decode_1(data[place : place + size], tables[0], n)
    runs = decode_1(data[place + size :], tables[1], m)
    weights, label = [], iter(labels)
    for run in runs.tolist():
        weights += [0.0] * run
        if run < 2**width - 1:
            weights.append(centroids[next(label)])
    weights += [0.0] * (math.prod(shape) - len(weights))
    return np.array(weights, np.float32).reshape(shape)


# ------------------------------------------------------------------------------------------------


@each_alternative(globals())
def test_another_right_answer_earns_every_point(alternative):
    score = judged_alternative("deep_compression", alternative, beside={})
    assert (score.points, score.messages) == (score.of, [])
