"""The experiments of `deep_compression`: shared weights, trained centroids, and codes."""

from __future__ import annotations

from functools import partial
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from torch import nn

from autograder.runs.epochs import Epochs, Length
from autograder.runs.experiment import (
    NARROW_WEIGHTS,
    TRAINED,
    WIDE_WEIGHTS,
    Accuracy,
    Build,
    Experiment,
    Profile,
    Sweep,
)
from autograder.runs.hooks import Hooks, MakeHooks, keep_zeros
from autograder.runs.sizes import FLOAT_BITS, sizes
from autograder.runs.starting import NARROW, WIDE, starting_network
from helpers.data import Dataset
from helpers.models import layer_sizes
from helpers.reference import masks
from helpers.reference.deep_compression import huffman, shared_network
from helpers.reference.pruning import magnitude

SPARSITY = 0.5
CENTROID_LR = 3e-4
RANDOM_STARTS = 3

# ------------------------------------------------------------------------------------------------
# The networks at the start, and what is done to them


def _pruned(dataset: Dataset) -> nn.Module:
    model = starting_network(dataset)
    shared_network.prune(model, dataset, SPARSITY)
    return model


def _shared(bits: int) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        model = _pruned(dataset)
        shared_network.share(model, bits)
        return model

    return build


def _share_and_tie(bits: int) -> MakeHooks:
    """Let the weights share centroids, and train only the centroids."""

    def hooks(model: nn.Module, length: Length) -> Hooks:
        hold = shared_network.tie(model, shared_network.share(model, bits))
        return Hooks(after_step=hold)

    return hooks


def _wide_pruned(dataset: Dataset) -> nn.Module:
    # The document says "q = 50", but 109,660 of its 274,144 weights are left: 60 % are zero.
    model = starting_network(dataset, head_width=WIDE)
    masks.apply_masks(model, magnitude.percentage_masks(masks.layer_weights(model), 60))
    return model


def _share_in_4_bits(model: nn.Module) -> None:
    shared_network.share(model, 4)


def _sizes(model: nn.Module, bits: int) -> dict[str, float]:
    return sizes(model, dict.fromkeys(layer_sizes(model), bits))


def _huffman_bits(labels: NDArray[np.integer]) -> float:
    """Return the bits per label when the layer has a Huffman code of its own."""
    counts = {"layer": np.bincount(labels)}
    lengths = {"layer": huffman.code_lengths(counts["layer"])}
    return huffman.average_bits(counts, lengths)


def _compressed(model: nn.Module) -> dict[str, float]:
    """Return the sizes of a network whose weights are shared and Huffman-coded."""
    bits = {}
    for layer, weight in masks.layer_weights(model).items():
        kept = weight[weight != 0].cpu().numpy()
        bits[layer] = _huffman_bits(np.unique(kept, return_inverse=True)[1])
    found = sizes(model, bits)
    per_weight = FLOAT_BITS * found["size ratio"] / (1 - found["sparsity"])
    return found | {"bits per weight": per_weight}


# ------------------------------------------------------------------------------------------------
# The table


def _centroids_trained(bits: int) -> Experiment:
    # The reported accuracies are without trained centroids, so there is nothing to compare with.
    return Experiment(
        name=f"shared_{bits}bit",
        assignment="deep_compression",
        recipe=f"pruned to {100 * SPARSITY:g} %, {2**bits} centroids, {{epochs}}, "
        "cosine from {lr}",
        start=_pruned,
        untrained=_shared(bits),
        epochs=Epochs(quick=3, full=10),
        lr=CENTROID_LR,
        hooks=_share_and_tie(bits),
        details=partial(_sizes, bits=bits),
    )


EXPERIMENTS = (
    _centroids_trained(3),
    _centroids_trained(2),
    Experiment(
        name="wide_compressed",
        assignment="deep_compression",
        recipe="each layer pruned by 60 %, {epochs} with masks, cosine from {lr}, "
        "then shared in 4 bits",
        start=_wide_pruned,
        epochs=Epochs(full=20),
        hooks=keep_zeros,
        finish=_share_in_4_bits,
        reported={TRAINED: 0.9023, "bits per weight": 3.3601, "size ratio": 0.0420},
        details=_compressed,
        weights=WIDE_WEIGHTS,
        only_in="full",
        keeps_weights=False,
        remark="The document says that half of the weights are pruned, but by its own count "
        "109,660 of 274,144 are left: 60 % are zero, as here.",
    ),
)

# ------------------------------------------------------------------------------------------------
# What is measured without training


def _sweeps(only_in: Profile, head_width: int, weights: int) -> tuple[Sweep, ...]:
    """Return the figures of one profile, for the variant of the network that it uses."""

    def shared(dataset: Dataset, bits: int, method: str = "linear", seed: int = 0) -> nn.Module:
        model = starting_network(dataset, head_width=head_width)
        shared_network.share(model, bits, method, seed)
        return model

    def by_bits(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        return {f"{bits} bits": accuracy(shared(dataset, bits)) for bits in (6, 5, 4, 3)}

    def by_start(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        drawn = [accuracy(shared(dataset, 4, "random", seed)) for seed in range(RANDOM_STARTS)]
        return {
            "random": fmean(drawn),
            "density": accuracy(shared(dataset, 4, "density")),
            "linear": accuracy(shared(dataset, 4)),
        }

    def code_words(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        return {"5 bits": _compressed(shared(dataset, 5))["bits per weight"]}

    return (
        Sweep(
            name="weight_sharing",
            assignment="deep_compression",
            recipe="k-means from linear starts, not fine-tuned",
            measure=by_bits,
            reported={"6 bits": 0.9131, "5 bits": 0.9121, "4 bits": 0.9080, "3 bits": 0.8785},
            weights=weights,
            only_in=only_in,
        ),
        Sweep(
            name="starting_centroids",
            assignment="deep_compression",
            recipe=f"k-means in 4 bits, not fine-tuned; random: mean of {RANDOM_STARTS} draws",
            measure=by_start,
            reported={"random": 0.8971, "density": 0.8995, "linear": 0.9023},
            weights=weights,
            only_in=only_in,
        ),
        Sweep(
            name="huffman_bits",
            assignment="deep_compression",
            recipe="average bits of a Huffman word, linear starts",
            measure=code_words,
            reported={"5 bits": 4.1249},
            weights=weights,
            only_in=only_in,
            remark="The document does not say how many centroids there were. An optimal code for "
            "16 of them needs at most 4 bits on average, so there must have been more: 32 is the "
            "next power of two.",
        ),
    )


# The reported figures are those of the wide network, which `quick` does not have.
SWEEPS = (*_sweeps("quick", NARROW, NARROW_WEIGHTS), *_sweeps("full", WIDE, WIDE_WEIGHTS))
