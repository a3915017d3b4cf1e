"""The networks of the notebook before their training.

All start from the pretrained network whose batch norm statistics were measured anew on the new
images, with a new classifier that is drawn at random.

References
----------
Li, Wang, Shi, Liu, Hou, "Revisiting Batch Normalization For Practical Domain Adaptation",
arXiv:1603.04779, 2016: statistics that are measured on the new images.
"""

from torch import nn

from helpers.batch_norm import reestimate_batch_norm
from helpers.dataset import Dataset
from helpers.reference.lora_transfer.freezing import freeze_all_but
from helpers.reference.lora_transfer.lora import LoRALinear, add_to_convolutions
from helpers.transfer import head_name, last_stage_name, source_network

CLASSES = 10
RANK, ALPHA = 4, 8.0
"""Of the graded networks."""


def new_network(dataset: Dataset, *, measured_anew: bool = True) -> nn.Module:
    """Return the pretrained network with a new classifier, of which nothing is frozen.

    Parameters
    ----------
    dataset
        The new images.
    measured_anew
        Whether batch norm measures its statistics on the new images. Otherwise it keeps those of
        the images that the network was trained on.
    """
    model = source_network()
    if measured_anew:
        reestimate_batch_norm(model, dataset)
    head = model.get_submodule(head_name())
    assert isinstance(head, nn.Linear)
    model.set_submodule(head_name(), nn.Linear(head.in_features, CLASSES))
    return model.to(dataset.device)


def frozen_network(dataset: Dataset, *, measured_anew: bool = True) -> nn.Module:
    """Return the network of which only the last stage and the classifier are trained."""
    model = new_network(dataset, measured_anew=measured_anew)
    freeze_all_but(model, trained_parts())
    return model


def lora_head_network(dataset: Dataset, r: int = RANK, alpha: float = ALPHA) -> nn.Module:
    """Return the frozen network whose classifier has a low-rank update."""
    model = frozen_network(dataset)
    head = model.get_submodule(head_name())
    assert isinstance(head, nn.Linear)
    model.set_submodule(head_name(), LoRALinear(head, r, alpha))
    return model


def lora_convs_network(dataset: Dataset, r: int = RANK, alpha: float = ALPHA) -> nn.Module:
    """Return the network with low-rank updates in its convolutions and a classifier that trains.

    Everything but the factors and the classifier is frozen. The first convolution gets no update.
    """
    model = new_network(dataset)
    freeze_all_but(model, [head_name()])
    for child in model.children():
        if isinstance(child, nn.Sequential):
            add_to_convolutions(child, r, alpha)
    return model


def trained_parts() -> tuple[str, str]:
    """Return the names of the parts that are not frozen."""
    return last_stage_name(), head_name()
