"""Wrong solutions of `sparse_linear`, as students write them.

Each makes one mistake and is otherwise right. Where a wrong solution calls the answer to another
question (`gradient_step` in `projected_descent`, say), it calls the reference's function here, and
the student's own in a notebook.

If two mistakes give the same answers on some inputs, the one that shows on fewer inputs comes
first: an answer that is wrong on those inputs alone fits both, and the rarer mistake explains it.
"""

# Students write no type hints.
# mypy: allow-untyped-defs

import numpy as np
from matplotlib import pyplot as plt

from autograder.misconceptions import misconception
from helpers.reference.sparse_linear import sparse_figures, sparse_regression
from helpers.reference.sparse_linear.sparse_regression import (
    gradient_step,
    keep_largest,
    log10_loss,
    loss,
    soft_threshold,
    trimmed_threshold,
)

# ------------------------------------------------------------------------------------------------
# sparse_regression.loss


@misconception(of=sparse_regression.loss)
def mean_instead_of_sum(X, y, w):
    """You average the squared residuals.

    Many libraries do that, but the loss of this notebook is their sum: it grows with every data
    point.
    """
    return np.mean((X @ w - y) ** 2)


@misconception(of=sparse_regression.loss)
def half_the_sum(X, y, w):
    """You halve the sum of squares.

    The half is a convention that cancels the 2 of the derivative. This loss is defined without it,
    so the 2 has to stay.
    """
    return 0.5 * np.sum((X @ w - y) ** 2)


@misconception(of=sparse_regression.loss)
def norm_without_square(X, y, w):
    """You take the length of the residual vector, which is the square root of the loss.

    `np.linalg.norm` takes a square root at the end, and the sum of squares does not.
    """
    return np.linalg.norm(X @ w - y)


# ------------------------------------------------------------------------------------------------
# sparse_regression.gradient_step


@misconception(of=sparse_regression.gradient_step)
def factor_two_forgotten(X, y, w, rate):
    """You lost the factor 2 that comes from the derivative of a square.

    Your steps point the right way but are only half as long. Differentiate one squared residual
    with the chain rule.
    """
    return w - rate * X.T @ (X @ w - y)


@misconception(of=sparse_regression.gradient_step)
def mean_gradient(X, y, w, rate):
    """You divide the gradient by the number of data points.

    That is the gradient of the mean squared error. This loss is a sum, so the contributions of the
    data points are added up.
    """
    return w - rate * 2 * X.T @ (X @ w - y) / len(y)


@misconception(of=sparse_regression.gradient_step)
def step_uphill(X, y, w, rate):
    """You step along the gradient, which points uphill.

    The loss falls in the opposite direction: check the sign, and whether your residual is
    prediction minus target or the other way round.
    """
    return w + rate * 2 * X.T @ (X @ w - y)


@misconception(of=sparse_regression.gradient_step)
def one_sample_after_the_other(X, y, w, rate):
    """You update the weights after every data point, so the next one sees changed weights.

    A full-batch step evaluates the gradients of all data points at the same weights and moves once.
    """
    w = w.copy()
    for i in range(len(y)):
        w = w - rate * 2 * (X[i] @ w - y[i]) * X[i]
    return w


# ------------------------------------------------------------------------------------------------
# sparse_regression.gradient_descent


@misconception(of=sparse_regression.gradient_descent)
def start_not_recorded(X, y, rate=0.02, steps=200):
    """Your run begins after the first step.

    The starting point counts too: 200 steps have 201 points, and row 0 holds the zeros that you
    started from.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [], []
    for _ in range(steps):
        w = gradient_step(X, y, w, rate)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.gradient_descent)
def a_step_per_sample(X, y, rate=0.02, steps=200):
    """You make an update for every data point, which turns 200 steps into 600.

    That is stochastic gradient descent with batches of one. A full-batch step uses all data points
    and changes the weights once.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        for i in range(len(y)):
            w = gradient_step(X[i : i + 1], y[i : i + 1], w, rate)
            weights.append(w)
            losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.gradient_descent)
