"""The network that the assignment on transfer starts from, and the names of its last parts."""

from torch import nn

from helpers.models import resnet20
from helpers.pretrained import starting_weights
from helpers.profile import pick
from helpers.resnet18 import pretrained_resnet18

__all__ = ["head_name", "last_stage_name", "source_network"]


def source_network() -> nn.Module:
    """Return the pretrained network of the current profile, with the classifier of its own task.

    Returns
    -------
    nn.Module
        With ``quick`` the ResNet-20 for CIFAR-10 that ships with the course, with ``full`` the
        ResNet-18 for ImageNet. In evaluation mode, on the CPU.

    Raises
    ------
    helpers.data_folder.DataMissing
        As for `helpers.resnet18.pretrained_resnet18`.
    """
    return pick(quick=_shipped, full=pretrained_resnet18)()


def _shipped() -> nn.Module:
    weights = starting_weights("full")
    assert weights is not None, "the ResNet-20 for CIFAR-10 ships with the course"
    model = resnet20()
    model.load_state_dict(weights)
    return model.eval()


def head_name() -> str:
    """Return the name of the classifier in the network of the current profile."""
    return pick(quick="classifier", full="fc")


def last_stage_name() -> str:
    """Return the name of the last stage in the network of the current profile."""
    return pick(quick="stage3", full="layer4")
