"""The experiments of `quantization`: trained in few bits, and pruned beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from autograder.runs.epochs import STEPS, in_words, part
from autograder.runs.experiment import TRAINED, UNTRAINED, Accuracy, Build, Experiment, Sweep, Train
from autograder.runs.fine_tuning import LR, fine_tuned
from autograder.runs.sizes import sizes
from autograder.runs.starting import starting_network
from helpers.data import Dataset
from helpers.models import layer_sizes, resnet20
from helpers.profile import pick, profile
from helpers.reference import masks
from helpers.reference.quantization import mixed_precision, ste
from helpers.training import History, fit

MIXED = ((4, 4, 2), (4, 2, 4), (2, 4, 4))
SPARSITY = 0.8
ZEROS_STAY = (
    "Here a pruned weight stays exactly zero in the quantizer, and the kept ones have all levels."
)


def _quantized(stage_bits: Sequence[int]) -> Build:
    layers = [partial(ste.QuantConv2d, bits=bits) for bits in stage_bits]
    return lambda dataset: starting_network(dataset, layers)


def _sparse(dataset: Dataset, bits: int) -> nn.Module:
    return starting_network(dataset, partial(ste.SparseQuantConv2d, bits=bits))


def _pruned_per_layer(bits: int) -> Build:
    def build(dataset: Dataset) -> nn.Module:
        model = _sparse(dataset, bits)
        weights = masks.layer_weights(model)
        kept = {layer: masks.magnitude_mask(w, SPARSITY) for layer, w in weights.items()}
        masks.apply_masks(model, kept)
        return model

    return build


def _pruned_globally(dataset: Dataset) -> nn.Module:
    model = _sparse(dataset, 4)
    masks.apply_masks(model, masks.global_masks(masks.layer_weights(model), SPARSITY))
    return model


def _pruned_while_tuned(pruning_epochs: int, settling_epochs: int) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = _sparse(dataset, 4)
        kept: dict[str, Tensor] = {}

        def prune_more(model: nn.Module, epoch: int) -> None:
            zeros = SPARSITY * min(1.0, (epoch + 1) / pruning_epochs)
            kept.update(masks.global_masks(masks.layer_weights(model), zeros))
            masks.apply_masks(model, kept)

        history = fit(
            model,
            dataset,
            epochs=pruning_epochs + settling_epochs,
            lr=LR,
            seed=seed,
            checkpoint=checkpoint,
            before_epoch=prune_more,
            after_step=partial(masks.apply_masks, masks=kept),
        )
        return model, history

    return train


def _sizes(stage_bits: Sequence[int]) -> Callable[[nn.Module], dict[str, float]]:
    def measure(model: nn.Module) -> dict[str, float]:
        bits = {
            layer: mixed_precision.layer_bits(layer, stage_bits) for layer in layer_sizes(model)
        }
        return sizes(model, bits)

    return measure


def experiments(share: float) -> list[Experiment]:
    """Return the table, with the recipes of the current profile."""
    two, three, four = pick(quick=(4, 2, 2), full=(part(share, 20),) * 3)
    mixed, sparse = pick(quick=2, full=part(share, 10)), pick(quick=3, full=part(share, 20))
    pruning, settling = pick(quick=(3, 2), full=(part(share, 10, STEPS), part(share, 10)))

    def tuned(name: str, bits: Sequence[int], epochs: int, *published: float) -> Experiment:
        recipe = (
            f"bits {'/'.join(map(str, bits))} per stage, {in_words(epochs)}, cosine from {LR:g}"
        )
        start = _quantized(bits)
        return Experiment(
            name,
            "quantization",
            recipe,
            start,
            fine_tuned(start, epochs),
            dict(zip((UNTRAINED, TRAINED), published, strict=True)),
            _sizes(bits),
        )

    def pruned_first(bits: int, published: float, remark: str = "") -> Experiment:
        start = _pruned_per_layer(bits)
        return Experiment(
            f"sparse_{bits}bit",
            "quantization",
            f"80 % of each layer pruned at once, then {bits} bits, {in_words(sparse)}, cosine "
            f"from {LR:g}",
            start,
            fine_tuned(start, sparse),
            {TRAINED: published},
            _sizes((bits,) * 3),
            keeps_weights=bits == 4,
            remark=remark,
        )

    table = [
        # The document whose networks had 20 epochs each, as here, for equal bits; another one gives
        # 0.9130, 0.9045 and 0.8650 after 10, 10 and 20.
        tuned("qat_4bit", (4, 4, 4), four, 0.8972, 0.9149),
        tuned("qat_3bit", (3, 3, 3), three, 0.7662, 0.9069),
        tuned("qat_2bit", (2, 2, 2), two, 0.0899, 0.8591),
        tuned("qat_442", MIXED[0], mixed, 0.4727, 0.8907),
        tuned("qat_424", MIXED[1], mixed, 0.4157, 0.8935),
        tuned("qat_244", MIXED[2], mixed, 0.1041, 0.9052),
        pruned_first(4, 0.8977),
        Experiment(
            "iterative_4bit",
            "quantization",
            f"4 bits, pruned globally to 80 % over {in_words(pruning)}, "
            f"{pruning + settling} in all, cosine from {LR:g}",
            _pruned_globally,
            _pruned_while_tuned(pruning, settling),
            {TRAINED: 0.7479},
            _sizes((4, 4, 4)),
            remark=ZEROS_STAY,
        ),
    ]
    if profile() == "full":
        table += [pruned_first(3, 0.8718), pruned_first(2, 0.3342, ZEROS_STAY)]
    return table


def sweeps() -> list[Sweep]:
    """Return what is measured without training."""
    rounding = {
        "6 bits": 0.9145,
        "5 bits": 0.9112,
        "4 bits": 0.8972,
        "3 bits": 0.7662,
        "2 bits": 0.0899,
    }

    def rounded(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        return {
            f"{bits} bits": accuracy(_quantized((bits,) * 3)(dataset)) for bits in (6, 5, 4, 3, 2)
        }

    def average_precision(dataset: Dataset, accuracy: Accuracy) -> dict[str, float]:
        sizes = layer_sizes(resnet20())
        found = {}
        for stages in MIXED:
            bits = {layer: mixed_precision.layer_bits(layer, stages) for layer in sizes}
            found["/".join(map(str, stages))] = mixed_precision.average_precision(sizes, bits)
        return found

    return [
        Sweep("rounded", "quantization", "STE linear quantizer, not fine-tuned", rounded, rounding),
        Sweep(
            "average_precision",
            "quantization",
            "average bits per weight, stem and classifier in 32",
            average_precision,
            {"4/4/2": 2.5988, "4/2/4": 3.7328, "2/4/4": 4.0087},
        ),
    ]
