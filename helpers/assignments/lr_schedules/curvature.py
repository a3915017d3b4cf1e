"""The Hessian of a network's loss, which is too large to be written down, as products."""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers.dataset import Dataset

__all__ = ["LossHessian"]


class LossHessian:
    """The Hessian of the mean loss on training examples, by all parameters of a network.

    The loss is the one that training minimises: batch norm uses the statistics of the examples. The
    examples are not augmented.

    Parameters
    ----------
    model
        The network. A copy of it is used.
    dataset
        The data set, on whose device the copy is.
    examples
        How many of the first training examples to use.

    Attributes
    ----------
    size
        Number of rows of the matrix: the number of parameters.

    Notes
    -----
    The product with a vector is the gradient of the inner product of gradient and vector, which
    costs a few times as much as a gradient (Pearlmutter, "Fast Exact Multiplication by the
    Hessian", Neural Computation 6, 1994).
    """

    def __init__(self, model: nn.Module, dataset: Dataset, examples: int = 128) -> None:
        copied = deepcopy(model).to(dataset.device).train()
        ((inputs, targets),) = dataset.batches("train", examples, examples)
        self._parameters = [p for p in copied.parameters() if p.requires_grad]
        self.size = sum(p.numel() for p in self._parameters)
        loss = F.cross_entropy(copied(inputs), targets)
        # The gradient as a function of the parameters, which can be differentiated once more.
        self._gradient = _flat(torch.autograd.grad(loss, self._parameters, create_graph=True))

    def __matmul__(self, v: Tensor) -> Tensor:
        """Return the product with a vector (size,)."""
        slope = self._gradient @ v.to(self._gradient)
        return _flat(torch.autograd.grad(slope, self._parameters, retain_graph=True)).to(v)


def _flat(tensors: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])
