"""New statistics for batch norm after the preceding weights have changed."""

import torch
from torch import nn

from helpers.dataset import Dataset

__all__ = ["reestimate_batch_norm"]

BATCH_SIZE = 128


@torch.no_grad()
def reestimate_batch_norm(model: nn.Module, dataset: Dataset, images: int = 512) -> None:
    """Re-estimate the mean and variance of every batch norm of a network, in place.

    In evaluation mode, a batch norm subtracts the mean and divides by the standard deviation that
    it has seen in training. When the weights before it are pruned, its inputs shrink, and these
    statistics no longer fit. No weight is changed here, and no label is used.

    Parameters
    ----------
    model
        The network. It is moved to the device of the data set and left in evaluation mode.
    dataset
        Data set whose first training images are used, without augmentation and always in the same
        batches.
    images
        Number of images to use, in batches of 128. A smaller last batch is used as well.

    References
    ----------
    Li, Wu, Su, Wang, "EagleEye: Fast Sub-net Evaluation for Efficient Neural Network Pruning",
    ECCV 2020: without this step, the accuracy of a pruned network says little about it.
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
