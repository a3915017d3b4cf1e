"""The separable convolution that is nearest to an ordinary one.

References
----------
Eckart and Young, "The Approximation of One Matrix by Another of Lower Rank", Psychometrika 1, 1936.

Guo, Li, Lin, Chen, Li, Yan and Wang, "Network Decoupling: From Regular to Depthwise Separable
Convolutions", BMVC 2018.
"""

import torch
from torch import Tensor


def best_separable(kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Return the separable convolution whose dense kernel is nearest to a given one.

    The weights that belong to an input channel make a matrix with N rows and k*k columns. In a
    separable convolution it has rank 1. The nearest matrix of rank 1, measured by the sum of
    squares, is the first term of the singular value decomposition (Eckart and Young, 1936).

    Parameters
    ----------
    kernel
        The kernel of an ordinary convolution, of shape (N, C, k, k).

    Returns
    -------
    depthwise
        Of shape (C, 1, k, k).
    pointwise
        Of shape (N, C, 1, 1).
    """
    out_channels, in_channels, k, _ = kernel.shape
    matrices = kernel.transpose(0, 1).reshape(in_channels, out_channels, k * k)
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    pointwise = (u[:, :, 0] * s[:, :1]).T.reshape(out_channels, in_channels, 1, 1)
    depthwise = vh[:, 0].reshape(in_channels, 1, k, k)
    return depthwise, pointwise
