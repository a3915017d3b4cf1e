"""The figures of `lr_schedules`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import SGD, lr_scheduler

from helpers.plots import STYLE, learning_curves
from helpers.plots.style import LINES, RED, accuracy_axis, panels
from helpers.schedules import Factor
from helpers.training import History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "STYLE",
    "beside_torch",
    "constant_rates",
    "learning_curves",
    "range_test",
    "rates_and_curves",
]

Smooth = Callable[[Sequence[float], int], Any]


def constant_rates(histories: Mapping[str, History], smooth: Smooth, window: int) -> Figure:
    """Draw the training loss of every step, smoothed, and the test accuracy of every epoch.

    Parameters
    ----------
    histories
        Mapping from label to a history with the losses of its steps.
    smooth
        ``smooth(values, window)`` returns a smoothed curve of as many values.
    window
        Number of steps to average.

    Returns
    -------
    Figure
        Two panels, both over the epochs. The losses as they are appear as faint lines.
    """
    with panels(2, (4.8, 3.7)) as (figure, (loss, accuracy)):
        for look, (label, history) in zip(LINES, histories.items(), strict=False):
            steps = len(history.step_loss) / len(history)
            epochs = np.arange(1, len(history.step_loss) + 1) / steps
            loss.plot(epochs, history.step_loss, color=look["color"], alpha=0.2, linewidth=0.8)
            every = {"markevery": max(1, len(epochs) // 10)}
            smoothed = smooth(history.step_loss, window)
            loss.plot(epochs, smoothed, label=label, **look | every)
            accuracy.plot(range(1, len(history) + 1), history.test_accuracy, label=label, **look)
        loss.set_ylabel("training loss")
        loss.set_ylim(bottom=0)
        loss.set_title(f"Training loss, mean of {window} steps")
        accuracy_axis(accuracy, None)
        accuracy.set_title("Test accuracy")
        for axes in (loss, accuracy):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
        accuracy.legend(loc="best", fontsize="small")
    return figure


def rates_and_curves(histories: Mapping[str, History]) -> Figure:
    """Draw learning rate, training loss and test accuracy over the epochs, so that the end shows.

    Parameters
    ----------
    histories
        Mapping from label to history.

    Returns
    -------
    Figure
        Three panels: rate and loss on logarithmic axes, and the accuracy on an axis that begins
        slightly below the lowest accuracy of the second half.
    """
    with panels(3, (3.9, 3.6)) as (figure, (rate, loss, accuracy)):
        shown: list[float] = []
        for look, (label, history) in zip(LINES, histories.items(), strict=False):
            epochs = range(1, len(history) + 1)
            every = {"markevery": max(1, len(history) // 10)}
            rate.plot(epochs, history.learning_rate, **look | every)
            loss.plot(epochs, history.train_loss, **look | every)
            accuracy.plot(epochs, history.test_accuracy, label=label, **look | every)
            shown += history.test_accuracy[len(history) // 2 :]
        rate.set_yscale("log")
        rate.set_title("Learning rate")
        loss.set_yscale("log")
        loss.set_title("Training loss")
        accuracy.set_ylim(min(shown) - 0.02, min(1.0, max(shown) + 0.01))
        accuracy.set_title("Test accuracy (axis cut off)")
        accuracy.legend(loc="lower right")
        for axes in (rate, loss, accuracy):
            axes.set_xlabel("epoch")
            axes.locator_params(axis="x", integer=True)
    return figure


def beside_torch(schedules: Mapping[str, Factor], milestones: Sequence[int], total: int) -> Figure:
    """Draw own schedules in one figure with those of PyTorch.

    Parameters
    ----------
    schedules
        Mapping from title to a function of the step. The titles are ``"warm-up"``,
        ``"multistep"``, ``"cosine"`` and ``"one cycle"``.
    milestones
        The steps at which the rate of ``"multistep"`` falls.
    total
        Number of steps. The warm-up lasts for half of them.

    Returns
    -------
    Figure
        One panel per schedule. Where a schedule is not written yet, only that of PyTorch is drawn.
    """
    scheduler: dict[str, Callable[[SGD], lr_scheduler.LRScheduler]] = {
        "warm-up": partial(
            lr_scheduler.LinearLR, start_factor=2 / total, total_iters=total // 2 - 1
        ),
        "multistep": partial(lr_scheduler.MultiStepLR, milestones=list(milestones)),
        "cosine": partial(lr_scheduler.CosineAnnealingLR, T_max=total),
        "one cycle": partial(
            lr_scheduler.OneCycleLR, max_lr=1.0, total_steps=total, cycle_momentum=False
        ),
    }
    with panels(len(schedules), (3.2, 2.9), per_row=4) as (figure, all_axes):
        for axes, (title, schedule) in zip(all_axes, schedules.items(), strict=True):
            steps = np.arange(total)
            expected = _rates(scheduler[title], total)
            axes.plot(steps, expected, color="0.6", linewidth=5, label="PyTorch")
            try:
                own = [float(schedule(int(step))) for step in steps]
                axes.plot(steps, own, color=RED, marker=".", linestyle="none", label="yours")
            except NotImplementedError:
                title += " (not written yet)"
            axes.set_title(title, fontsize="medium")
            axes.set_xlabel("step")
        all_axes[0].set_ylabel("factor of the learning rate")
        all_axes[0].legend(loc="lower right", fontsize="small")
    return figure


def _rates(scheduler: Callable[[SGD], lr_scheduler.LRScheduler], total: int) -> list[float]:
    """Return the learning rates of a scheduler of PyTorch, from a rate of 1."""
    planned = scheduler(SGD([torch.zeros(1, requires_grad=True)], lr=1.0))
    rates = []
    with warnings.catch_warnings():
        # PyTorch warns when a scheduler is stepped without its optimizer.
        warnings.simplefilter("ignore")
        for _ in range(total):
            rates.append(float(planned.get_last_lr()[0]))
            if len(rates) < total:
                planned.step()
    return rates


def range_test(
    rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float]
) -> Figure:
    """Draw the loss of each step of a range test over its learning rate.

    Parameters
    ----------
    rates
        The learning rates, which grow from step to step.
    losses, smoothed
        The loss of each step, as it is and averaged over a few steps.
    """
    with panels(1, (7.2, 3.6)) as (figure, (axes,)):
        axes.plot(rates, losses, color=LINES[0]["color"], alpha=0.25, label="each step")
        axes.plot(rates, smoothed, color=LINES[0]["color"], label="moving average")
        axes.set_xscale("log")
        axes.set_ylim(0, 1.5 * losses[0])
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss")
        axes.set_title("Range test")
        axes.legend(loc="lower left")
    return figure
