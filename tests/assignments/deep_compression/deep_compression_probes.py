"""Inputs that tell wrong solutions of `deep_compression` from right ones, and public checks."""

import numpy as np
import torch

from helpers.assignments.deep_compression import checks
from helpers.reference.deep_compression import compressed_file, huffman, run_lengths, weight_sharing

RNG = np.random.default_rng(0)
# A skewed distribution; half of the weights are pruned.
WEIGHTS = np.where(RNG.random(400) < 0.5, 0, RNG.normal(0.2, 1, 400) ** 3).astype(np.float32)
# Three groups and many zeros, not sorted.
GROUPS = np.array([2.0, 0, 0, -1.0, 2.2, 0, 0.6, 0, -1.2, 0.4, 0, 0, 0], np.float32)
START = np.array([-0.6, 0.5, 1.9])
KEPT = np.array([[False, True, True], [True, False, True]])
LABELS, CENTROIDS = np.array([0, 2, 1, 1], np.uint8), np.array([-1, 0.5, 4], np.float32)
GAPS = np.array([0, 1, *[0] * 3, 1, 1, *[0] * 7, 1, 0, 0, 1, 0], dtype=bool)
COUNTS = {"a": np.array([9, 1, 1]), "b": np.array([2, 1, 0])}
LENGTHS = {"a": np.array([1, 2, 2]), "b": np.array([1, 1, 0])}
SYMBOLS, WORDS = np.array([0, 1, 4, 1, 3], np.uint8), np.array([2, 1, 0, 3, 3], np.uint8)
SPARSE = np.array([1, 0, 2, 2, 0, 2], np.uint8)  # centroid 3 is not used
RUNS = np.array([3, 0, 1, 0, 0, 2, 0], np.uint8)
BLOCK = compressed_file.layer_to_bytes(SPARSE, RUNS, np.array([-1, 1, 2, 5], np.float32), 2)


def call(*args):
    return lambda answer: answer(*args)


def shared_values(share_weights):
    labels, centroids = share_weights(GROUPS, START)
    return np.asarray(centroids)[labels]


def random_start_is_drawn(starting_centroids):
    drawn = starting_centroids(WEIGHTS, 3, "random", 1)
    return [len(drawn), bool(np.isin(np.float32(drawn), WEIGHTS).all())]


PROBES = {
    weight_sharing.starting_centroids: [
        call(WEIGHTS, 3, "linear"),
        call(WEIGHTS, 3, "density"),
        random_start_is_drawn,
    ],
    weight_sharing.share_weights: [shared_values],
    weight_sharing.rebuild: [call(KEPT, LABELS, CENTROIDS)],
    weight_sharing.centroid_gradient: [
        call(
            torch.tensor([[9.0, 1.0, 2.0], [4.0, 9.0, 8.0]]),
            torch.from_numpy(KEPT),
            torch.tensor([0, 2, 0, 2]),
            4,
        )
    ],
    huffman.entropy: [call(np.array([5, 0, 2, 1]))],
    huffman.code_lengths: [
        call(np.array([0, 6])),
        call(np.array([40, 0, 3, 5, 7])),
        call(np.array([3, 3, 3])),
    ],
    huffman.average_bits: [call(COUNTS, LENGTHS)],
    huffman.canonical_codes: [call(WORDS), call(np.array([3, 3, 2, 2, 2]))],
    huffman.encode: [call(SYMBOLS, WORDS)],
    huffman.decode: [call(huffman.encode(SYMBOLS, WORDS), WORDS, 5)],
    run_lengths.run_lengths: [call(GAPS, width) for width in (2, 3)],
    run_lengths.kept_from_runs: [
        call(run_lengths.run_lengths(GAPS, width), width, (20,)) for width in (2, 4)
    ],
    run_lengths.compression_ratio: [call(1000, 500, 600, 4, 3)],
    compressed_file.layer_to_bytes: [
        call(SPARSE, RUNS, np.array([-1, 1, 2, 5], np.float32), 2),
    ],
    compressed_file.layer_from_bytes: [call(BLOCK, (3, 4))],
}

PUBLIC_CHECKS = {reference: getattr(checks, reference.__name__) for reference in PROBES}
