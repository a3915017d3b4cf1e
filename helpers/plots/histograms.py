"""The figure of weights before and after they are restricted to a few values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.plots.style import BLUE, PANELS_PER_ROW, RED, SKY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weight_histograms(
    weights: Mapping[str, torch.Tensor | NDArray[Any]],
    quantized: Mapping[str, torch.Tensor | NDArray[Any]],
) -> Figure:
    """Draw the distributions of the weights of layers before and after quantization.

    Parameters
    ----------
    weights
        Mapping from title, such as the name of a layer, to float weights of any shape.
    quantized
        Mapping from the same titles to the weights after quantization.

    Returns
    -------
    Figure
        One panel per title, with the float weights as a filled histogram and the quantized weights
        as a bar at each value that they take.
    """
    with panels(len(weights), (3.6, 3)) as (figure, all_axes):
        for index, (axes, (title, values)) in enumerate(
            zip(all_axes, weights.items(), strict=True)
        ):
            flat, levels = _flat(values), _flat(quantized[title])
            low, high = min(flat.min(), levels.min()), max(flat.max(), levels.max())
            span = (high - low) or 1.0
            axes.hist(
                flat,
                bins=60,
                range=(low - 0.02 * span, high + 0.02 * span),
                weights=np.full(flat.size, 100 / flat.size),
                color=SKY,
            )
            taken, counts = np.unique(levels, return_counts=True)
            twin = axes.twinx()
            twin.spines["right"].set_visible(True)
            twin.grid(False)
            twin.vlines(taken, 0, 100 * counts / levels.size, color=RED, linewidth=2)
            twin.plot(taken, 100 * counts / levels.size, "o", color=RED, markersize=4)
            twin.set_ylim(bottom=0)
            if index % PANELS_PER_ROW == 0:
                axes.set_ylabel("float weights per bin (%)", color=BLUE)
            if index % PANELS_PER_ROW == PANELS_PER_ROW - 1 or index == len(weights) - 1:
                twin.set_ylabel("quantized weights per value (%)", color=RED)
            axes.set_xlabel("weight")
            axes.set_title(f"{title} ({len(taken)} values)", fontsize="medium")
    return figure


def _flat(values: torch.Tensor | NDArray[Any]) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64).ravel()
