import numpy as np

from helpers.assignments.deep_compression import checks
from helpers.reference.deep_compression import compressed_file, huffman, weight_sharing


def test_codes_without_a_centroid_are_noticed():
    def share_weights(w, start):
        labels, centroids = weight_sharing.share_weights(w, start)
        return labels + np.uint8(1), centroids

    assert "There is no centroid 2" in checks.share_weights(share_weights).problem


def test_a_seed_that_is_ignored_is_noticed():
    def fixed(w, bits, method, seed=0):
        return weight_sharing.starting_centroids(w, bits, method, 0)

    calls = iter(range(100))

    def unseeded(w, bits, method, seed=0):
        return weight_sharing.starting_centroids(w, bits, method, next(calls))

    assert "all gave the same" in checks.starting_centroids(fixed).problem
    assert "gave different centroids" in checks.starting_centroids(unseeded).problem


def test_a_part_in_the_wrong_place_is_named_with_its_bytes():
    def layer_to_bytes(labels, runs, centroids, width):
        block = compressed_file.layer_to_bytes(labels, runs, centroids, width)
        block[14] = 9
        return block

    problem = checks.layer_to_bytes(layer_to_bytes).problem
    assert "from number 14 on are the bits of a run: [2, 0]; yours are [9, 0]" in problem


def test_words_that_are_prefixes_of_others_are_shown():
    problem = checks.canonical_codes(lambda lengths: ["0" * int(n) for n in lengths]).problem
    assert "you have the words 00 and 000" in problem


# Other correct ways to write it


def test_lengths_may_differ_between_optimal_codes():
    def code_lengths(counts):
        return huffman.code_lengths(np.asarray(counts)[::-1])[::-1].astype(np.int64)

    assert checks.code_lengths(code_lengths)
