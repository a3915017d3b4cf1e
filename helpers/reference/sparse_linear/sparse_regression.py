"""Sparse linear regression: gradient descent, and four ways to make its weights sparse.

All methods minimise the sum of squares ``L(w) = sum_i (X_i w - y_i)^2``, starting from ``w = 0``,
by full-batch steps with a constant learning rate. A run is a pair of arrays, the weights after
every step and their losses; both begin with the starting point. The losses are those of L alone,
without a penalty.

References
----------
Beck and Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems",
SIAM J. Imaging Sciences 2(1), 2009: the proximal step for L1 (ISTA).
Blumensath and Davies, "Iterative hard thresholding for compressed sensing", Applied and
Computational Harmonic Analysis 27(3), 2009: the projection onto k-sparse vectors.
Parikh and Boyd, "Proximal Algorithms", Foundations and Trends in Optimization 1(3), 2014.
Yun, Zheng, Yang, Lozano and Aravkin, "Trimming the l1 Regularizer: Statistical Analysis,
Optimization, and Applications to Deep Learning", ICML 2019.
"""

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np

Array = np.ndarray
Run = tuple[Array, Array]

RATE = 0.02
STEPS = 200
PROBLEM: tuple[Array, Array] = (
    np.array([[1, -2, -1, -1, 1], [2, -1, 2, 0, -2], [-1, 0, 2, 2, 1]], dtype=np.float64),
    np.array([-7, -1, -1], dtype=np.float64),
)
"""X and y of the assignment, which two non-zero weights fit exactly: w = (0, 3, 0, 0, -1)."""


