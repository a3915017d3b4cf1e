"""The figure of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.plots.style import LINES, accuracy_axis, panels
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curves(histories: History | Mapping[str, History], *, zoom: bool = False) -> Figure:
    """Draw training loss and test accuracy over the epochs.

    Parameters
    ----------
    histories
        A single history, or a mapping from label to history.
    zoom
        Whether the axis of the accuracy is cut off, to show small differences. By default it goes
        from 0 to 100 %.

    Returns
    -------
    Figure
        Two panels: training loss and test accuracy.
    """
    labelled = {"": histories} if isinstance(histories, History) else histories
    with panels(2, (4.6, 3.6)) as (figure, (loss, accuracy)):
        for index, (label, history) in enumerate(labelled.items()):
            epochs = range(1, len(history) + 1)
            look = LINES[index % len(LINES)] | {"markevery": max(1, len(history) // 10)}
            loss.plot(epochs, history.train_loss, label=label, **look)
            accuracy.plot(epochs, history.test_accuracy, label=label, **look)
        loss.set_ylabel("training loss")
        loss.set_title("Training loss")
        if zoom:
            accuracy.set_ylabel("test accuracy (axis cut off)")
        else:
            accuracy_axis(accuracy, None)
        accuracy.set_title("Test accuracy")
        for axes in (loss, accuracy):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        if any(labelled):
            accuracy.legend(loc="lower right")
    return figure
