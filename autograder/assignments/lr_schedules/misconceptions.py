"""Wrong solutions of `lr_schedules`, as students write them.

Each makes one mistake and is otherwise right. If two mistakes give the same answers on some inputs,
the one that shows on fewer inputs comes first: an answer that is wrong on those inputs alone fits
both, and the rarer mistake explains it.
"""

# Students write no type hints.
# mypy: allow-untyped-defs

import numpy as np

from autograder.misconceptions import misconception
from helpers.reference.lr_schedules import schedules, sharpness, smoothing

# ------------------------------------------------------------------------------------------------
# smoothing.moving_average


@misconception(of=smoothing.moving_average)
def zeros_before_the_beginning(values, window):
    """Your average always divides by the window, also where fewer values have been seen.

    That is as if the curve had been 0 before it began, so it starts far too low: divide by the
    number of values that you add.
    """
    padded = np.concatenate([np.zeros(window - 1), np.asarray(values, dtype=float)])
    return np.convolve(padded, np.ones(window) / window, mode="valid")


@misconception(of=smoothing.moving_average)
def shortened_curve(values, window):
    """Your curve is shorter than the one that you were given.

    Whoever draws it over the steps shifts it to the left by the missing ones: average over fewer
    values at the beginning, so that every step has its own.
    """
    window = min(window, len(values))
    return np.convolve(np.asarray(values, dtype=float), np.ones(window) / window, mode="valid")


@misconception(of=smoothing.moving_average)
def centred_window(values, window):
    """Your window lies around each value, so that it averages over later values too.

    A change then shows before it happens, and the last values cannot be known while a training
    runs: average each value with those before it.
    """
    values = np.asarray(values, dtype=float)
    before, after = (window - 1) // 2, window // 2
    return np.array([values[max(0, i - before) : i + after + 1].mean() for i in range(len(values))])


@misconception(of=smoothing.moving_average)
def own_value_left_out(values, window):
    """Your average of a step leaves out the step itself.

    The whole curve then comes one step late: the window ends with the value of the step, and
    includes it.
    """
    values = np.asarray(values, dtype=float)
    return np.array(
        [values[max(0, i - window) : i].mean() if i else values[0] for i in range(len(values))]
    )


# ------------------------------------------------------------------------------------------------
# schedules.warm_up


@misconception(of=schedules.warm_up)
def first_step_at_rate_zero(step, length):
    """Your warm-up begins at 0, so the first step changes no weight.

    Its gradient is computed for nothing, and the full rate comes one step late: divide `step + 1`
    by the length.
    """
    return min(1.0, step / length)


@misconception(of=schedules.warm_up)
def full_rate_never_reached(step, length):
    """Your warm-up never reaches the full rate.

    It ends just below 1 and stays there, so that the whole training has a smaller rate than was
    asked for: at step `length - 1` the factor is 1.
    """
    return min(step + 1, length) / (length + 1)


@misconception(of=schedules.warm_up)
def never_stops_warming_up(step, length):
    """Your factor goes on rising after the warm-up.

    The rate soon is a multiple of what was asked for: from step `length - 1` on, the factor has to
    stay at 1.
    """
    return (step + 1) / length


# ------------------------------------------------------------------------------------------------
# schedules.multistep


@misconception(of=schedules.multistep)
def one_step_after_the_milestone(step, milestones, gamma=0.1):
    """You lower the rate one step after the milestone.

    Steps are counted from 0, so step 100 is the first one after 100 steps, and it has the lower
    rate already: compare with `>=`, not with `>`.
    """
    return gamma ** sum(step > milestone for milestone in milestones)


@misconception(of=schedules.multistep)
def lowered_only_once(step, milestones, gamma=0.1):
    """You multiply by gamma once, however many milestones have been passed.

    The rate falls at the first milestone and then never again: multiply once for each milestone
    that the step has reached.
    """
    return gamma if any(step >= milestone for milestone in milestones) else 1.0


