"""The figures on the pages of assignments: what each of them is about, as our runs measured it.

They are drawn with the functions that students use. What is drawn was measured by the reference
runs of the profile `quick`, or is computed exactly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.references import FROZEN, runs, sweeps
from helpers.assignments.deep_compression import plots as of_deep_compression
from helpers.assignments.depthwise_conv import plots as of_depthwise_conv
from helpers.assignments.lr_schedules import plots as of_lr_schedules
from helpers.assignments.pruning import plots as of_pruning
from helpers.assignments.quantization import plots as of_quantization
from helpers.assignments.sparse_linear import plots as of_sparse_linear
from helpers.assignments.structured_pruning import plots as of_structured_pruning
from helpers.assignments.transformer import plots as of_transformer
from helpers.history import History
from helpers.plots import LINES, learning_curves
from helpers.plots.style import legend_beside, panels
from helpers.reference.depthwise_conv.cost import multiply_adds
from helpers.reference.lora_transfer.networks import RANK
from helpers.reference.sparse_linear import sparse_regression as sparse
from helpers.reference.transformer.language import ngram_bits
from helpers.text import load_alice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROFILE = "quick"
MEASURED = f"Measured by the reference runs of the profile `{PROFILE}`."


@dataclass(frozen=True)
class Illustration:
    """A figure with its text.

    Attributes
    ----------
    figure
        The figure.
    caption
        What it shows, in Markdown.
    alternative
        What a reader learns from it who does not see it.
    """

    figure: Figure
    caption: str
    alternative: str


def illustrations(assignment: str, artifacts: list[str]) -> Iterator[Illustration]:
    """Yield the figures of an assignment.

    Parameters
    ----------
    assignment
        Name of the assignment.
    artifacts
        The networks that its students train, whose learning curves come last.
    """
    if assignment in DRAWN:
        yield DRAWN[assignment]()
    if curves := _histories(assignment, artifacts):
        finals = (f"{name} {_percent(h.test_accuracy[-1])}" for name, h in curves.items())
        yield Illustration(
            learning_curves(curves),
            f"Training loss and test accuracy over the epochs. {MEASURED}",
            f"Learning curves. Test accuracy after the last epoch: {', '.join(finals)}.",
        )


def _histories(assignment: str, names: list[str]) -> dict[str, History]:
    """Return the histories of the first seeds of those networks that were trained."""
    paths = {name: FROZEN / PROFILE / assignment / f"{name}.json" for name in names}
    return {
        name: History.from_dict(json.loads(path.read_text(encoding="utf-8")))
        for name, path in paths.items()
        if path.exists()
    }


def _percent(accuracy: float) -> str:
    return f"{100 * accuracy:.1f} %"


def _listed(values: dict[Any, float], unit: str = "") -> str:
    return ", ".join(f"{_percent(value)} at {place}{unit}" for place, value in values.items())


def _not_pruned() -> float:
    """Return the accuracy of the network with which students start."""
    return runs(PROFILE)["not_pruned"]["untrained"]


def _swept(name: str, ending: str = "") -> dict[int, float]:
    """Return the figures of a sweep whose labels are a number and an ending."""
    figures = sweeps(PROFILE)[name]["figures"]
    return {
        int(label.split()[0]): value
        for label, value in figures.items()
        if label[0].isdigit() and label.endswith(ending)
    }


# ------------------------------------------------------------------------------------------------
# A function for each assignment


def _sparse_linear() -> Illustration:
    X, y = sparse.PROBLEM
    losses = {
        "plain": sparse.gradient_descent(X, y)[1],
        "projected": sparse.projected_descent(X, y)[1],
        "L1, subgradient, strength 1": sparse.l1_descent(X, y, 1.0)[1],
        "L1, proximal, strength 1": sparse.proximal_descent(X, y, 1.0)[1],
        "trimmed L1, strength 1": sparse.trimmed_descent(X, y, 1.0)[1],
    }
    last = ", ".join(
        f"{method} {math.log10(values[-1]):.1f}"
        if values[-1]
        else f"{method} minus infinity, because the loss is 0"
        for method, values in losses.items()
    )
    return Illustration(
        of_sparse_linear.loss_curves(losses, title="Five methods, one problem"),
        "The loss L of each method over its 200 steps, on a logarithmic axis. The L1 penalty keeps "
        "its two runs at a distance from 0; trimmed L1, which spares the two largest weights, "
        "does not.",
        f"The losses of five methods over 200 steps. The logarithm of the last loss: {last}.",
    )


def _pruning() -> Illustration:
    found = {
        "per layer": {n / 100: v for n, v in _swept("pruned_per_layer").items()},
        "globally": {n / 100: v for n, v in _swept("pruned_globally").items()},
        "per layer, trained again": {
            run["details"]["sparsity"]: run["mean"]
            for run in (
                runs(PROFILE)[name]
                for name in ("percentage_25", "percentage_50", "pruned_percentage", "one_shot")
            )
        },
    }
    told = "; ".join(
        f"{label}: {_listed({round(100 * s): v for s, v in values.items()}, ' %')}"
        for label, values in found.items()
    )
    return Illustration(
        of_pruning.accuracy_over_sparsity(found, full=_not_pruned()),
        f"What is left of the accuracy when the smallest weights of ResNet-20 are zero. {MEASURED}",
        f"Test accuracy over the share of weights that are zero. {told}.",
    )


def _structured_pruning() -> Illustration:
    anew = ", batch norm measured anew"
    found = {
        "filters": _swept("convnet_pruned_at_once", "of the filters"),
        f"filters{anew}": _swept("convnet_pruned_at_once", f"of the filters{anew}"),
        "weights": _swept("convnet_pruned_at_once", "of the weights"),
    }
    untouched = sweeps(PROFILE)["convnet_pruned_at_once"]["figures"]["nothing pruned"]
    told = "; ".join(f"{label}: {_listed(values, ' %')}" for label, values in found.items())
    return Illustration(
        of_structured_pruning.accuracy_over_percentage(found, untouched=untouched),
        "The accuracy of a network in which whole filters, or as many single weights, "
        f"are pruned at once. {MEASURED}",
        f"Test accuracy over the percentage that is pruned. {told}.",
    )


def _quantization() -> Illustration:
    found = runs(PROFILE)
    trained = {bits: found[f"qat_{bits}bit"] for bits in (4, 3, 2)}
    before = _swept("rounded")
    after = {bits: run["mean"] for bits, run in trained.items()}
    control = {bits: run["controls"]["recalibrated"]["accuracy"] for bits, run in trained.items()}
    return Illustration(
        of_quantization.accuracy_over_bits(
            before, after, control=control, full_precision=_not_pruned()
        ),
        "What is left of the accuracy with few bits per weight: after rounding, with batch norm "
        f"measured again, and after quantization-aware fine-tuning. {MEASURED}",
        f"Test accuracy over bits per weight. After rounding: {_listed(before, ' bits')}; "
        f"after fine-tuning: {_listed(after, ' bits')}.",
    )


def _deep_compression() -> Illustration:
    found = {bits: runs(PROFILE)[f"shared_{bits}bit"] for bits in (3, 2)}
    shared = {bits: run["untrained"] for bits, run in found.items()}
    control = {bits: run["controls"]["recalibrated"]["accuracy"] for bits, run in found.items()}
    trained = {bits: run["mean"] for bits, run in found.items()}
    return Illustration(
        of_deep_compression.accuracy_after_training(
            shared, control, trained, full_precision=_not_pruned()
        ),
        "ResNet-20 with half of its weights pruned, whose other weights share 8 or 4 values: "
        f"before and after these values are trained. {MEASURED}",
        f"Test accuracy over the bits of a label. Shared: {_listed(shared, ' bits')}; "
        f"with trained centroids: {_listed(trained, ' bits')}.",
    )


def _lr_schedules() -> Illustration:
    names = {
        "MultiStep": "convnet_multistep",
        "cosine": "convnet_cosine",
        "one cycle": "convnet_one_cycle",
    }
    found = _histories("lr_schedules", list(names.values()))
    shown = {label: found[name] for label, name in names.items()}
    told = ", ".join(f"{label} {_percent(h.test_accuracy[-1])}" for label, h in shown.items())
    return Illustration(
        of_lr_schedules.rates_and_curves(shown),
        f"One network, trained with different schedules of the learning rate. {MEASURED}",
        "Learning rate, training loss and test accuracy over the epochs. "
        f"Test accuracy after the last epoch: {told}.",
    )


def _lora_transfer() -> Illustration:
    found = {name: run["mean"] for name, run in runs(PROFILE).items()}
    lines = {
        "last stage trained, LoRA in the classifier": {
            0: found["head_frozen"],
            1: found["head_rank_1"],
            RANK: found["net_freeze_lora"],
            9: found["head_rank_9"],
        },
        "LoRA in the convolutions": {
            1: found["convs_rank_1"],
            RANK: found["lora_convs"],
            16: found["convs_rank_16"],
        },
    }
    without = {
        "everything trained": found["pt_net"],
        "last stage and classifier trained": found["net_freeze"],
        "not pretrained": found["not_pretrained"],
    }
    with panels(1, (7.2, 3.8)) as (figure, (axes,)):
        looks = iter(LINES)
        for label, values in lines.items():
            axes.plot(list(values), list(values.values()), label=label, **next(looks))
        for label, value in without.items():
            axes.axhline(value, label=label, **next(looks) | {"marker": "none"})
        axes.set(title="A pretrained network, new images", xlabel="rank", ylabel="test accuracy")
        axes.set_xticks(sorted({rank for values in lines.values() for rank in values}))
        axes.yaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.0f} %")
        legend_beside(axes)
    told = "; ".join(f"{label}: {_listed(v)}" for label, v in lines.items())
    others = ", ".join(f"{label} {_percent(value)}" for label, value in without.items())
    return Illustration(
        figure,
        f"How much of a full training low-rank updates achieve, over their rank. {MEASURED}",
        f"Test accuracy over the rank. {told}. Without a rank: {others}.",
    )


def _transformer() -> Illustration:
    names = {"looks back": "char_transformer", "sees itself alone": "char_itself"}
    found = _histories("transformer", list(names.values()))
    histories = {label: found[name] for label, name in names.items()}
    losses = {
        label: runs(PROFILE)[name]["losses"][0] / math.log(2) for label, name in names.items()
    }
    text = load_alice()
    ngrams = {
        name: ngram_bits(text.decode(text.text), text.decode(text.test.inputs.flatten()), n)
        for n, name in enumerate(("unigrams", "bigrams", "trigrams"), start=1)
    }
    told = ", ".join(f"{name} {bits:.2f}" for name, bits in (ngrams | losses).items())
    return Illustration(
        of_transformer.losses_in_bits(histories, losses, ngrams),
        "What attention is worth: a small language model, the same model without a view of the "
        f"characters before, and models that only count. {MEASURED}",
        f"Losses on the test text in bits per character: {told}.",
    )


def _depthwise_conv() -> Illustration:
    costs, channels, size = {}, 3, 32
    for number, (width, stride) in enumerate([(32, 1), (32, 1), (64, 2), (64, 1), (128, 2)], 1):
        costs[f"block {number}"] = multiply_adds(channels, width, 3, stride, 1, size, size)
        channels, size = width, (size - 1) // stride + 1
    told = "; ".join(
        f"{block}: {', '.join(f'{step} {count:,}' for step, count in steps.items())}"
        for block, steps in costs.items()
    )
    return Illustration(
        of_depthwise_conv.cost_per_block(costs),
        "The multiply-adds of an ordinary convolution, and of the two steps that replace it, in "
        "each block of the network of this assignment.",
        f"Multiply-adds for an image. {told}.",
    )


DRAWN: dict[str, Callable[[], Illustration]] = {
    "sparse_linear": _sparse_linear,
    "pruning": _pruning,
    "structured_pruning": _structured_pruning,
    "quantization": _quantization,
    "deep_compression": _deep_compression,
    "lr_schedules": _lr_schedules,
    "lora_transfer": _lora_transfer,
    "transformer": _transformer,
    "depthwise_conv": _depthwise_conv,
}
"""The figure that explains an assignment; one without an entry has its learning curves alone."""
