"""Measures of a language: how well the next character can be predicted, and how one is drawn.

References
----------
Shannon, "Prediction and Entropy of Printed English", Bell System Technical Journal 30, 1951.
"""

import math
from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.dataset import Dataset

__all__ = ["bits_per_character", "next_probabilities", "ngram_bits", "test_bits"]

BATCH_SIZE = 128


def ngram_bits(training: str, test: str, n: int, smoothing: float = 0.1) -> float:
    """Return the loss of an n-gram model, in bits per character.

    The model predicts a character from the n - 1 characters before it. Its probabilities are the
    counts in the training text, plus `smoothing`, divided by their sum over the alphabet.

    Parameters
    ----------
    training
        The text in which n-grams are counted. Its characters are the alphabet, unless `test` has
        others.
    test
        The text that is predicted, from its n-th character on.
    n
        1 for unigrams, 2 for bigrams, 3 for trigrams.
    smoothing
        What is added to each count, above 0.
    """
    alphabet = len({*training, *test})
    counts = Counter(training[i : i + n] for i in range(len(training) - n + 1))
    contexts = Counter(training[i : i + n - 1] for i in range(len(training) - n + 1))
    total = 0.0
    for i in range(len(test) - n + 1):
        gram = test[i : i + n]
        found, seen = counts[gram] + smoothing, contexts[gram[:-1]] + smoothing * alphabet
        total -= math.log2(found / seen)
    return total / (len(test) - n + 1)


def bits_per_character(scores: Tensor, targets: Tensor) -> float:
    """Return the mean cross-entropy in bits.

    Parameters
    ----------
    scores
        (N, T, vocabulary).
    targets
        (N, T), int64: the tokens that really follow.
    """
    nats = F.cross_entropy(scores.flatten(0, 1).double(), targets.flatten())
    return float(nats) / math.log(2)


@torch.no_grad()
def test_bits(model: nn.Module, dataset: Dataset) -> float:
    """Return the mean loss of a language model on the test text, in bits per character.

    Parameters
    ----------
    model
        Maps tokens (N, T) to scores (N, T, vocabulary), on the device of the data set. It is left
        in evaluation mode.
    dataset
        The text.
    """
    model.eval()
    bits = sum(
        bits_per_character(model(tokens), targets) * targets.numel()
        for tokens, targets in dataset.batches("test", BATCH_SIZE)
    )
    return bits / dataset.test.targets.numel()


def next_probabilities(scores: Tensor, temperature: float) -> Tensor:
    """Return the probabilities (..., vocabulary) with which the next token is drawn.

    Parameters
    ----------
    scores
        (..., vocabulary).
    temperature
        Above 0. Below 1 likely tokens become likelier, above 1 all tokens become more alike.
    """
    return (scores / temperature).softmax(dim=-1)