def a_sweep_per_step(X, y, rate=0.02, steps=200):
    """You update the weights after every data point but record them only after the last one.

    The rows look like 200 steps but hide several updates each. A full-batch step adds up all
    gradients first and moves once.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        for i in range(len(y)):
            w = gradient_step(X[i : i + 1], y[i : i + 1], w, rate)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.gradient_descent)
def one_array_for_all_steps(X, y, rate=0.02, steps=200):
    """Your rows are all the same: you put one array into the list and went on changing it.

    `w -= ...` writes into the array that the list already holds. Append a copy, or make a new array
    in each step.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w -= rate * 2 * X.T @ (X @ w - y)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.gradient_descent)
def plain_steps_half_as_long(X, y, rate=0.02, steps=200):
    """Your steps are half as long as they should be.

    The derivative of a square has a factor 2, which is missing here or in your `gradient_step`.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = w - rate * X.T @ (X @ w - y)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.gradient_descent)
def plain_steps_averaged(X, y, rate=0.02, steps=200):
    """Your steps follow the mean of the squared residuals, here or in `gradient_step`.

    The loss is their sum: with three data points your gradient is a third of the right one.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = w - rate * 2 * X.T @ (X @ w - y) / len(y)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


# ------------------------------------------------------------------------------------------------
# sparse_regression.log10_loss


@misconception(of=sparse_regression.log10_loss)
def log10_of_zero(losses):
    """You take the logarithm of a loss of exactly zero, which gives -inf and a warning.

    A curve cannot show -inf, and an average that includes it is of no use. Mark such a step as
    missing: nan leaves a gap in the line.
    """
    return np.log10(losses)


@misconception(of=sparse_regression.log10_loss)
def zero_drawn_as_one(losses):
    """You give a loss of zero the logarithm 0, which is the logarithm of a loss of 1.

    The best step of all then looks like a bad one. Use nan, which says that there is no value.
    """
    return np.log10(np.where(losses > 0, losses, 1.0))


@misconception(of=sparse_regression.log10_loss)
def epsilon_added(losses):
    """You add a small number before taking the logarithm, so that no loss gets below it.

    The curve flattens out at that number as if the descent had stopped there. Treat only an exact
    zero as a special case.
    """
    return np.log10(losses + 1e-10)


@misconception(of=sparse_regression.log10_loss)
def natural_logarithm(losses):
    """You took the natural logarithm, `np.log`.

    Its values are 2.3 times as large. With `np.log10`, -3 stands for a loss of one thousandth.
    """
    return np.log(np.where(losses > 0, losses, np.nan))


# ------------------------------------------------------------------------------------------------
# sparse_figures.plot_run


@misconception(of=sparse_figures.plot_run)
def loss_on_a_plain_axis(weights, losses):
    """You draw the loss itself on a plain axis.

    After a few steps it is too small to be seen, and the last 27 powers of ten look like one flat
    line. Draw its logarithm, or use a logarithmic axis.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    left.plot(losses)
    left.set(title="Loss", xlabel="step", ylabel="loss")
    right.plot(weights, label=[f"w{j + 1}" for j in range(weights.shape[1])])
    right.set(title="Weights", xlabel="step", ylabel="weight")
    right.legend()
    return figure


@misconception(of=sparse_figures.plot_run)
def logarithm_taken_twice(weights, losses):
    """You draw log10 of the loss on an axis that is already logarithmic.

    Such an axis cannot show negative numbers, so the line ends where the loss falls below 1. One of
    the two is enough.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    left.plot(log10_loss(losses))
    left.set(title="Loss", xlabel="step", ylabel="log10 of the loss", yscale="log")
    right.plot(weights, label=[f"w{j + 1}" for j in range(weights.shape[1])])
    right.set(title="Weights", xlabel="step", ylabel="weight")
    right.legend()
    return figure


