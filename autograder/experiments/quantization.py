"""The experiments of `quantization`: trained in few bits, and pruned beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from autograder.experiments.experiment import Build, Experiment, Train
from helpers.checkpoints import pretrained_resnet20
from helpers.data import Dataset
from helpers.models import ConvLayer, resnet20
from helpers.profile import pick
from helpers.reference import masks, ste
from helpers.training import History, fit


def _starting_network(dataset: Dataset, conv: ConvLayer | Sequence[ConvLayer]) -> nn.Module:
    model = resnet20(conv=conv)
    model.load_state_dict(pretrained_resnet20(dataset).state_dict())
    return model


def _quantized(stage_bits: Sequence[int]) -> Build:
    layers = [partial(ste.QuantConv2d, bits=bits) for bits in stage_bits]
    return lambda dataset: _starting_network(dataset, layers)


def _sparse(dataset: Dataset) -> nn.Module:
    return _starting_network(dataset, partial(ste.SparseQuantConv2d, bits=4))


def _pruned_per_layer(dataset: Dataset) -> nn.Module:
    model = _sparse(dataset)
    weights = masks.layer_weights(model)
    masks.apply_masks(model, {layer: masks.magnitude_mask(w, 0.8) for layer, w in weights.items()})
    return model


def _pruned_globally(dataset: Dataset) -> nn.Module:
    model = _sparse(dataset)
    masks.apply_masks(model, masks.global_masks(masks.layer_weights(model), 0.8))
    return model


def _fine_tuned(untrained: Build, epochs: int) -> Train:
    """Fine-tune; what is zero at the start stays zero."""

    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = untrained(dataset)
        kept = {layer: w != 0 for layer, w in masks.layer_weights(model).items()}
        hold = partial(masks.apply_masks, masks=kept)
        history = fit(
            model,
            dataset,
            epochs=epochs,
            lr=0.01,
            seed=seed,
            checkpoint=checkpoint,
            after_step=hold,
        )
        return model, history

    return train


def _pruned_while_tuned(pruning_epochs: int, settling_epochs: int) -> Train:
    def train(dataset: Dataset, seed: int, checkpoint: Path) -> tuple[nn.Module, History]:
        model = _sparse(dataset)
        kept: dict[str, Tensor] = {}

        def prune_more(model: nn.Module, epoch: int) -> None:
            share = 0.8 * min(1.0, (epoch + 1) / pruning_epochs)
            kept.update(masks.global_masks(masks.layer_weights(model), share))
            masks.apply_masks(model, kept)

        history = fit(
            model,
            dataset,
            epochs=pruning_epochs + settling_epochs,
            lr=0.01,
            seed=seed,
            checkpoint=checkpoint,
            before_epoch=prune_more,
            after_step=partial(masks.apply_masks, masks=kept),
        )
        return model, history

    return train


def experiments() -> list[Experiment]:
    """Return the table, with the recipes of the current profile."""
    two, three, four = pick(quick=(4, 2, 2), full=(20, 20, 20))
    mixed, sparse = pick(quick=2, full=10), pick(quick=3, full=20)
    pruning, settling = pick(quick=(3, 2), full=(10, 10))

    def tuned(name: str, bits: Sequence[int], epochs: int, published: float) -> Experiment:
        recipe = f"bits {'/'.join(map(str, bits))} per stage, {epochs} epochs, cosine from 0.01"
        start = _quantized(bits)
        return Experiment(
            name, "quantization", recipe, published, start, _fine_tuned(start, epochs)
        )

    return [
        tuned("qat_4bit", (4, 4, 4), four, 0.9149),
        tuned("qat_3bit", (3, 3, 3), three, 0.9069),
        tuned("qat_2bit", (2, 2, 2), two, 0.8650),
        tuned("qat_442", (4, 4, 2), mixed, 0.8907),
        tuned("qat_424", (4, 2, 4), mixed, 0.8935),
        tuned("qat_244", (2, 4, 4), mixed, 0.9052),
        Experiment(
            "sparse_4bit",
            "quantization",
            f"80 % of each layer pruned at once, then 4 bits, {sparse} epochs, cosine from 0.01",
            0.8977,
            _pruned_per_layer,
            _fine_tuned(_pruned_per_layer, sparse),
        ),
        Experiment(
            "iterative_4bit",
            "quantization",
            f"pruned globally to 80 % over {pruning} epochs in 4 bits, {settling} more, cosine "
            "from 0.01",
            0.7479,
            _pruned_globally,
            _pruned_while_tuned(pruning, settling),
        ),
    ]
