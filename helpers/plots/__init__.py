"""The figures that several assignments have, and the common look; others are in `assignments`.

Each function returns a matplotlib figure: a notebook shows it when it is the last value of a cell.
"""

from helpers.plots.histograms import weight_histograms
from helpers.plots.style import BLUE, GREEN, LINES, ORANGE, PINK, RED, SKY, STYLE
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
    "learning_curves",
    "weight_histograms",
]