@misconception(of=sparse_figures.plot_run)
def steps_from_one(weights, losses):
    """Your steps begin at 1, so everything seems to happen one step late.

    Row 0 holds the weights before the first step and belongs at step 0.
    """
    steps = np.arange(1, len(losses) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    left.plot(steps, log10_loss(losses))
    left.set(title="Loss", xlabel="step", ylabel="log10 of the loss")
    right.plot(steps, weights, label=[f"w{j + 1}" for j in range(weights.shape[1])])
    right.set(title="Weights", xlabel="step", ylabel="weight")
    right.legend()
    return figure


@misconception(of=sparse_figures.plot_run)
def a_line_per_step(weights, losses):
    """You drew a line for every step instead of one for every weight.

    `plot` draws a line for each column. The weights of one step are a row, so pass the array as it
    is, without transposing it.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    left.plot(log10_loss(losses))
    left.set(title="Loss", xlabel="step", ylabel="log10 of the loss")
    right.plot(weights.T)
    right.set(title="Weights", xlabel="step", ylabel="weight")
    return figure


# ------------------------------------------------------------------------------------------------
# sparse_regression.keep_largest


@misconception(of=sparse_regression.keep_largest)
def largest_signed_values(w, count=2):
    """You rank the weights with their signs, so large negative weights are lost.

    A weight of -3 matters more than one of 1: rank the absolute values.
    """
    kept = np.argsort(w)[-count:]
    projected = np.zeros_like(w)
    projected[kept] = w[kept]
    return projected


@misconception(of=sparse_regression.keep_largest)
def smallest_kept(w, count=2):
    """You keep the smallest weights and set the others to zero.

    `argsort` sorts in ascending order, so the largest are at the end: the projection changes the
    vector as little as possible.
    """
    kept = np.argsort(np.abs(w))[:count]
    projected = np.zeros_like(w)
    projected[kept] = w[kept]
    return projected


@misconception(of=sparse_regression.keep_largest)
def as_many_removed_as_should_stay(w, count=2):
    """You set `count` weights to zero, but `count` is the number that should stay.

    If two of five weights are to stay, three have to go.
    """
    removed = np.argsort(np.abs(w))[:count]
    projected = w.copy()
    projected[removed] = 0
    return projected


@misconception(of=sparse_regression.keep_largest)
def shortened_vector(w, count=2):
    """You return only the kept weights, so nobody knows which weights they are.

    The vector keeps its length: the other weights are zeros in their places.
    """
    kept = np.sort(np.argsort(np.abs(w))[-count:])
    return w[kept]


# ------------------------------------------------------------------------------------------------
# sparse_regression.projected_descent


@misconception(of=sparse_regression.projected_descent)
def projected_at_the_end_only(X, y, rate=0.02, steps=200, count=2):
    """You run plain gradient descent and prune only once, at the end.

    The remaining weights then cannot make up for what is cut off. Projected gradient descent prunes
    after every step, so that the next step can repair the damage.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for step in range(steps):
        w = gradient_step(X, y, w, rate)
        if step == steps - 1:
            w = keep_largest(w, count)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.projected_descent)
def projected_before_the_step(X, y, rate=0.02, steps=200, count=2):
    """You prune first and take the gradient step afterwards.

    The step fills the zeros again, so none of your recorded weight vectors is sparse. Take the
    gradient step first, then project.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, keep_largest(w, count), rate)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.projected_descent)
def choice_made_once(X, y, rate=0.02, steps=200, count=2):
    """You choose the weights to keep after the first step and never again.

    The first step tells you little. Choose again after every step, so that a weight can come back.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    mask = keep_largest(gradient_step(X, y, w, rate), count) != 0
    for _ in range(steps):
        w = gradient_step(X, y, w, rate) * mask
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.projected_descent)
def loss_before_the_projection(X, y, rate=0.02, steps=200, count=2):
    """You record the loss between the gradient step and the projection.

    That is the loss of weights that you throw away. Compute it after the projection, from the
    weights that you record.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate)
        losses.append(loss(X, y, w))
        w = keep_largest(w, count)
        weights.append(w)
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.projected_descent)
def projected_steps_half_as_long(X, y, rate=0.02, steps=200, count=2):
    """Your gradient lacks its factor 2, here or in `gradient_step`.

    The projection is right, but each step before it is only half as long, and a shorter step keeps
    other weights.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = keep_largest(w - rate * X.T @ (X @ w - y), count)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.projected_descent)
