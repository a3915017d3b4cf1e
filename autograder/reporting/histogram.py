"""The geometry of a histogram: bins, ticks and positions; the report's template draws it as SVG."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Histogram", "score_edges", "time_edges"]


@dataclass(frozen=True)
class Histogram:
    """The number of values in each bin; all bins are drawn with the same width.

    Attributes
    ----------
    edges
        The edges of the bins, in ascending order; the last bin includes its upper edge.
    counts
        One count per bin.
    """

    edges: Sequence[float]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: Iterable[float], edges: Sequence[float]) -> Histogram:
        """Count the values; each must lie within the edges."""
        counts = [0] * (len(edges) - 1)
        for value in values:
            counts[min(bisect_right(edges, value), len(counts)) - 1] += 1
        return cls(edges, tuple(counts))

    def place(self, value: float) -> float:
        """Return the position of a value between the first edge (0) and the last (1)."""
        bins = len(self.counts)
        index = min(max(bisect_right(self.edges, value) - 1, 0), bins - 1)
        low, high = self.edges[index : index + 2]
        return min(max((index + (value - low) / (high - low)) / bins, 0.0), 1.0)

    @property
    def bins(self) -> list[tuple[float, float, int]]:
        """Each bin as (lower edge, upper edge, count)."""
        return [
            (*edges, count) for edges, count in zip(pairwise(self.edges), self.counts, strict=True)
        ]

    @property
    def ticks(self) -> list[int]:
        """Round counts for the vertical axis; the last is at least the highest count."""
        highest = max(1, *self.counts)
        step = max(1, math.ceil(_round_up(highest / 4)))
        return list(range(0, highest + step, step))


def score_edges(maximum: float, possible: float) -> list[float]:
    """Return the edges of about ten bins up to the maximum, and of more if there are bonus points.

    Parameters
    ----------
    maximum
        Points without bonus, at least 0.
    possible
        The highest possible score, at least 0.
    """
    # However many bonus points there are, there are at most 20 bins.
    step = _round_up(max(maximum, possible / 2, 1) / 10)
    return [step * i for i in range(max(1, math.ceil(possible / step - 1e-9)) + 1)]


def time_edges(seconds: Sequence[float]) -> list[float]:
    """Return edges 1, 2, 5, 10, 20, ... around all times, so that one long time hides no others."""
    steps = [0.0] + [m * 10.0**e for e in range(7) for m in (1, 2, 5)]
    first = max(0, bisect_right(steps, min(seconds)) - 1)
    last = bisect_right(steps, max(seconds))
    last = max(last, first + 4)  # a lone bar would say nothing about the spread
    return steps[first : last + 1]


def _round_up(value: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= value * (1 - 1e-9))
