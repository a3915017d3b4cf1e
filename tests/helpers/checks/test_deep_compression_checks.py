import numpy as np
import pytest
import torch
from torch import nn

from helpers.checks import deep_compression as checks
from helpers.reference import compressed_file, huffman, run_lengths, weight_sharing

ANSWERS = [
    (getattr(checks, answer.__name__), answer)
    for answer in (
        weight_sharing.starting_centroids,
        weight_sharing.share_weights,
        weight_sharing.rebuild,
        weight_sharing.centroid_gradient,
        huffman.entropy,
        huffman.code_lengths,
        huffman.average_bits,
        huffman.canonical_codes,
        huffman.encode,
        huffman.decode,
        run_lengths.run_lengths,
        run_lengths.kept_from_runs,
        run_lengths.compression_ratio,
        compressed_file.layer_to_bytes,
        compressed_file.layer_from_bytes,
    )
]


def name(value):
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("check", "answer"), ANSWERS, ids=name)
def test_the_right_answer_passes(check, answer):
    assert check(answer), check(answer)


@pytest.mark.parametrize("check", [check for check, _ in ANSWERS], ids=name)
def test_an_answer_that_is_not_written_is_said_to_be_missing(check):
    def unwritten(*args):
        raise NotImplementedError

    assert "is not written yet" in check(unwritten).problem


@pytest.mark.parametrize("check", [check for check, _ in ANSWERS], ids=name)
@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        lambda: None,
        lambda *args: None,
        lambda *args: args,
        lambda *args: (1, 2, 3),
        lambda *args: np.full(4, np.nan),
        lambda *args: np.zeros(4, np.uint8),
        lambda *args: torch.full((4,), torch.nan),
        lambda *args: [[], {}, object()],
        lambda *args: 1 / 0,
        object,
        nn.Module,
    ],
)
def test_nonsense_is_wrong_and_explained(check, answer):
    result = check(answer)
    assert not result
    assert result.problem
    assert result._repr_html_()


def test_codes_without_a_centroid_are_noticed():
    def share_weights(w, start):
        codes, centroids = weight_sharing.share_weights(w, start)
        return codes + np.uint8(1), centroids

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
    def layer_to_bytes(codes, runs, centroids, width):
        record = compressed_file.layer_to_bytes(codes, runs, centroids, width)
        record[14] = 9
        return record

    problem = checks.layer_to_bytes(layer_to_bytes).problem
    assert "from number 14 on are the bits of a run: [2, 0]; yours are [9, 0]" in problem


def test_words_that_begin_others_are_shown():
    problem = checks.canonical_codes(lambda lengths: ["0" * int(n) for n in lengths]).problem
    assert "you have the words 00 and 000" in problem


# Other right ways to write it


def test_lengths_may_differ_between_optimal_codes():
    def code_lengths(counts):
        return huffman.code_lengths(np.asarray(counts)[::-1])[::-1].astype(np.int64)

    assert checks.code_lengths(code_lengths)