def projected_steps_averaged(X, y, rate=0.02, steps=200, count=2):
    """You divide the gradient by the number of data points, here or in `gradient_step`.

    The loss is a sum, not a mean, so the steps before your projections are too short.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = keep_largest(w - rate * 2 * X.T @ (X @ w - y) / len(y), count)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


# ------------------------------------------------------------------------------------------------
# sparse_regression.l1_descent


@misconception(of=sparse_regression.l1_descent)
def penalty_in_the_loss(X, y, strength, rate=0.02, steps=200):
    """You record the loss with the penalty added.

    The figures compare how well the data are fitted under different strengths, so they need L
    alone. The penalty belongs in the step.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate) - rate * strength * np.sign(w)
        weights.append(w)
        losses.append(loss(X, y, w) + strength * np.abs(w).sum())
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def penalty_without_the_rate(X, y, strength, rate=0.02, steps=200):
    """You subtract the strength times the sign, without the learning rate.

    The penalty is part of the objective, so its gradient is multiplied by the rate, just like the
    gradient of L. Yours is 50 times too strong at a rate of 0.02.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate) - strength * np.sign(w)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def squared_penalty(X, y, strength, rate=0.02, steps=200):
    """You use the gradient of the squared weights, which is weight decay.

    It pulls less and less as a weight gets small. The slope of the absolute value has the same size
    everywhere except at zero: it is a sign.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate) - rate * strength * 2 * w
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def penalty_value_as_gradient(X, y, strength, rate=0.02, steps=200):
    """You subtract the absolute values themselves instead of their derivative.

    A negative weight is then pushed away from zero. Which number is the slope of |w| to the left of
    zero, and which to the right?
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate) - rate * strength * np.abs(w)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def sign_after_the_step(X, y, strength, rate=0.02, steps=200):
    """You take the signs after the gradient step, but the gradient before it.

    A subgradient step evaluates both parts of the objective at the same weights, those before the
    step.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate)
        w = w - rate * strength * np.sign(w)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def l1_steps_half_as_long(X, y, strength, rate=0.02, steps=200):
    """Your gradient of L lacks its factor 2, here or in `gradient_step`.

    Compared with it, the penalty then counts twice as much as it should, and the run ends
    elsewhere.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = w - rate * X.T @ (X @ w - y) - rate * strength * np.sign(w)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.l1_descent)
def l1_steps_averaged(X, y, strength, rate=0.02, steps=200):
    """You divide the gradient of L by the number of data points, here or in `gradient_step`.

    The loss is a sum, not a mean. Compared with a mean, the same penalty weighs too much.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = w - rate * 2 * X.T @ (X @ w - y) / len(y) - rate * strength * np.sign(w)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


# ------------------------------------------------------------------------------------------------
# sparse_regression.cut_small


@misconception(of=sparse_regression.cut_small)
def negative_weights_cut(w, threshold):
    """You compare the weights with their signs, so every negative weight is cut.

    A weight of -3 is far from zero: compare the absolute value with the threshold.
    """
    return np.where(w > threshold, w, 0.0)


@misconception(of=sparse_regression.cut_small)
def large_weights_cut(w, threshold):
    """You cut the large weights and keep the small ones.

    The cut should remove what the zigzag has left near zero.
    """
    return np.where(np.abs(w) > threshold, 0.0, w)


@misconception(of=sparse_regression.cut_small)
def shrunk_instead_of_cut(w, threshold):
    """You move the weights that stay towards zero by the threshold.

    That is the soft threshold of Section 5. This cut leaves them as they are.
    """
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0.0)


@misconception(of=sparse_regression.cut_small)
def small_weights_left_out(w, threshold):
    """You return only the weights that stay, so nobody knows which weights they are.

    The vector keeps its length: a weight that is cut becomes zero in its place.
    """
    return w[np.abs(w) > threshold]


# ------------------------------------------------------------------------------------------------
# sparse_regression.soft_threshold


@misconception(of=sparse_regression.soft_threshold)
def hard_instead_of_soft(w, threshold):
    """You set small weights to zero and leave the others as they are: that is hard thresholding.

    Soft thresholding moves the large weights towards zero as well, by the threshold.
    """
    return np.where(np.abs(w) > threshold, w, 0.0)


