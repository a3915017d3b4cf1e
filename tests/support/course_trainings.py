"""One training of each kind in the course, with its layers and hooks, and a small network."""

from functools import partial

from torch import nn

from helpers.models import resnet20
from helpers.pretrained import pretrained_resnet20
from helpers.reference import masks
from helpers.reference.deep_compression import shared_network
from helpers.reference.pruning import magnitude
from helpers.reference.quantization import ste
from helpers.training import seed_everything

SPARSITY = 0.8


def _pretrained(dataset, conv=nn.Conv2d):
    model = resnet20(conv=conv)
    model.load_state_dict(pretrained_resnet20(dataset).state_dict())
    return model.to(dataset.device)


def _sparse(dataset, conv):
    model = _pretrained(dataset, conv)
    kept = masks.global_masks(masks.layer_weights(model), SPARSITY)
    masks.apply_masks(model, kept)
    return model, {"after_step": partial(masks.apply_masks, masks=kept)}


def _shared(dataset):
    model = _pretrained(dataset)
    shared_network.prune(model, dataset, SPARSITY)
    return model, {"after_step": shared_network.tie(model, shared_network.share(model, 2))}


def _step_by_step(dataset):
    hooks = magnitude.IterativePruning(magnitude.global_percentage_masks, 2)
    options = {"before_epoch": hooks.before_epoch, "after_step": hooks.after_step}
    return _pretrained(dataset), options


KINDS = {
    "plain": lambda dataset: (_pretrained(dataset), {}),
    "quantized": lambda dataset: (_pretrained(dataset, partial(ste.QuantConv2d, bits=2)), {}),
    "pruned": lambda dataset: _sparse(dataset, nn.Conv2d),
    "pruned and quantized": lambda dataset: _sparse(
        dataset, partial(ste.SparseQuantConv2d, bits=4)
    ),
    "shared": _shared,
    "pruned step by step": _step_by_step,
}
"""``KINDS[kind](dataset)`` returns a model and the hooks that `fit` takes with it."""


def small_model(*more):
    """Return a small network for images of 16×16 pixels, with further layers before the last."""
    seed_everything(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        *more,
        nn.Linear(16 * 7 * 7, 10),
    )


def distance(one, other):
    """Return the largest difference between two networks' weights and statistics."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return max((a.double() - b.double()).abs().max().item() for a, b in pairs)
