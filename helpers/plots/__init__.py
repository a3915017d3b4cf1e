"""The figures of the course, one module per assignment beside the common ones.

Each function returns a matplotlib figure: a notebook shows it when it is the last value of a cell.
"""

from helpers.plots.deep_compression import (
    accuracy_after_training,
    accuracy_over_size,
    stage_sizes,
    starting_points,
    word_lengths,
)
from helpers.plots.look import BLUE, GREEN, LINES, ORANGE, PINK, RED, SKY, STYLE
from helpers.plots.pruning import (
    accuracy_over_sparsity,
    accuracy_per_layer,
    pruned_histograms,
    pruning_methods,
    revived_weight,
    sparsity_per_layer,
)
from helpers.plots.quantization import (
    accuracy_over_bits,
    accuracy_over_precision,
    weight_histograms,
)
from helpers.plots.sparse_linear import (
    loss_curves,
    recovery_over_sparsity,
    threshold_functions,
    weight_traces,
)
from helpers.plots.training import learning_curves

__all__ = [
    "BLUE",
    "GREEN",
    "LINES",
    "ORANGE",
    "PINK",
    "RED",
    "SKY",
    "STYLE",
    "accuracy_after_training",
    "accuracy_over_bits",
    "accuracy_over_precision",
    "accuracy_over_size",
    "accuracy_over_sparsity",
    "accuracy_per_layer",
    "learning_curves",
    "loss_curves",
    "pruned_histograms",
    "pruning_methods",
    "recovery_over_sparsity",
    "revived_weight",
    "sparsity_per_layer",
    "stage_sizes",
    "starting_points",
    "threshold_functions",
    "weight_histograms",
    "weight_traces",
    "word_lengths",
]