def random_problem(seed: int) -> tuple[Array, Array]:
    """Return another X (4, 6) of integers and y (4,) from two non-zero weights and some noise."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(4, 6)).astype(np.float64)
    return X, X @ np.array([0, 2, 0, 0, -1.5, 0]) + 0.1 * rng.normal(size=4)


def loss(X: Array, y: Array, w: Array) -> float:
    """Return the sum of squared residuals.

    Parameters
    ----------
    X
        (n, d), float: one data point per row.
    y
        (n,), float: targets.
    w
        (d,), float: weights.

    Returns
    -------
    float
        ``sum_i (X_i w - y_i)^2``, which is not a mean and has no factor of one half.
    """
    return float(((X @ w - y) ** 2).sum())


def gradient_step(X: Array, y: Array, w: Array, rate: float) -> Array:
    """Take one full-batch gradient step, ``w - rate * 2 X^T (X w - y)``.

    Parameters
    ----------
    X, y, w
        As for `loss`.
    rate
        Learning rate.

    Returns
    -------
    ndarray
        (d,), float: the new weights. `w` is not changed.
    """
    return w - rate * 2 * X.T @ (X @ w - y)


def _run(X: Array, y: Array, steps: int, step: Callable[[Array], Array]) -> Run:
    """Repeat `step`, starting from zero; return weights (steps + 1, d) and losses (steps + 1,)."""
    weights = np.zeros((steps + 1, X.shape[1]))
    for k in range(steps):
        weights[k + 1] = step(weights[k])
    return weights, np.array([loss(X, y, w) for w in weights])


def gradient_descent(X: Array, y: Array, rate: float = RATE, steps: int = STEPS) -> Run:
    """Minimise the sum of squares without a penalty.

    Parameters
    ----------
    X
        (n, d), float: one data point per row.
    y
        (n,), float: targets.
    rate
        Learning rate.
    steps
        Number of full-batch steps.

    Returns
    -------
    weights
        (steps + 1, d), float: row k holds the weights after k steps; row 0 is zero.
    losses
        (steps + 1,), float: the losses of these weights.
    """
    return _run(X, y, steps, lambda w: gradient_step(X, y, w, rate))


def log10_loss(losses: Array) -> Array:
    """Return the decimal logarithm of losses, and NaN where a loss is exactly zero.

    Parameters
    ----------
    losses
        Losses in an array of any shape; none is negative.

    Returns
    -------
    ndarray
        The logarithms, in an array of the same shape.
    """
    found = np.full(losses.shape, np.nan)
    np.log10(losses, out=found, where=losses > 0)
    return found


def keep_largest(w: Array, count: int = 2) -> Array:
    """Project onto the vectors with at most `count` non-zeros (hard thresholding by rank).

    Parameters
    ----------
    w
        (d,), float: weights.
    count
        How many of the weights of largest magnitude to keep. Among equal magnitudes the first are
        kept; any other choice would be equally close to `w`.

    Returns
    -------
    ndarray
        (d,), float: the kept weights in their places, and zero elsewhere.
    """
    kept = np.argsort(-np.abs(w), kind="stable")[:count]
    projected = np.zeros_like(w)
    projected[kept] = w[kept]
    return projected


def projected_descent(
    X: Array, y: Array, rate: float = RATE, steps: int = STEPS, count: int = 2
) -> Run:
    """Keep the `count` largest weights after every gradient step (iterative hard thresholding).

    The parameters and results are those of `gradient_descent` and `keep_largest`.
    """
    return _run(X, y, steps, lambda w: keep_largest(gradient_step(X, y, w, rate), count))


def l1_descent(X: Array, y: Array, strength: float, rate: float = RATE, steps: int = STEPS) -> Run:
    """Minimise ``L(w) + strength * ||w||_1`` by subgradient steps, with the subgradient 0 at 0.

    Parameters
    ----------
    X, y, rate, steps
        As for `gradient_descent`.
    strength
        Factor lambda of the penalty.

    Returns
    -------
    weights, losses
        As returned by `gradient_descent`.
    """
    return _run(X, y, steps, lambda w: gradient_step(X, y, w, rate) - rate * strength * np.sign(w))


def cut_small(w: Array, threshold: float) -> Array:
    """Set all weights to zero whose magnitude is at most `threshold` (hard thresholding by size).

    Parameters
    ----------
    w
        Weights, in an array of any shape.
    threshold
        The largest magnitude that is cut; not negative.

    Returns
    -------
    ndarray
        The weights, in a new array of the same shape.
    """
    return np.where(np.abs(w) > threshold, w, 0.0)


def soft_threshold(w: Array, threshold: float) -> Array:
    """Move every weight towards zero by `threshold`, but not beyond zero.

    This is the proximal operator of ``threshold * ||.||_1``: it minimises
    ``||x - w||^2 / 2 + threshold * ||x||_1`` over x.

    Parameters
    ----------
    w
        Weights, in an array of any shape.
    threshold
        Distance by which to move the weights; not negative.

    Returns
    -------
    ndarray
        The moved weights, in an array of the same shape.
    """
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


def proximal_descent(
    X: Array, y: Array, strength: float, rate: float = RATE, steps: int = STEPS
) -> Run:
    """Minimise ``L(w) + strength * ||w||_1`` by proximal steps (ISTA).

    Each step is a gradient step on L, followed by soft thresholding by ``rate * strength``. The
    parameters and results are those of `l1_descent`.
    """
    return _run(
        X, y, steps, lambda w: soft_threshold(gradient_step(X, y, w, rate), rate * strength)
    )


def trimmed_threshold(w: Array, threshold: float, free: int = 2) -> Array:
    """Soft-threshold all but the `free` weights of largest magnitude.

    Parameters
    ----------
    w
        (d,), float: weights.
    threshold
        Distance by which to move the other weights towards zero; not negative.
    free
        How many of the largest weights are not moved. Among equal magnitudes, the first are exempt.

    Returns
    -------
    ndarray
        (d,), float: the new weights.
    """
    kept = np.argsort(-np.abs(w), kind="stable")[:free]
    shrunk = soft_threshold(w, threshold)
    shrunk[kept] = w[kept]
    return shrunk


def trimmed_descent(
    X: Array,
    y: Array,
    strength: float,
    rate: float = RATE,
    steps: int = STEPS,
    free: int = 2,
) -> Run:
    """Minimise L plus an L1 penalty on all but the `free` largest weights, by proximal steps.

    Each step is a gradient step on L, followed by `trimmed_threshold` with ``rate * strength``. The
    weights without a penalty are therefore the largest *after* the gradient step. The parameters
    and results are those of `l1_descent` and `trimmed_threshold`.
    """
    return _run(
        X,
        y,
        steps,
        lambda w: trimmed_threshold(gradient_step(X, y, w, rate), rate * strength, free),
    )


def lasso_alpha(strength: float, points: int) -> float:
    """Return the ``alpha`` with which scikit-learn's Lasso minimises ``L(w) + strength ||w||_1``.

    Lasso divides the sum of squares by twice the number of data points, but does not divide its
    penalty ``alpha ||w||_1``.

    Parameters
    ----------
    strength
        Factor lambda of the penalty on the sum of squares.
    points
        Number of data points.
    """
    return strength / (2 * points)


def is_run(X: Array, y: Array, weights: Array, losses: Array, method: str, strength: float) -> bool:
    """Return whether a run of 200 steps with a learning rate of 0.02 follows its method.

    Each step is checked against the recorded weights before it. It therefore does not matter how a
    tie was broken, or which sign a weight that should be zero has got from rounding.

    Parameters
    ----------
    X
        (n, d), float: one data point per row.
    y
        (n,), float: targets.
    weights, losses
        The run. Anything but two float64 arrays of the right shapes is rejected.
    method
        ``"projected"`` with two kept weights, ``"l1"``, ``"proximal"``, or ``"trimmed"`` with two
        weights without a penalty.
    strength
        Factor lambda of the penalty, from `SMALLEST_STRENGTH` to `LARGEST_STRENGTH`. It is not used
        for ``"projected"``.
    """
    shapes = (STEPS + 1, X.shape[1]), (STEPS + 1,)
    for found, shape in zip((weights, losses), shapes, strict=True):
        if not (isinstance(found, np.ndarray) and found.shape == shape and found.dtype == float):
            return False
    allowed = method == "projected" or SMALLEST_STRENGTH <= strength <= LARGEST_STRENGTH
    if weights[0].any() or not allowed:
        return False
    right = np.array([loss(X, y, w) for w in weights])
    return bool(np.abs(losses - right).max() <= WITHIN) and all(
        _follows(gradient_step(X, y, before, RATE), before, after, method, RATE * strength)
        for before, after in pairwise(weights)
    )


SMALLEST_STRENGTH = 0.01
"""The penalty then moves a weight by 2e-4 per step, a hundred thousand times `WITHIN`. With a far
smaller one, a run without any penalty could not be told from a right one."""

LARGEST_STRENGTH = 10
"""An L1 penalty of 30 or more keeps all weights at zero, which does not count as an attempt."""

WITHIN = 1e-9
"""Far above the rounding errors of one step, 1e-15, and far below the error of a wrong step."""


def _follows(moved: Array, before: Array, after: Array, method: str, threshold: float) -> bool:
    """Return whether a step from `before`, whose gradient step gives `moved`, may give `after`."""
    if method == "l1":
        return bool(np.abs(after - (moved - threshold * np.sign(before))).max() <= WITHIN)
    shrunk = np.zeros_like(moved) if method == "projected" else soft_threshold(moved, threshold)
    if method == "proximal":
        return bool(np.abs(after - shrunk).max() <= WITHIN)
    size = np.abs(moved)
    for free in combinations(range(len(moved)), 2):
        chosen = np.isin(np.arange(len(moved)), free)
        largest = size[chosen].min() >= size[~chosen].max() - WITHIN
        if largest and np.abs(after - np.where(chosen, moved, shrunk)).max() <= WITHIN:
            return True
    return False
