"""Correct answers that differ from the reference earn every point of `sparse_linear`.

They use other orders of operations, break ties in other ways and draw other figures: a hidden test
must not depend on these differences. Every function here is a correct answer to the question that
it is named after (only the number at the end of the name is added), and so are the functions that
it calls for other questions.
"""

import math

import matplotlib as mpl
import numpy as np
import pytest
from alternatives import each_alternative, judged_alternative, question_about, with_alternatives
from source_notebook import graded, judged

mpl.use("Agg")
from matplotlib import pyplot as plt

from autograder.misconceptions import misconceptions_in
from helpers.reference.sparse_linear import sparse_regression
from helpers.reference.sparse_linear.sparse_figures import plot_run

# The names that the hidden tests need besides the answer itself.
NOTEBOOK = {"plt": plt}


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


# ------------------------------------------------------------------------------------------------
# The update


def loss_1(X, y, w):
    """In loops, point by point."""
    total = 0.0
    for i in range(len(y)):
        total += (sum(X[i, j] * w[j] for j in range(len(w))) - y[i]) ** 2
    return total


def loss_2(X, y, w):
    """As a matrix product, which gives an array of one element."""
    r = (y - X @ w).reshape(-1, 1)
    return r.T @ r


def loss_3(X, y, w):
    return np.linalg.norm(X @ w - y) ** 2


def gradient_step_1(X, y, w, rate):
    """A sum over the data points, the residual the other way round."""
    total = np.zeros(len(w))
    for row, target in zip(X, y, strict=True):
        total += (target - row @ w) * row
    return w + 2 * rate * total


def gradient_step_2(X, y, w, rate):
    """With the Gram matrix."""
    return w - rate * (2 * (X.T @ X) @ w - 2 * X.T @ y)


# ------------------------------------------------------------------------------------------------
# Runs


def gradient_descent_1(X, y, rate=0.02, steps=200):
    """Write into arrays that are made in advance."""
    weights, losses = np.zeros((steps + 1, X.shape[1])), np.zeros(steps + 1)
    losses[0] = y @ y
    for k in range(steps):
        weights[k + 1] = gradient_step_1(X, y, weights[k], rate)
        losses[k + 1] = loss_3(X, y, weights[k + 1])
    return weights, losses


def gradient_descent_2(X, y, rate=0.02, steps=200):
    """Update in place and store copies; return a list of two."""
    w = np.zeros((X.shape[1],))
    weights, losses = [w.copy()], [loss_1(X, y, w)]
    for _ in range(steps):
        w -= rate * 2 * (X @ w - y) @ X
        weights.append(w.copy())
        losses.append(loss_1(X, y, w))
    return [np.stack(weights), np.array(losses)]


def log10_loss_1(losses):
    """Use a mask, which avoids the warning."""
    result = np.full_like(losses, float("nan"))
    result[losses > 0] = np.log10(losses[losses > 0])
    return result


def log10_loss_2(losses):
    """Divide natural logarithms; replace -inf afterwards."""
    with np.errstate(divide="ignore"):
        logs = np.log(losses) / np.log(10)
    logs[np.isneginf(logs)] = np.nan
    return logs


def log10_loss_3(losses):
    return np.vectorize(lambda value: math.log10(value) if value else math.nan)(losses)


def keep_largest_1(w, count=2):
    """Sort the places by magnitude, in plain Python."""
    kept = sorted(range(len(w)), key=lambda j: abs(w[j]), reverse=True)[:count]
    return np.array([w[j] if j in kept else 0.0 for j in range(len(w))])


def keep_largest_2(w, count=2):
    result = w.copy()
    result[np.argpartition(np.abs(w), len(w) - count)[: len(w) - count]] = 0
    return result


def keep_largest_3(w, count=2):
    """Use a mask: a negative weight that is dropped becomes -0."""
    mask = np.zeros(len(w))
    mask[np.argsort(np.abs(w))[::-1][:count]] = 1
    return w * mask


def projected_descent_1(X, y, rate=0.02, steps=200, count=2):
    w = np.zeros(X.shape[1])
    history = [(w, loss_1(X, y, w))]
    for _ in range(steps):
        w = keep_largest_3(gradient_step_2(X, y, w, rate), count)
        history.append((w, loss_1(X, y, w)))
    return np.array([w for w, _ in history]), np.array([value for _, value in history])


