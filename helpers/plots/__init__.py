"""The figures of the course, one module per assignment beside the common ones.

Each function returns a matplotlib figure: a notebook shows it when it is the last value of a cell.
"""

from helpers.plots.look import BLUE, GREEN, LINES, ORANGE, PINK, RED, SKY, STYLE
from helpers.plots.quantization import (
    accuracy_over_bits,
    accuracy_over_precision,
    weight_histograms,
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
    "accuracy_over_bits",
    "accuracy_over_precision",
    "learning_curves",
    "weight_histograms",
]