@misconception(of=sparse_regression.soft_threshold)
def carried_beyond_zero(w, threshold):
    """You subtract the threshold from small weights too, which carries them beyond zero.

    A weight whose magnitude is below the threshold becomes zero. These exact zeros are the whole
    point.
    """
    return w - threshold * np.sign(w)


@misconception(of=sparse_regression.soft_threshold)
def sign_lost(w, threshold):
    """You lose the sign: negative weights become positive.

    Shrink the magnitude, then give each weight its sign back.
    """
    return np.maximum(np.abs(w) - threshold, 0.0)


@misconception(of=sparse_regression.soft_threshold)
def clipped_at_the_threshold(w, threshold):
    """You clip the weights to the threshold, which keeps small weights and cuts large ones.

    That is the part that soft thresholding takes away: its result is what is left of the weight.
    """
    return np.clip(w, -threshold, threshold)


# ------------------------------------------------------------------------------------------------
# sparse_regression.proximal_descent


@misconception(of=sparse_regression.proximal_descent)
def threshold_without_the_rate(X, y, strength, rate=0.02, steps=200):
    """Your threshold is the strength itself.

    A step of length `rate` may shrink a weight by `rate * strength`, as the subgradient step does:
    a strength of 0.5 gives a threshold of 0.01.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = soft_threshold(gradient_step(X, y, w, rate), strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.proximal_descent)
def threshold_before_the_step(X, y, strength, rate=0.02, steps=200):
    """You apply the threshold first and take the gradient step afterwards.

    The step changes the zeros again before they are recorded. Take the gradient step first, then
    apply the threshold.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, soft_threshold(w, rate * strength), rate)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.proximal_descent)
def penalised_twice(X, y, strength, rate=0.02, steps=200):
    """You subtract the subgradient of the penalty and apply the threshold as well.

    The penalty then acts twice. In a proximal step the gradient is that of L alone, and the
    threshold takes care of the penalty.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        v = gradient_step(X, y, w, rate) - rate * strength * np.sign(w)
        w = soft_threshold(v, rate * strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.proximal_descent)
def hard_threshold_in_the_step(X, y, strength, rate=0.02, steps=200):
    """Your steps use a hard threshold: small weights go to zero, and the others do not move.

    The proximal step of the L1 penalty is the soft threshold, which shrinks every weight.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, w, rate)
        w = np.where(np.abs(w) > rate * strength, w, 0.0)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.proximal_descent)
def proximal_steps_half_as_long(X, y, strength, rate=0.02, steps=200):
    """Your gradient of L lacks its factor 2, here or in `gradient_step`.

    The threshold is right for a full step; after half a step it takes away too much.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = soft_threshold(w - rate * X.T @ (X @ w - y), rate * strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.proximal_descent)
def proximal_steps_averaged(X, y, strength, rate=0.02, steps=200):
    """You divide the gradient of L by the number of data points, here or in `gradient_step`.

    The loss is a sum. Your threshold is right for full steps, not for averaged ones.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = soft_threshold(w - rate * 2 * X.T @ (X @ w - y) / len(y), rate * strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


# ------------------------------------------------------------------------------------------------
# sparse_regression.trimmed_threshold


@misconception(of=sparse_regression.trimmed_threshold)
def largest_penalised(w, threshold, free=2):
    """You let the smallest weights go free and shrink the largest.

    It should be the other way round: large weights carry the fit and should keep their size, and
    small ones should vanish.
    """
    order = np.argsort(np.abs(w))
    shrunk = w.copy()
    shrunk[order[free:]] = soft_threshold(w[order[free:]], threshold)
    return shrunk


@misconception(of=sparse_regression.trimmed_threshold)
def as_many_penalised_as_go_free(w, threshold, free=2):
    """You shrink the `free` smallest weights, but `free` is the number without a penalty.

    If two of five weights are free, three are shrunk.
    """
    order = np.argsort(np.abs(w))
    shrunk = w.copy()
    shrunk[order[:free]] = soft_threshold(w[order[:free]], threshold)
    return shrunk


@misconception(of=sparse_regression.trimmed_threshold)
def smallest_signed_values(w, threshold, free=2):
    """You rank the weights with their signs, so a large negative weight counts as small.

    The smallest weights are those nearest to zero: rank the absolute values.
    """
    order = np.argsort(w)
    penalised = order[: len(w) - free]
    shrunk = w.copy()
    shrunk[penalised] = soft_threshold(w[penalised], threshold)
    return shrunk


@misconception(of=sparse_regression.trimmed_threshold)
def smallest_set_to_zero(w, threshold, free=2):
    """You set the smallest weights to zero, whatever their size.

    That is the projection of Section 3. Trimmed L1 moves them towards zero by the threshold, so
    that a small weight can still grow.
    """
    return keep_largest(w, free)


# ------------------------------------------------------------------------------------------------
# sparse_regression.trimmed_descent


@misconception(of=sparse_regression.trimmed_descent)
def ranked_before_the_step(X, y, strength, rate=0.02, steps=200, free=2):
    """You rank the weights before the gradient step and shrink them after it.

    The threshold acts on the weights after the gradient step, so rank those: the step may have
    changed their order.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        penalised = np.argsort(-np.abs(w), kind="stable")[free:]
        w = gradient_step(X, y, w, rate)
        w[penalised] = soft_threshold(w[penalised], rate * strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.trimmed_descent)
def trimmed_without_the_rate(X, y, strength, rate=0.02, steps=200, free=2):
    """Your threshold is the strength itself.

    A step of length `rate` may shrink a weight by `rate * strength`: a strength of 5 gives a
    threshold of 0.1.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = trimmed_threshold(gradient_step(X, y, w, rate), strength, free)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.trimmed_descent)
