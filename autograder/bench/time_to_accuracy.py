"""Measure how soon the course's training reaches a reported accuracy; this takes long on a CPU.

``python -m autograder.bench.time_to_accuracy FILE [--seeds 5] [--epochs N] [--target X]``
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from autograder.bench.machine import machine, precision
from helpers.data import Dataset, load
from helpers.files import replacing
from helpers.models import resnet20
from helpers.pretrained import RECIPES
from helpers.profile import pick
from helpers.training import History, fit, seed_everything

TARGETS = {
    "digits": 0.97,  # about the accuracy of the network that ships
    "cifar10": 0.9125,  # He et al., "Deep Residual Learning", CVPR 2016: ResNet-20, table 6
}


def time_to_accuracy(target: float, epochs: int, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Train a ResNet-20 with each seed by the recipe of the starting network.

    Parameters
    ----------
    target
        Test accuracy to reach, from 0 to 1.
    epochs
        Number of epochs of each training, instead of that of the recipe; the learning rate falls
        to 0 over these epochs.
    seeds
        Seeds of the weights at the start and of everything that is drawn during training.

    Yields
    ------
    dict
        After each seed, the figures of all seeds so far. For each seed: the number of the epoch
        (from 1) that is the first to end with at least the target, the seconds until then, and the
        test accuracy after the last epoch. The epoch and the seconds are None if the target is
        never reached. Mean and spread (sample standard deviation) of the seconds are over the
        seeds that reach it. The seconds include the evaluation after each epoch, and the start-up
        of the device in the first.
    """
    dataset = load()
    recipe = RECIPES[dataset.name] | {"epochs": epochs}
    runs: list[dict[str, Any]] = []
    for seed in seeds:
        runs.append({"seed": seed} | _reached(_trained(dataset, recipe, seed), target))
        seconds = [run["seconds_with_evaluation"] for run in runs if run["epoch"] is not None]
        yield {
            "target": target,
            "recipe": recipe,
            "precision": recipe.get("precision", precision()),
            "runs": list(runs),
            "reached": len(seconds),
            "mean_seconds": mean(seconds) if seconds else None,
            "spread_seconds": stdev(seconds) if len(seconds) > 1 else None,
        }


def _trained(dataset: Dataset, recipe: dict[str, Any], seed: int) -> History:
    seed_everything(seed)
    return fit(resnet20(), dataset, seed=seed, **recipe)


def _reached(history: History, target: float) -> dict[str, Any]:
    """Return when a training first reached the target, and its final accuracy."""
    enough = [n for n, accuracy in enumerate(history.test_accuracy, 1) if accuracy >= target]
    epoch = enough[0] if enough else None
    return {
        "epoch": epoch,
        "seconds_with_evaluation": sum(history.seconds[:epoch]) if epoch else None,
        "final_accuracy": history.test_accuracy[-1],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the figures to the given file after each seed."""
    data = pick(quick="digits", full="cifar10")
    parser = argparse.ArgumentParser(
        prog="python -m autograder.bench.time_to_accuracy",
        description="Measure how soon a ResNet-20 reaches an accuracy, with several seeds.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write the figures (JSON)")
    parser.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="number of seeds (default: %(default)s)"
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=RECIPES[data]["epochs"],
        metavar="N",
        help="number of epochs of each training (default: %(default)s)",
    )
    parser.add_argument(
        "--target",
        type=float,
        default=TARGETS[data],
        metavar="X",
        help="test accuracy to reach, from 0 to 1 (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.seeds < 1 or options.epochs < 1:
        parser.error("--seeds and --epochs must be at least 1")
    if not 0 <= options.target <= 1:
        parser.error("--target must lie between 0 and 1")

    for figures in time_to_accuracy(options.target, options.epochs, range(options.seeds)):
        text = json.dumps({"machine": machine(), "time_to_accuracy": figures}, indent=1)
        with replacing(options.file) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        print(json.dumps(figures["runs"][-1]), flush=True)
    print(text)


if __name__ == "__main__":
    main()
