"""What the features of a network are worth before anything is trained.

References
----------
Mensink, Verbeek, Perronnin, Csurka, "Distance-Based Image Classification: Generalizing to New
Classes at Near-Zero Cost", PAMI 35, 2013: the classifier by the nearest class mean.
"""

import torch
from torch import Tensor, nn

from helpers.dataset import Dataset
from helpers.reference.lora_transfer.networks import CLASSES, new_network
from helpers.transfer import head_name

WHY = (
    "The course has no run of its own for this profile, so this is the accuracy that the features "
    "of the pretrained network give without any training, if each image is assigned to the class "
    "whose mean feature is nearest."
)
"""What students read about this accuracy where it is the bar."""

BATCH_SIZE = 128
IMAGES = 2048
"""Training images from which the means are computed."""


@torch.no_grad()
def nearest_mean_accuracy(dataset: Dataset) -> float:
    """Return the test accuracy of the class whose mean feature is nearest.

    The features are those that the pretrained network hands to its classifier, after its batch norm
    has measured its statistics on the new images. No weight is trained: a network that is no better
    has learned nothing from its training.

    Parameters
    ----------
    dataset
        The new images.

    Returns
    -------
    float
        From 0 to 1.
    """
    model = new_network(dataset)
    model.set_submodule(head_name(), nn.Identity())
    model.eval()
    features, labels = _features(model, dataset, "train", IMAGES)
    means = torch.stack([features[labels == c].mean(dim=0) for c in range(CLASSES)])
    features, labels = _features(model, dataset, "test", len(dataset.test))
    found = torch.cdist(features, means).argmin(dim=1)
    return float((found == labels).float().mean())


def _features(model: nn.Module, dataset: Dataset, split: str, images: int) -> tuple[Tensor, Tensor]:
    batches = [(model(x), y) for x, y in dataset.batches(split, BATCH_SIZE, images)]
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])
