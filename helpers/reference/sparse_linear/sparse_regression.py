"""Sparse linear regression: gradient descent, and four ways to make its weights sparse.

All minimise the sum of squares ``L(w) = sum_i (X_i w - y_i)^2`` from ``w = 0`` with full-batch
steps of one length. A run is a pair: the weights after every step and their losses, both beginning
with the starting point. The losses are L alone, without a penalty.

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
"""X and y of the assignment. Two weights fit them exactly: w = (0, 3, 0, 0, -1)."""


def random_problem(seed: int) -> tuple[Array, Array]:
    """Return another X (4, 6) and y (4,): whole numbers, two weights that matter, some noise."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(4, 6)).astype(np.float64)
    return X, X @ np.array([0, 2, 0, 0, -1.5, 0]) + 0.1 * rng.normal(size=4)


def loss(X: Array, y: Array, w: Array) -> float:
    """Return the sum of squared residuals.

    Parameters
    ----------
    X : float array (n, d)
        One data point per row.
    y : float array (n,)
        Targets.
    w : float array (d,)
        Weights.

    Returns
    -------
    float
        ``sum_i (X_i w - y_i)^2``: no mean, and no factor of one half.
    """
    return float(((X @ w - y) ** 2).sum())


def gradient_step(X: Array, y: Array, w: Array, rate: float) -> Array:
    """Take one full-batch gradient step, ``w - rate * 2 X^T (X w - y)``.

    Parameters
    ----------
    X, y, w : float arrays (n, d), (n,) and (d,)
        As for `loss`.
    rate : float
        Learning rate.

    Returns
    -------
    float array (d,)
        New weights; `w` is left as it was.
    """
    return w - rate * 2 * X.T @ (X @ w - y)


def _run(X: Array, y: Array, steps: int, step: Callable[[Array], Array]) -> Run:
    """Repeat ``step`` from zero; record weights (steps + 1, d) and losses (steps + 1,)."""
    weights = np.zeros((steps + 1, X.shape[1]))
    for k in range(steps):
        weights[k + 1] = step(weights[k])
    return weights, np.array([loss(X, y, w) for w in weights])


def gradient_descent(X: Array, y: Array, rate: float = RATE, steps: int = STEPS) -> Run:
    """Minimise the sum of squares without any penalty.

    Parameters
    ----------
    X, y : float arrays (n, d) and (n,)
        Data points and targets.
    rate : float, default=0.02
        Learning rate.
    steps : int, default=200
        Number of full-batch steps.

    Returns
    -------
    weights : float array (steps + 1, d)
        Row k holds the weights after k steps; row 0 is zero.
    losses : float array (steps + 1,)
        Their losses.
    """
    return _run(X, y, steps, lambda w: gradient_step(X, y, w, rate))


def log10_loss(losses: Array) -> Array:
    """Return the decimal logarithm of losses; NaN where a loss is exactly zero.

    Parameters
    ----------
    losses : float array of any shape
        Not negative.

    Returns
    -------
    float array of the same shape
    """
    found = np.full(losses.shape, np.nan)
    np.log10(losses, out=found, where=losses > 0)
    return found


def keep_largest(w: Array, count: int = 2) -> Array:
    """Project onto the vectors with at most `count` non-zeros: hard thresholding by rank.

    Parameters
    ----------
    w : float array (d,)
        Weights.
    count : int, default=2
        How many to keep, by magnitude. Among equal magnitudes the first are kept; any other choice
        is just as near.

    Returns
    -------
    float array (d,)
        The kept weights in their places, zero elsewhere.
    """
    kept = np.argsort(-np.abs(w), kind="stable")[:count]
    projected = np.zeros_like(w)
    projected[kept] = w[kept]
    return projected


def projected_descent(
    X: Array, y: Array, rate: float = RATE, steps: int = STEPS, count: int = 2
) -> Run:
    """Keep the `count` largest weights after every gradient step (iterative hard thresholding).

    Parameters and results are those of `gradient_descent` and `keep_largest`.
    """
    return _run(X, y, steps, lambda w: keep_largest(gradient_step(X, y, w, rate), count))


