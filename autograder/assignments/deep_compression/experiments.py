"""The experiments of `deep_compression`: shared weights, their centroids trained, their codes."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from torch import nn

from autograder.assignments.pruning.experiments import by_percentage, pruned
from autograder.runs.epochs import in_words, part
from autograder.runs.experiment import TRAINED, Accuracy, Build, Experiment, Sweep, Train
from autograder.runs.fine_tuning import LR, fine_tuned
from autograder.runs.sizes import FLOAT_BITS, sizes
from autograder.runs.starting import NARROW, WIDE, WIDE_WEIGHTS, starting_network
from helpers.data import Dataset
from helpers.models import layer_sizes
from helpers.profile import pick, profile
from helpers.reference import masks
from helpers.reference.deep_compression import huffman, shared_network
from helpers.training import History, fit

SPARSITY = 0.5
CENTROID_LR = 3e-4
RANDOM_STARTS = 3


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


def _centroids_trained(bits: int, epochs: int) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = _pruned(dataset)
        hold = shared_network.tie(model, shared_network.share(model, bits))
        history = fit(
            model,
            dataset,
            epochs=epochs,
            lr=CENTROID_LR,
            seed=seed,
            checkpoint=checkpoint,
            after_step=hold,
        )
        return model, history

    return train


def _retrained_then_shared(start: Build, epochs: int, bits: int) -> Train:
    retrain = fine_tuned(start, epochs)

    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model, history = retrain(dataset, seed, checkpoint)
        shared_network.share(model, bits)
        return model, history

    return train


def _huffman_bits(codes: NDArray[np.integer]) -> float:
    """Return the bits per code when the layer has a Huffman code of its own."""
    counts = {"layer": np.bincount(codes)}
    lengths = {"layer": huffman.code_lengths(counts["layer"])}
    return huffman.average_bits(counts, lengths)


def _compressed(model: nn.Module) -> dict[str, float]:
    """Return the sizes of a network whose weights are shared and coded."""
    bits = {}
    for layer, weight in masks.layer_weights(model).items():
        kept = weight[weight != 0].cpu().numpy()
        bits[layer] = _huffman_bits(np.unique(kept, return_inverse=True)[1])
    found = sizes(model, bits)
    per_weight = FLOAT_BITS * found["size ratio"] / (1 - found["sparsity"])
    return found | {"bits per weight": per_weight}


def experiments(share: float) -> list[Experiment]:
    """Return the table, with the recipes of the current profile."""
    epochs = pick(quick=3, full=part(share, 10))

    def tuned(bits: int) -> Experiment:
        # What others published is accuracy without training the centroids: no figure to compare.
        return Experiment(
            f"shared_{bits}bit",
            "deep_compression",
            f"pruned to 50 %, {2**bits} centroids, {in_words(epochs)}, cosine from {CENTROID_LR:g}",
            _shared(bits),
            _centroids_trained(bits, epochs),
            details=lambda model: sizes(model, dict.fromkeys(layer_sizes(model), bits)),
        )

    table = [tuned(3), tuned(2)]
    if profile() == "full":
        table.append(_documents(part(share, 20)))
    return table


def _documents(epochs: int) -> Experiment:
    # "q = 50" is what the document says, but it counts 109,660 of 274,144 weights: 60 % are zero.
    start = pruned(by_percentage(60), WIDE)
    return Experiment(
        "wide_compressed",
        "deep_compression",
        f"each layer pruned by 60 %, {in_words(epochs)} with masks, cosine from {LR:g}, "
        "then shared in 4 bits",
        start,
        _retrained_then_shared(start, epochs, 4),
        {TRAINED: 0.9023, "bits per weight": 3.3601, "size ratio": 0.0420},
        _compressed,
        weights=WIDE_WEIGHTS,
        keeps_weights=False,
        remark="The document says that half of the weights are pruned, and counts 109,660 of "
        "274,144 that are left: 60 % are zero, as here.",
    )


def sweeps() -> list[Sweep]:
    """Return what is measured without training, in `full` on the documents' wide network."""
    head_width = pick(quick=NARROW, full=WIDE)
    weights = pick(quick=Sweep.weights, full=WIDE_WEIGHTS)

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

    return [
        Sweep(
            "weight_sharing",
            "deep_compression",
            "k-means from linear starts, not fine-tuned",
            by_bits,
            {"6 bits": 0.9131, "5 bits": 0.9121, "4 bits": 0.9080, "3 bits": 0.8785},
            weights,
        ),
        Sweep(
            "starting_centroids",
            "deep_compression",
            f"k-means in 4 bits, not fine-tuned; random: mean of {RANDOM_STARTS} draws",
            by_start,
            {"random": 0.8971, "density": 0.8995, "linear": 0.9023},
            weights,
        ),
        Sweep(
            "huffman_bits",
            "deep_compression",
            "average bits of a Huffman word, linear starts",
            code_words,
            {"5 bits": 4.1249},
            weights,
            remark="The document does not say for how many centroids. No optimal code for 16 of "
            "them needs more than 4 bits, so there must be more: 32 are the next step.",
        ),
    ]
