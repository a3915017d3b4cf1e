"""The lines of the charts on the results page, as the assignments declare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Chart = Literal["bits", "sparsity", "size"]
"""A chart of accuracies: over bits per weight, over sparsity, or over the size of the weights."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line in a chart: a sweep, or trained networks.

    Attributes
    ----------
    chart : {"bits", "sparsity", "size"}
    label : str
        What it is called in the legend.
    sweep : str
        The sweep that it shows; its labels begin with the numbers on the horizontal axis.
    networks : mapping from str to float, or sequence of str
        The trained networks that it shows: with the numbers on the horizontal axis, or the names
        alone where a detail of each run gives the number, as for sparsity and size.
    """

    chart: Chart
    label: str
    sweep: str = ""
    networks: Mapping[str, float] | Sequence[str] = ()