def l1_descent_1(X, y, strength, rate=0.02, steps=200):
    """One gradient of the whole objective; the sign by hand."""
    w = np.zeros(X.shape[1])
    weights = [w]
    for _ in range(steps):
        sign = (w > 0).astype(float) - (w < 0)
        slope = sum(2 * (X[i] @ w - y[i]) * X[i] for i in range(len(y))) + strength * sign
        w = w - rate * slope
        weights.append(w)
    return np.array(weights), ((np.array(weights) @ X.T - y) ** 2).sum(axis=1)


def l1_descent_2(X, y, strength, rate=0.02, steps=200):
    """With w / |w|, guarded."""
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss_3(X, y, w)]
    for _ in range(steps):
        sign = np.divide(w, np.abs(w), out=np.zeros_like(w), where=w != 0)
        w = gradient_step_2(X, y, w, rate) - (rate * strength) * sign
        weights.append(w)
        losses.append(loss_3(X, y, w))
    return np.array(weights), np.array(losses)


def cut_small_1(w, threshold):
    """Write zeros into a copy."""
    result = w.copy()
    result[np.abs(w) <= threshold] = 0
    return result


def cut_small_2(w, threshold):
    """Multiply by a mask: a negative weight that is cut becomes -0."""
    return w * (np.abs(w) > threshold)


def soft_threshold_1(w, threshold):
    return np.maximum(w - threshold, 0) - np.maximum(-w - threshold, 0)


def soft_threshold_2(w, threshold):
    return np.where(np.abs(w) <= threshold, 0, w - np.sign(w) * threshold)


def soft_threshold_3(w, threshold):
    return w - np.clip(w, -threshold, threshold)


def proximal_descent_1(X, y, strength, rate=0.02, steps=200):
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss_1(X, y, w)]
    for _ in range(steps):
        w = soft_threshold_3(gradient_step_1(X, y, w, rate), strength * rate)
        weights.append(w)
        losses.append(loss_1(X, y, w))
    return np.array(weights), np.array(losses)


def trimmed_threshold_1(w, threshold, free=2):
    """Use a mask instead of indices."""
    penalised = np.ones(len(w), bool)
    penalised[np.argsort(-np.abs(w))[:free]] = False
    return np.where(penalised, soft_threshold_1(w, threshold), w)


def trimmed_threshold_2(w, threshold, free=2):
    """With ranks, in a loop."""
    order = sorted(range(len(w)), key=lambda j: abs(w[j]))
    result = [float(v) for v in w]
    for j in order[: len(w) - free]:
        result[j] = math.copysign(max(abs(w[j]) - threshold, 0), w[j])
    return np.array(result)


def trimmed_descent_1(X, y, strength, rate=0.02, steps=200, free=2):
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss_3(X, y, w)]
    for _ in range(steps):
        w = trimmed_threshold_2(gradient_step_2(X, y, w, rate), strength * rate, free)
        weights.append(w)
        losses.append(loss_3(X, y, w))
    return np.array(weights), np.array(losses)


def lasso_alpha_1(strength, points):
    return strength / points / 2


def lasso_alpha_2(strength, points):
    return np.float64(0.5) * strength * (1 / points)


# ------------------------------------------------------------------------------------------------
# Figures


def plot_run_1(weights, losses):
    """A logarithmic axis; one panel above the other with common steps; all weights at once."""
    figure, (above, below) = plt.subplots(2, 1, sharex=True)
    above.semilogy(losses, "k.-")
    above.set_ylabel("L")
    below.axhline(0, color="gray")
    below.plot(weights, label=[f"$W_{j}$" for j in range(weights.shape[1])])
    below.set(xlabel="# of steps", ylabel="W")
    below.legend(ncol=5)
    return figure


def plot_run_2(weights, losses):
    """Two figures, in the style of pyplot; zeros left out."""
    first = plt.figure()
    there = losses > 0
    plt.plot(np.arange(len(losses))[there], np.log10(losses[there]))
    plt.xlabel("steps")
    plt.ylabel("log10(L)")
    second = plt.figure()
    for j in range(weights.shape[1]):
        plt.plot(range(len(weights)), list(weights[:, j]), label="w" + str(j + 1))
    plt.xlabel("steps")
    plt.title("weights")
    plt.legend()
    return first, second


def plot_run_3(weights, losses):
    """Two axes on top of each other, a legend of the figure; the axes are returned as well."""
    figure, left = plt.subplots()
    right = left.twinx()
    with np.errstate(divide="ignore"):
        left.plot(np.log10(losses), color="k")  # -inf is not drawn either
    for j, values in enumerate(weights.T):
        right.plot(values, label=j)
    left.set(xlabel="step", ylabel="log10 L")
    right.set_ylabel("weight")
    figure.legend(*right.get_legend_handles_labels())
    return figure, (left, right)


# ------------------------------------------------------------------------------------------------


