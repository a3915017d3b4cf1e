"""Figures that several assignments share, and the common style of all figures.

The figures of a single assignment are in `helpers.assignments`. Each function returns a matplotlib
figure, which a notebook shows if it is the last value of a cell.
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
