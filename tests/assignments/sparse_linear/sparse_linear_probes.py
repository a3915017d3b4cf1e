"""Inputs that tell the wrong solutions of `sparse_linear` from right ones and from each other."""

import numpy as np

from autograder.hidden.figures import drawn_by
from helpers.assignments.sparse_linear import checks
from helpers.reference.sparse_linear import sparse_figures, sparse_regression

X = np.array([[1, -2, -1, -1, 1], [2, -1, 2, 0, -2], [-1, 0, 2, 2, 1]], float)
Y = np.array([-7.0, -1, -1])
W = np.array([0.5, -1.0, 0.25, 2.0, -0.75])
TURNING = np.array([[0.0, 2.0], [1.0, 2.0]]), np.array([3.0, -1.0])
RUN = (
    np.array([[0, 0, 0], [1, -1, 0.5], [2, -1, 0.7], [3, -1, 0.6], [3, -2, 0.5]], float),
    np.array([100, 10, 0.5, 0.1, 0.0]),
)


def call(*args, **kwargs):
    return lambda answer: answer(*args, **kwargs)


def drawing(plot):
    shown = drawn_by(plot, *RUN)
    return shown["log10 of the loss"], shown["weights"]


PROBES = {
    sparse_regression.loss: [call(X, Y, W)],
    sparse_regression.gradient_step: [call(X, Y, W, 0.02)],
    sparse_regression.gradient_descent: [call(X, Y, 0.02, 5)],
    sparse_regression.log10_loss: [call(np.array([100.0, 0.5, 1e-20, 0.0]))],
    sparse_figures.plot_run: [drawing],
    sparse_regression.keep_largest: [call(W), call(W, 3), call(-W, 1)],
    sparse_regression.projected_descent: [
        call(X, Y, 0.02, 5),
        call(*TURNING, rate=0.1, steps=3, count=1),
    ],
    sparse_regression.l1_descent: [call(X, Y, 2.0, 0.02, 5)],
    sparse_regression.cut_small: [call(W, 0.6)],
    sparse_regression.soft_threshold: [call(W, 0.6)],
    sparse_regression.proximal_descent: [call(X, Y, 2.0, 0.02, 5)],
    sparse_regression.trimmed_threshold: [call(W, 0.4), call(W, 0.4, 3)],
    sparse_regression.trimmed_descent: [call(X, Y, 5.0, 0.02, 5)],
    sparse_regression.lasso_alpha: [call(2.0, 4)],
}

PUBLIC_CHECKS = {reference: getattr(checks, reference.__name__) for reference in PROBES}
