"""A cache of accuracies and losses: a network measured before is recognised, not measured again.

Running a notebook a second time, and grading it, then takes seconds instead of minutes. The
measurements are kept in ``artifacts/<profile>/measurements.json`` beside the notebook and are
handed in with it. The grader does not trust them: it makes its own measurements and compares.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.artifacts import artifact_folder
from helpers.dataset import Dataset
from helpers.files import replacing
from helpers.training import evaluate
from helpers.training_loss import training_loss

__all__ = [
    "MEASUREMENTS",
    "Measurement",
    "measure",
    "measure_loss",
    "measurement",
    "read_measurements",
    "recall",
]

Measurement = dict[str, Any]

MEASUREMENTS = "measurements.json"
PROBES = 16
# Relative to the largest score. The arithmetic of another machine changes a score by at most about
# 1e-3 of that (TF32 keeps 10 bits); rounding the weights to 6 bits changes it by several per cent.
SAME_SCORES = 5e-3
MAX_ENTRIES = 500


def measure(model: nn.Module, dataset: Dataset, split: str = "test") -> float:
    """Return the accuracy of `model`, measured now or when the same network was first measured.

    Two networks are considered the same if they have the same weights and give the same scores for
    the first examples of the split. The scores reveal layers that compute something else from the
    same weights.

    Parameters
    ----------
    model
        A network that maps inputs to scores, as for `helpers.training.evaluate`. It is moved to
        the device of the data set.
    dataset
        The data set with the examples.
    split
        ``"test"`` or ``"train"``.

    Returns
    -------
    float
        Accuracy in [0, 1], as returned by `helpers.training.evaluate`.
    """
    return _known_or_new("accuracy", model, dataset, split, lambda: evaluate(model, dataset, split))


def measure_loss(model: nn.Module, dataset: Dataset) -> float:
    """Return the loss of `model` on training images, measured now or earlier as in `measure`.

    Parameters
    ----------
    model, dataset
        As for `helpers.training_loss.training_loss`.

    Returns
    -------
    float
        In nats, as returned by that function.
    """
    return _known_or_new("loss", model, dataset, "train", lambda: training_loss(model, dataset))


def _known_or_new(
    figure: str, model: nn.Module, dataset: Dataset, split: str, measured: Callable[[], float]
) -> float:
    path = artifact_folder() / MEASUREMENTS
    entries = read_measurements(path)
    known = recall(entries, model, dataset, split, figure)
    if known is not None:
        return known
    entry = _entry(figure, measured(), model, dataset, split)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps([*entries, entry][-MAX_ENTRIES:]), encoding="utf-8")
    return float(entry[figure])


def measurement(model: nn.Module, dataset: Dataset, split: str = "test") -> Measurement:
    """Measure the accuracy of `model`, and return it with the data that identify the network.

    The parameters are those of `measure`.
    """
    return _entry("accuracy", evaluate(model, dataset, split), model, dataset, split)


def _entry(
    figure: str, found: float, model: nn.Module, dataset: Dataset, split: str
) -> Measurement:
    scores = _probe(model, dataset, split).tolist()
    rounded = [[round(score, 4) for score in row] for row in scores]
    return {**_network(model, dataset, split), figure: found, "scores": rounded}


def recall(
    entries: Iterable[Measurement],
    model: nn.Module,
    dataset: Dataset,
    split: str = "test",
    figure: str = "accuracy",
) -> float | None:
    """Look up the accuracy or the loss of `model` in earlier measurements.

    Parameters
    ----------
    entries
        Measurements, as returned by `read_measurements`.
    model, dataset, split
        As for `measure`.
    figure
        ``"accuracy"`` or ``"loss"``.

    Returns
    -------
    float or None
        The accuracy in [0, 1], or the loss in nats; None if it has not been measured before.
    """
    network = _network(model, dataset, split)
    candidates = [
        e for e in entries if figure in e and all(e.get(key) == network[key] for key in network)
    ]
    if candidates:
        scores = _probe(model, dataset, split)
        for entry in candidates:
            if _same(entry, scores):
                return float(entry[figure])
    return None


def _network(model: nn.Module, dataset: Dataset, split: str) -> dict[str, str]:
    """Identify what is measured: the examples by name, and the weights by their digest."""
    return {"data": f"{dataset.name}/{split}", "weights": _digest(model)}


def _digest(model: nn.Module) -> str:
    """Return the SHA-256 of the names and values of all parameters and buffers."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


@torch.inference_mode()
def _probe(model: nn.Module, dataset: Dataset, split: str) -> Tensor:
    """Return the scores of the first predictions, (PROBES, classes), on the CPU."""
    inputs, _ = next(dataset.batches(split, PROBES))
    was_training = model.training
    model.to(dataset.device).eval()
    try:
        return model(inputs).flatten(0, -2)[:PROBES].float().cpu()
    finally:
        model.train(was_training)


def _same(entry: Measurement, scores: Tensor) -> bool:
    known = torch.tensor(entry["scores"])
    # A score that is not finite equals no other, so that such a network is measured every time.
    return known.shape == scores.shape and bool(
        (known - scores).abs().max() <= SAME_SCORES * scores.abs().max()
    )


def read_measurements(path: Path) -> list[Measurement]:
    """Read the measurements in `path`; return an empty list if the file is missing or damaged."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        for entry in entries:
            torch.tensor(entry["scores"])
            float(entry["accuracy"] if "accuracy" in entry else entry["loss"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []
    return entries