@misconception(of=schedules.multistep)
def gamma_subtracted(step, milestones, gamma=0.1):
    """You subtract gamma at each milestone in place of multiplying by it.

    The rate then falls by a tenth of its first value instead of to a tenth of the last one: the
    factor is a power of gamma.
    """
    return 1 - gamma * sum(step >= milestone for milestone in milestones)


@misconception(of=schedules.multistep)
def milestones_taken_for_a_period(step, milestones, gamma=0.1):
    """You lower the rate at every multiple of the first milestone.

    That is right only for milestones at equal distances, and only up to the last one: count the
    milestones that the step has reached.
    """
    return gamma ** (step // min(milestones))


@misconception(of=schedules.multistep)
def counted_in_epochs(step, milestones, gamma=0.1):
    """You divide the step by a number of steps per epoch before you compare it.

    Here both the step and the milestones are counted in steps, so the rate falls far too late:
    whoever calls the function converts epochs into steps.
    """
    return gamma ** sum(step // 80 >= milestone for milestone in milestones)


# ------------------------------------------------------------------------------------------------
# schedules.cosine


@misconception(of=schedules.cosine)
def cosine_without_the_half(step, total):
    """Your cosine is not divided by 2.

    The sum of 1 and a cosine goes from 2 to 0, so that the training begins with twice the rate that
    was asked for: halve it.
    """
    return 1 + np.cos(np.pi * min(step / total, 1.0))


@misconception(of=schedules.cosine)
def whole_period(step, total):
    """Your schedule goes through a whole period of the cosine.

    It reaches 0 in the middle of the training and rises again to the full rate: half a period,
    from 0 to pi, has to take all steps.
    """
    return (1 + np.cos(2 * np.pi * step / total)) / 2


@misconception(of=schedules.cosine)
def quarter_of_a_period(step, total):
    """Your schedule is a quarter of a period, from the top of the cosine to its zero.

    It ends at 0 too, but with its steepest slope, and its rate is too large before that: take half
    a period, raised by 1 and halved.
    """
    return np.cos(np.pi / 2 * min(step / total, 1.0))


@misconception(of=schedules.cosine)
def cosine_without_pi(step, total):
    """Your cosine gets the share of the steps without the factor pi.

    From 0 to 1 radian the cosine hardly falls, so the rate ends at three quarters of its first
    value: multiply the share by pi.
    """
    return (1 + np.cos(min(step / total, 1.0))) / 2


@misconception(of=schedules.cosine)
def cosine_of_degrees(step, total):
    """Your angle is in degrees, but the cosine expects radians.

    The rate then jumps up and down from step to step: half a period is pi, not 180.
    """
    return (1 + np.cos(180 * min(step / total, 1.0))) / 2


@misconception(of=schedules.cosine)
def straight_line(step, total):
    """Your schedule falls along a straight line.

    It begins and ends like the cosine and agrees with it in the middle. In between, the cosine
    stays longer near the full rate, and longer near 0.
    """
    return max(0.0, 1 - step / total)


# ------------------------------------------------------------------------------------------------
# schedules.one_cycle


@misconception(of=schedules.one_cycle)
def ends_where_it_began(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Your cycle ends at the factor with which it began.

    The last steps should take the rate far below the first one, so that the network settles: the
    second half goes down to `last`, not to `first`.
    """
    top = rising * total - 1
    if step <= top:
        return first + (1 - first) * (1 - np.cos(np.pi * step / top)) / 2
    return first + (1 - first) * (1 + np.cos(np.pi * (step - top) / (total - 1 - top))) / 2


@misconception(of=schedules.one_cycle)
def end_one_step_too_late(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Your cycle would end at step `total`, which does not exist.

    Steps are counted from 0, so that the last one is step `total - 1`; it has to get the factor
    `last`, and the top lies at `rising * total - 1`.
    """
    top = rising * total
    if step <= top:
        return first + (1 - first) * (1 - np.cos(np.pi * step / top)) / 2
    return last + (1 - last) * (1 + np.cos(np.pi * (step - top) / (total - top))) / 2


@misconception(of=schedules.one_cycle)
def straight_sides(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Your factor rises and falls along straight lines.

    The ends and the top are right, but the question asks for half a cosine on either side, which
    leaves the top and reaches the ends smoothly.
    """
    top = rising * total - 1
    if step <= top:
        return first + (1 - first) * step / top
    return 1 + (last - 1) * (step - top) / (total - 1 - top)


@misconception(of=schedules.one_cycle)
def top_in_the_middle(step, total, rising=0.3, first=1 / 25, last=1 / 250_000):
    """Your cycle has its top in the middle, whatever `rising` says.

    The rate should rise in the share `rising` of the steps and fall in all others: with 0.3, the
    way down is more than twice as long as the way up.
    """
    top = 0.5 * total - 1
    if step <= top:
        return first + (1 - first) * (1 - np.cos(np.pi * step / top)) / 2
    return last + (1 - last) * (1 + np.cos(np.pi * (step - top) / (total - 1 - top))) / 2


# ------------------------------------------------------------------------------------------------
# schedules.exponential


@misconception(of=schedules.exponential)
def grows_by_equal_amounts(step, total, lowest, highest):
    """Your rate grows by the same amount in every step.

    Nearly all steps then lie between a tenth of the highest rate and the highest, and none is left
    for the small ones: multiply by the same number in every step.
    """
    return lowest + (highest - lowest) * step / (total - 1)


@misconception(of=schedules.exponential)
def highest_rate_never_reached(step, total, lowest, highest):
    """Your rate does not reach the highest one.

    There are `total` steps but only `total - 1` ratios between them: divide the step by
    `total - 1`, so that the last step has the highest rate.
    """
    return lowest * (highest / lowest) ** (step / total)


# ------------------------------------------------------------------------------------------------
# sharpness.power_iteration


@misconception(of=sharpness.power_iteration)
def quotient_not_divided(hessian, start, steps):
    """You multiply the last vector by its product, but its length is not 1.

    The quotient of Rayleigh is divided by the squared length of the vector: without that, the
    result is too large by that factor.
    """
    v = start
    for _ in range(steps):
        v = hessian @ (v / v.norm())
    return float(v @ (hessian @ v))


@misconception(of=sharpness.power_iteration)
def length_for_the_eigenvalue(hessian, start, steps):
    """You return the length of the last product, which has no sign.

    If the eigenvalue of largest magnitude is negative, the vector flips in every step, and only
    the inner product with the vector before shows it: return that.
    """
    v = start / start.norm()
    for _ in range(steps):
        v = hessian @ v
        v = v / v.norm()
    return float((hessian @ v).norm())


@misconception(of=sharpness.power_iteration)
def divided_by_the_largest_entry(hessian, start, steps):
    """You divide by the largest entry of the vector in place of its length.

    The vector still turns the right way, but its length is not 1, so the inner product at the end
    is not the eigenvalue: divide by the length.
    """
    v = start / start.abs().max()
    for _ in range(steps):
        v = hessian @ v
        v = v / v.abs().max()
    return float(v @ (hessian @ v))


# ------------------------------------------------------------------------------------------------
# sharpness.stability_limit


@misconception(of=sharpness.stability_limit)
def momentum_left_out(lr, momentum):
    """Your limit is that of plain gradient descent, whatever the momentum.

    With momentum, a step also carries on the steps before it, and the limit moves: write down how
    a step changes the weight and the velocity together.
    """
    return 2 / lr


@misconception(of=sharpness.stability_limit)
def limit_of_heavy_ball(lr, momentum):
    """Your limit is that of the heavy ball, the momentum without Nesterov's look ahead.

    There, momentum raises the limit. Here `fit` adds the velocity to a gradient that already
    contains it, and at high curvature that makes each step longer.
    """
    return (2 + 2 * momentum) / lr


@misconception(of=sharpness.stability_limit)
def effective_rate(lr, momentum):
    """Your limit treats momentum as a rate that is larger by one over one minus momentum.

    That holds for a slope that stays the same. Where descent diverges, the slope changes its sign
    in every step, and the steps partly cancel each other.
    """
    return 2 * (1 - momentum) / lr