def l1_descent(X: Array, y: Array, strength: float, rate: float = RATE, steps: int = STEPS) -> Run:
    """Minimise ``L(w) + strength * ||w||_1`` by subgradient steps, with the subgradient 0 at 0.

    Parameters
    ----------
    X, y, rate, steps
        As for `gradient_descent`.
    strength : float
        The factor lambda of the penalty.

    Returns
    -------
    weights, losses : as from `gradient_descent`
    """
    return _run(X, y, steps, lambda w: gradient_step(X, y, w, rate) - rate * strength * np.sign(w))


def soft_threshold(w: Array, threshold: float) -> Array:
    """Move every weight towards zero by `threshold`, and no further than zero.

    This is the proximal operator of ``threshold * ||.||_1``: it minimises
    ``||x - w||^2 / 2 + threshold * ||x||_1`` over x.

    Parameters
    ----------
    w : float array of any shape
        Weights.
    threshold : float
        Not negative.

    Returns
    -------
    float array of the same shape
    """
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


def proximal_descent(
    X: Array, y: Array, strength: float, rate: float = RATE, steps: int = STEPS
) -> Run:
    """Minimise ``L(w) + strength * ||w||_1`` by proximal steps (ISTA).

    A gradient step on L, then soft thresholding by ``rate * strength``. Parameters and results are
    those of `l1_descent`.
    """
    return _run(
        X, y, steps, lambda w: soft_threshold(gradient_step(X, y, w, rate), rate * strength)
    )


def trimmed_threshold(w: Array, threshold: float, free: int = 2) -> Array:
    """Soft-threshold all but the `free` weights of largest magnitude.

    Parameters
    ----------
    w : float array (d,)
        Weights.
    threshold : float
        Not negative.
    free : int, default=2
        How many weights go without a penalty. Among equal magnitudes the first go free.

    Returns
    -------
    float array (d,)
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

    A gradient step on L, then `trimmed_threshold` by ``rate * strength``: the weights that go free
    are the largest *after* the gradient step. Parameters and results are those of `l1_descent`.
    """
    return _run(
        X,
        y,
        steps,
        lambda w: trimmed_threshold(gradient_step(X, y, w, rate), rate * strength, free),
    )


def lasso_alpha(strength: float, points: int) -> float:
    """Return the ``alpha`` with which scikit-learn's Lasso minimises ``L(w) + strength ||w||_1``.

    Lasso divides the sum of squares by twice the number of data points, and leaves its penalty
    ``alpha ||w||_1`` alone.

    Parameters
    ----------
    strength : float
        The factor lambda beside the sum of squares.
    points : int
        Number of data points.

    Returns
    -------
    float
    """
    return strength / (2 * points)


def is_run(X: Array, y: Array, weights: Array, losses: Array, method: str, strength: float) -> bool:
    """Say whether a run of 200 steps at rate 0.02 follows its method.

    Every step is judged from the recorded weights before it. So it does not matter which way a tie
    was broken, or which sign rounding has given to a weight that should be zero.

    Parameters
    ----------
    X, y : float arrays (n, d) and (n,)
        Data points and targets.
    weights, losses : object
        The run; anything that is not two arrays of the right shapes is no run.
    method : {"projected", "l1", "proximal", "trimmed"}
        Two weights are kept or go free.
    strength : float
        The factor lambda of the penalty, above 0 and at most `LARGEST_STRENGTH`; not used for
        ``"projected"``.

    Returns
    -------
    bool
    """
    shapes = (STEPS + 1, X.shape[1]), (STEPS + 1,)
    for found, shape in zip((weights, losses), shapes, strict=True):
        if not (isinstance(found, np.ndarray) and found.shape == shape and found.dtype == float):
            return False
    if weights[0].any() or not (method == "projected" or 0 < strength <= LARGEST_STRENGTH):
        return False
    right = np.array([loss(X, y, w) for w in weights])
    return bool(np.abs(losses - right).max() <= WITHIN) and all(
        _follows(gradient_step(X, y, before, RATE), before, after, method, RATE * strength)
        for before, after in pairwise(weights)
    )


LARGEST_STRENGTH = 10
"""From 30 on, an L1 penalty holds all weights at zero, which is no attempt."""

WITHIN = 1e-9
"""Far above the rounding errors of one step, 1e-15, and far below what a wrong step does."""


def _follows(moved: Array, before: Array, after: Array, method: str, threshold: float) -> bool:
    """Say whether a step may lead from `before` over the gradient step `moved` to `after`."""
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
