"""How much of a matrix a low rank holds.

References
----------
Eckart, Young, "The approximation of one matrix by another of lower rank", Psychometrika 1, 1936:
the best approximation of rank r keeps the r largest singular values.
"""

import torch
from torch import Tensor


def energy_held(update: Tensor, r: int) -> float:
    r"""Return the share of an update's squared norm that its best approximation of rank r holds.

    .. math:: \sum_{i \le r} \sigma_i^2 \Big/ \sum_i \sigma_i^2

    Parameters
    ----------
    update
        The change of a weight, (out, in) or (out, in, k, k), whose dimensions after the first are
        flattened.
    r
        The rank.

    Returns
    -------
    float
        From 0 to 1.
    """
    energies = torch.linalg.svdvals(update.flatten(1)).double() ** 2
    return float(energies[:r].sum() / energies.sum())
