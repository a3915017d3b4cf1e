"""The largest curvature of a loss, and the learning rate up to which gradient descent bears it.

References
----------
Cohen, Kaur, Li, Kolter, Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the
Edge of Stability", ICLR 2021: sharpness, and the limits with momentum (appendix B).
Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 6, 1994.
"""

from typing import Protocol

from torch import Tensor

__all__ = ["Hessian", "power_iteration", "stability_limit"]


class Hessian(Protocol):
    """A symmetric matrix, of which only products with vectors are needed."""

    def __matmul__(self, v: Tensor, /) -> Tensor:
        """Return the product with a vector (n,)."""
        ...


def power_iteration(hessian: Hessian, start: Tensor, steps: int) -> float:
    """Return the eigenvalue of largest magnitude of a symmetric matrix.

    Parameters
    ----------
    hessian
        The matrix (n, n), or anything else that ``@`` multiplies by a vector.
    start
        Vector (n,) to begin with, not zero. It must not be orthogonal to the eigenvector that is
        looked for; a random vector is not.
    steps
        Number of products before the last one, which gives the eigenvalue.

    Returns
    -------
    float
        The Rayleigh quotient of the vector after `steps` steps, with its sign.
    """
    v = start / start.norm()
    for _ in range(steps):
        v = hessian @ v
        v = v / v.norm()
    return float(v @ (hessian @ v))


def stability_limit(lr: float, momentum: float) -> float:
    r"""Return the largest curvature at which descent with Nesterov momentum does not diverge.

    On the parabola :math:`\frac{\lambda}{2} w^2`, a step of PyTorch's SGD with ``nesterov=True``
    takes :math:`(w, v)` to :math:`(w - \eta(\lambda w + \beta v'), v')` with
    :math:`v' = \beta v + \lambda w`. The matrix of this map has the trace
    :math:`1 + \beta - \eta\lambda(1 + \beta)` and the determinant
    :math:`\beta(1 - \eta\lambda)`. Its eigenvalues are inside the unit circle as long as 1 + trace
    + determinant is positive, which is :math:`\eta\lambda < (2 + 2\beta) / (1 + 2\beta)`.

    Parameters
    ----------
    lr
        The learning rate :math:`\eta`, above 0.
    momentum
        :math:`\beta`, from 0 to below 1.

    Returns
    -------
    float
        :math:`\frac{2 + 2\beta}{(1 + 2\beta)\,\eta}`, which is :math:`2 / \eta` without momentum.
    """
    return (2 + 2 * momentum) / ((1 + 2 * momentum) * lr)
