"""New statistics for batch norm, after the weights before it have changed."""

import torch
from torch import nn

from helpers.dataset import Dataset

__all__ = ["reestimate_batch_norm"]

BATCH_SIZE = 128


@torch.no_grad()
def reestimate_batch_norm(model: nn.Module, dataset: Dataset, images: int = 512) -> None:
    """Measure means and variances anew for every batch norm of a network, in place.

    A batch norm in evaluation mode subtracts the mean and divides by the standard deviation that
    it has seen in training. When weights before it are pruned, its inputs shrink, and these
    numbers no longer fit. No weight changes here, and no label is used.

    Parameters
    ----------
    model
        The network. It moves to the device of the data set, and is in evaluation mode afterwards.
    dataset
        Its first training images are used, as they are, always in the same batches.
    images
        How many of them, in batches of 128; a smaller last batch is used as well.

    References
    ----------
    Li, Wu, Su, Wang, "EagleEye: Fast Sub-net Evaluation for Efficient Neural Network Pruning",
    ECCV 2020: without this, the accuracy of a pruned network says little about it.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over all batches
    model.to(dataset.device).train()
    for inputs, _ in dataset.batches("train", BATCH_SIZE, images):
        model(inputs)
    model.eval()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