@each_alternative(globals())
def test_another_right_answer_earns_every_point(alternative):
    score = judged_alternative("sparse_linear", alternative, beside=NOTEBOOK)
    assert (score.points, score.messages) == (score.of, [])


PLOTS = [plot_run, plot_run_1, plot_run_2, plot_run_3]


@pytest.mark.filterwarnings("ignore:More than 20 figures")
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_other_figures_of_other_right_runs_earn_every_point(plot):
    X, y = sparse_regression.PROBLEM

    def titled(descent, strengths):
        figures = {s: plot(*descent(X, y, s)) for s in strengths}
        for s, figure in figures.items():
            figure = figure[0] if isinstance(figure, tuple) else figure
            figure.suptitle(rf"$\lambda = {s}$")
        return figures

    names = {
        "projected_figure": plot(*projected_descent_1(X, y)),
        "l1_figures": titled(l1_descent_1, (0.2, 0.5, 1, 2)),
        "proximal_figures": titled(proximal_descent_1, (0.2, 0.5, 1, 2)),
        "trimmed_figures": titled(trimmed_descent_1, (1, 2, 5, 10)),
    }
    for question in names:
        score = judged("sparse_linear", question, NOTEBOOK | {question: names[question]})
        assert (score.points, score.messages) == (score.of, [])


def bonus(**changed):
    """Return correct answers to the bonus whose strengths and ties differ from the reference."""
    X, y = (part[:2] for part in sparse_regression.PROBLEM)
    runs = {
        "projected": projected_descent_1(X, y),
        "l1": l1_descent_1(X, y, 0.05),
        "proximal": proximal_descent_1(X, y, 3),
        "trimmed": trimmed_descent_1(X, y, 2.5),
    }
    return {
        "two_point_settings": {"l1": 0.05, "proximal": 3, "trimmed": 2.5},
        "two_point_runs": runs,
        "two_point_figures": {method: plot_run_1(*run) for method, run in runs.items()},
    } | changed


@pytest.mark.parametrize("question", ["bonus_runs", "bonus_figures"])
def test_the_bonus_accepts_any_strength(question):
    score = judged("sparse_linear", question, NOTEBOOK | bonus())
    assert (score.points, score.messages) == (score.of, [])


@pytest.mark.parametrize("question", ["bonus_runs", "bonus_figures"])
def test_runs_with_three_points_or_other_strengths_lose_points_of_the_bonus(question):
    three = {m: f(*sparse_regression.PROBLEM) for m, f in (("projected", projected_descent_1),)}
    right = NOTEBOOK | bonus()
    wrong = right["two_point_runs"] | three
    score = judged("sparse_linear", question, right | {"two_point_runs": wrong})
    assert (score.points, len(score.messages)) == (0.75 * score.of, 1)
    settings = {"l1": 0.5, "proximal": 1, "trimmed": 10}
    score = judged("sparse_linear", question, right | {"two_point_settings": settings})
    assert (score.points, len(score.messages)) == (0.25 * score.of, 3)


@pytest.mark.parametrize("question", ["bonus_runs", "bonus_figures", "l1_figures"])
@pytest.mark.parametrize("strange", [None, 3.0, [], {}, {"l1": None, 0.2: 5}, "text"])
def test_strange_answers_earn_nothing_and_raise_nothing(question, strange):
    names = dict.fromkeys(
        ("two_point_settings", "two_point_runs", "two_point_figures", "l1_figures"), strange
    )
    score = judged("sparse_linear", question, NOTEBOOK | names)
    # The titles of the figures are a check of their own.
    assert (score.points, len(score.messages)) == (0, 5 if question == "l1_figures" else 4)


# ------------------------------------------------------------------------------------------------
# A mistake that other answers inherit


@pytest.mark.parametrize("mistake", ["factor_two_forgotten", "mean_gradient"])
@pytest.mark.parametrize(
    "run",
    [
        "gradient_descent",
        "projected_descent",
        "l1_descent",
        "proximal_descent",
        "trimmed_descent",
    ],
)
def test_runs_that_inherit_a_wrong_gradient_step_say_where_it_comes_from(run, mistake):
    (wrong,) = [m for m in misconceptions_in("sparse_linear") if m.name == mistake]
    names = {"np": np, "plt": plt}
    for name in with_alternatives(globals()):
        question = question_about("sparse_linear", name)
        exec(graded("sparse_linear", f"{question}_solution").source, names)
    exec(wrong.source, names)
    (check,) = judged("sparse_linear", question_about("sparse_linear", run), names).checks
    assert check.misconception is not None
    assert "`gradient_step`" in check.misconception.explanation
