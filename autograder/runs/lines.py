"""The lines of the charts on the results page, as the assignments declare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Chart = Literal["bits", "sparsity", "size"]
"""A chart of accuracies: over bits per weight, over sparsity, or over the size of the weights."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line in a chart, which shows a sweep or trained networks.

    Attributes
    ----------
    chart
        The chart that the line belongs to.
    label
        Its name in the legend.
    sweep
        Name of the sweep that it shows. The labels of this sweep begin with the numbers on the
        horizontal axis.
    networks
        The trained networks that it shows: a mapping from their names to the numbers on the
        horizontal axis, or only their names if a detail of each run gives the number, as for
        sparsity and size.
    """

    chart: Chart
    label: str
    sweep: str = ""
    networks: Mapping[str, float] | Sequence[str] = ()