def trimmed_before_the_step(X, y, strength, rate=0.02, steps=200, free=2):
    """You apply the threshold first and take the gradient step afterwards.

    The step changes the zeros again before they are recorded. Take the gradient step first, then
    apply the threshold.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = gradient_step(X, y, trimmed_threshold(w, rate * strength, free), rate)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.trimmed_descent)
def nobody_goes_free(X, y, strength, rate=0.02, steps=200, free=2):
    """You shrink all weights, which is plain L1.

    Trimming removes its bias: the `free` largest weights are not touched.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = soft_threshold(gradient_step(X, y, w, rate), rate * strength)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.trimmed_descent)
def trimmed_steps_half_as_long(X, y, strength, rate=0.02, steps=200, free=2):
    """Your gradient of L lacks its factor 2, here or in `gradient_step`.

    Half a step followed by a full threshold holds the small weights down for too long.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = trimmed_threshold(w - rate * X.T @ (X @ w - y), rate * strength, free)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


@misconception(of=sparse_regression.trimmed_descent)
def trimmed_steps_averaged(X, y, strength, rate=0.02, steps=200, free=2):
    """You divide the gradient of L by the number of data points, here or in `gradient_step`.

    The loss is a sum. With averaged steps, a weight seldom gets above the threshold.
    """
    w = np.zeros(X.shape[1])
    weights, losses = [w], [loss(X, y, w)]
    for _ in range(steps):
        w = trimmed_threshold(w - rate * 2 * X.T @ (X @ w - y) / len(y), rate * strength, free)
        weights.append(w)
        losses.append(loss(X, y, w))
    return np.array(weights), np.array(losses)


# ------------------------------------------------------------------------------------------------
# sparse_regression.lasso_alpha


@misconception(of=sparse_regression.lasso_alpha)
def alpha_taken_for_lambda(strength, points):
    """You pass the strength to scikit-learn as it is.

    Its Lasso divides the sum of squares by twice the number of data points, but not the penalty, so
    the same number penalises far more there.
    """
    return strength


@misconception(of=sparse_regression.lasso_alpha)
def divided_by_the_points_alone(strength, points):
    """You divide by the number of data points, but scikit-learn's loss carries a half as well.

    Divide both terms of your objective by the factor that turns its first term into 1/(2n) times
    the sum of squares.
    """
    return strength / points


@misconception(of=sparse_regression.lasso_alpha)
def multiplied_instead_of_divided(strength, points):
    """You multiply where you should divide.

    scikit-learn divides the sum of squares, so the penalty has to be divided by the same factor to
    keep the balance.
    """
    return strength * 2 * points
