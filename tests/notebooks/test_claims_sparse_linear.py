"""What the notebook `sparse_linear` says about its runs is true of its own solutions.

Each test is named after a claim of the text. The functions are those of its solution cells.
"""

import re
from functools import cache
from itertools import combinations
from math import comb

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.linear_model import Lasso, OrthogonalMatchingPursuit
from source_notebook import cells, defined, marks

from helpers.assignments.sparse_linear import plots

mpl.use("Agg")
from matplotlib import pyplot as plt

SPARSE = np.array([0, 3.0, 0, 0, -1])
RIGHT_PAIR = (1, 4)
SUPERFLUOUS = [0, 2, 3]
RATE = 0.02
L1 = (0.2, 0.5, 1.0, 2.0)
SETTLED = (0.5, 1.0, 2.0)
TRIMMED = (1.0, 2.0, 5.0, 10.0)


def text(cell_id):
    (cell,) = [c for c in cells("sparse_linear") if c.id == cell_id]
    return cell.source


@cache
def notebook():
    """Return what the solution cells of the notebook define, with its problem and its race."""
    names = {
        "np": np,
        "plt": plt,
        "plots": plots,
        "Lasso": Lasso,
        "OrthogonalMatchingPursuit": OrthogonalMatchingPursuit,
    }
    exec(text("problem"), names)
    for cell in cells("sparse_linear"):
        if marks(cell).get("solution") and defined(cell):
            exec(cell.source, names)
    return names


def problem(points=3):
    return notebook()["X"][:points], notebook()["y"][:points]


@cache
def run(method, *strength, points=3, **settings):
    return notebook()[method](*problem(points), *strength, **settings)


def plain():
    return run("gradient_descent")


def projected(points=3):
    return run("projected_descent", points=points)


def l1(strength, **settings):
    return run("l1_descent", strength, **settings)


def proximal(strength, **settings):
    return run("proximal_descent", strength, **settings)


def trimmed(strength, **settings):
    return run("trimmed_descent", strength, **settings)


def log(run, step=-1):
    return float(np.log10(run[1][step]))


def slope(w, points=3):
    X, y = problem(points)
    return 2 * X.T @ (X @ w - y)


def support(w):
    return tuple(np.flatnonzero(w).tolist())


def settles(run, pair):
    """Return the first step from which on only `pair` is not zero."""
    weights, _ = run
    last_other = max(k for k, w in enumerate(weights) if support(w) != pair)
    return last_other + 1


def first_below(run, exponent):
    return int(np.flatnonzero(run[1] < 10.0**exponent)[0])


# ------------------------------------------------------------------------------------------------
# The problem


def other_gradient_steps():
    """Yield right versions of the gradient step that round differently."""
    long = np.longdouble

    def with_more_digits(X, y, w, rate):
        return w - long(rate) * 2 * X.T.astype(long) @ (X @ w.astype(long) - y)

    yield lambda X, y, w, rate: w - rate * (2 * (X.T @ X) @ w - 2 * X.T @ y)
    yield (
        lambda X, y, w, rate: (
            w + 2 * rate * sum((t - row @ w) * row for row, t in zip(X, y, strict=True))
        )
    )
    yield (
        lambda X, y, w, rate: (
            w - 2 * rate * ((X[::-1, ::-1] @ w[::-1] - y[::-1]) @ X[::-1, ::-1])[::-1]
        )
    )
    yield lambda X, y, w, rate: w - rate * (2 * (X @ w - y)[:, None] * X).sum(axis=0)
    yield lambda X, y, w, rate: w - 2 * X.T @ (X @ w - y) * rate
    yield with_more_digits


def test_six_right_versions_of_the_step_differ_by_at_most_2e_14(monkeypatch):
    settings = [("gradient_descent",), ("projected_descent",)]
    settings += [(method, s) for method in ("l1_descent", "proximal_descent") for s in L1]
    settings += [("trimmed_descent", s) for s in TRIMMED]
    ours = [run(*setting)[0] for setting in settings]
    versions = list(other_gradient_steps())
    assert len(versions) == 6
    for version in versions:
        monkeypatch.setitem(notebook(), "gradient_step", version)
        for (method, *strength), right in zip(settings, ours, strict=True):
            found, _ = notebook()[method](*problem(), *strength)
            assert np.abs(found - right).max() <= 2e-14
    assert "in at least 12 decimal places" in text("problem-heading")


# ------------------------------------------------------------------------------------------------
# Plain and projected descent


def test_the_loss_falls_from_51_to_1e_29():
    assert plain()[1][0] == 51
    assert np.log10(51) == pytest.approx(1.7, abs=0.05)
    assert log(plain()) == pytest.approx(-29, abs=1.5)


def test_after_some_ten_steps_the_loss_falls_by_the_same_factor_in_every_step():
    factors = plain()[1][1:] / plain()[1][:-1]
    assert np.ptp(factors[10:120]) < 1e-3


def test_the_floor_is_reached_by_step_170():
    assert log(plain(), 150) > -27
    assert np.log10(plain()[1][170:]).max() < -29


def test_plain_descent_ends_at_five_nonzeros():
    assert plain()[0][-1] == pytest.approx([-0.75, 2.39, -0.12, 0.03, -1.56], abs=0.006)


def test_gradient_descent_from_zero_reaches_the_shortest_solution():
    assert plain()[0][-1] == pytest.approx(np.linalg.lstsq(*problem(), rcond=None)[0], abs=1e-12)


def test_projection_is_optimal_and_sparse():
    assert projected()[0][-1] == pytest.approx(SPARSE, abs=1e-12)
    assert log(projected()) == pytest.approx(-29, abs=1.5)
    assert (projected()[0] == 0).sum(axis=1).min() >= 3


def test_projection_drops_w1_for_w5_at_step_7_and_keeps_its_choice():
    weights = projected()[0]
    assert [support(w) for w in weights[1:7]] == [(0, 1)] * 6
    assert {support(w) for w in weights[7:]} == {RIGHT_PAIR}
    moved = notebook()["gradient_step"](*problem(), weights[6], RATE)
    assert moved[[0, 4]] == pytest.approx([-0.28, -0.30], abs=0.005)


# ------------------------------------------------------------------------------------------------
# L1 by subgradients


def test_a_stronger_l1_penalty_ends_at_a_higher_loss():
    ends = [log(l1(s)) for s in L1]
    assert ends == pytest.approx([-2.16, -1.62, -0.97, -0.44], abs=0.006)
    assert ends == sorted(ends)


def test_superfluous_weights_stay_near_zero_from_steps_39_81_and_159_on():
    def near_zero_from(strength):
        far = np.abs(l1(strength)[0][:, SUPERFLUOUS]).max(axis=1) > 2 * RATE * strength
        return int(np.flatnonzero(far)[-1]) + 1

    assert [near_zero_from(s) for s in (2.0, 1.0, 0.5)] == [39, 81, 159]


def test_with_strength_02_the_run_is_not_finished_after_200_steps():
    assert l1(0.2)[0][-1, 0] == pytest.approx(-0.37, abs=0.006)
    assert l1(0.2, steps=2000)[0][-1, 0] == pytest.approx(0, abs=2 * RATE * 0.2)


@pytest.mark.parametrize("strength", L1)
def test_no_weight_of_a_subgradient_run_is_ever_exactly_zero(strength):
    assert (l1(strength)[0][1:] != 0).all()


@pytest.mark.parametrize("strength", SETTLED)
@pytest.mark.parametrize("rate", [RATE, RATE / 10])
def test_the_zigzag_is_about_two_rates_times_strengths_wide(strength, rate):
    weights, _ = l1(strength, rate=rate, steps=round(200 * RATE / rate))
    widths = np.ptp(weights[-24:, SUPERFLUOUS], axis=0)
    # At a tenth of the rate, 24 steps see not quite all of the zigzag.
    assert (widths > 1.6 * rate * strength).all()
    assert (widths < 2.1 * rate * strength).all()


def test_w4_zigzags_over_8_hundredths_at_strength_2():
    w4 = l1(2.0)[0][176:, 3]
    assert np.ptp(w4) == pytest.approx(0.08, abs=0.001)
    assert np.abs(w4).max() < 0.06  # the axis of the figure
    assert (np.sign(w4[1:]) != np.sign(w4[:-1])).mean() > 0.5


def test_w4_zigzags_over_less_than_a_hundredth_at_strength_02():
    w4 = l1(0.2)[0][176:, 3]
    assert np.ptp(w4) < 0.01
    assert w4.min() < 0 < w4.max()


def left(strength, threshold, last=24):
    """Return which weights a cut after each of the last steps leaves."""
    return [support(notebook()["cut_small"](w, threshold)) for w in l1(strength)[0][-last:]]


@pytest.mark.parametrize("strength", SETTLED)
def test_a_cut_above_the_zigzag_leaves_the_two_weights_that_projection_finds(strength):
    assert set(left(strength, 2 * RATE * strength)) == {support(projected()[0][-1])}


@pytest.mark.parametrize("strength", L1)
def test_a_cut_at_the_zigzags_own_step_depends_on_when_it_is_made(strength):
    assert len({len(pair) for pair in left(strength, RATE * strength)}) > 1


@pytest.mark.parametrize("strength", L1)
def test_a_cut_at_1e_4_removes_next_to_nothing(strength):
    assert min(map(len, left(strength, 1e-4))) >= 4
    assert np.mean([len(pair) for pair in left(strength, 1e-4)]) > 4.7


def test_the_cut_fails_for_strength_02():
    assert all(0 in pair for pair in left(0.2, 2 * RATE * 0.2))


def test_a_cut_repairs_no_bias():
    cut = notebook()["cut_small"](l1(2.0)[0][-1], 2 * RATE * 2.0)
    assert cut == pytest.approx([0, 2.78, 0, 0, -0.84], abs=0.006)


# ------------------------------------------------------------------------------------------------
# L1 by proximal steps


@pytest.mark.parametrize("strength", SETTLED)
def test_superfluous_weights_of_proximal_runs_become_zero_and_stay_zero(strength):
    assert settles(proximal(strength), RIGHT_PAIR) <= 162
    assert not proximal(strength)[0][176:, 3].any()


def test_with_strength_02_only_w4_is_zero_so_far():
    assert support(proximal(0.2)[0][-1]) == (0, 1, 2, 4)
    assert not proximal(0.2)[0][176:, 3].any()
    assert support(proximal(0.2, steps=2000)[0][-1]) == RIGHT_PAIR


def test_proximal_losses_end_near_the_same_level():
    assert [log(proximal(s)) for s in L1] == pytest.approx([-2.18, -1.64, -1.04, -0.44], abs=0.006)
    for s in L1:
        assert log(proximal(s)) == pytest.approx(log(l1(s)), abs=0.07)


@pytest.mark.parametrize(("strength", "step"), [(2.0, 39), (1.0, 81), (0.5, 159)])
def test_proximal_runs_settle_after_about_as_many_steps(strength, step):
    assert settles(proximal(strength), RIGHT_PAIR) == pytest.approx(step, abs=5)


def test_strength_2_ends_at_2_80_and_minus_0_83():
    assert proximal(2.0)[0][-1] == pytest.approx([0, 2.80, 0, 0, -0.83], abs=0.006)


@pytest.mark.parametrize("strength", L1)
def test_the_bias_is_lambda_over_10_and_over_12_and_the_loss_11_over_120_lambda_squared(strength):
    weights, losses = proximal(strength, steps=2000)
    bias = strength * np.array([0, -1 / 10, 0, 0, 1 / 12])
    assert weights[-1] == pytest.approx(SPARSE + bias, abs=1e-9)
    assert losses[-1] == pytest.approx(11 / 120 * strength**2)


@pytest.mark.parametrize("strength", SETTLED)
def test_subgradient_runs_swing_around_the_same_minimum(strength):
    swings = l1(strength, steps=2000)[0][-500:]
    assert np.abs(swings - proximal(strength, steps=2000)[0][-1]).max() < 2 * RATE * strength


@pytest.mark.parametrize("strength", L1)
def test_scikit_learn_finds_the_limits_of_the_proximal_runs(strength):
    alpha = notebook()["lasso_alpha"](strength, 3)
    lasso = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12).fit(*problem())
    assert proximal(strength, steps=2000)[0][-1] == pytest.approx(lasso.coef_, abs=5e-5)


# ------------------------------------------------------------------------------------------------
# Trimmed L1


@pytest.mark.parametrize("strength", TRIMMED)
def test_trimmed_l1_has_no_bias(strength):
    assert trimmed(strength)[0][-1] == pytest.approx(SPARSE, abs=1e-12)


def test_trimmed_l1_settles_after_76_39_16_and_8_steps():
    assert [settles(trimmed(s), RIGHT_PAIR) for s in TRIMMED] == [76, 39, 16, 8]


def test_log10_of_the_loss_falls_below_minus_27_at_steps_150_153_and_171():
    assert first_below(projected(), -27) == 150
    assert [first_below(trimmed(s), -27) for s in (10.0, 5.0, 2.0)] == [150, 153, 171]


def test_strength_1_is_at_minus_26_3_and_needs_four_steps_more():
    assert log(trimmed(1.0)) == pytest.approx(-26.3, abs=0.05)
    assert first_below(trimmed(1.0, steps=210), -27) == 204


def test_trimmed_l1_ends_at_minus_29_where_l1_stopped_at_minus_2_to_minus_0_4():
    assert [log(trimmed(s)) for s in TRIMMED[1:]] == pytest.approx([-29] * 3, abs=1.5)


def test_at_step_5_projection_has_the_higher_loss():
    assert log(projected(), 5) == pytest.approx(1.1, abs=0.05)
    levels = [log(trimmed(s), 5) for s in TRIMMED]
    assert (min(levels), max(levels)) == pytest.approx((0.6, 0.9), abs=0.05)


def test_at_step_5_trimmed_l1_has_three_to_five_nonzeros_and_projection_two():
    counts = [np.count_nonzero(trimmed(s)[0][5]) for s in TRIMMED]
    assert (min(counts), max(counts)) == (3, 5)
    assert {np.count_nonzero(w) for w in projected()[0][1:]} == {2}


def test_by_step_20_only_strength_10_is_below_projection():
    assert log(projected(), 20) == pytest.approx(-1.85, abs=0.006)
    assert log(trimmed(10.0), 20) == pytest.approx(-1.95, abs=0.006)
    assert [s for s in TRIMMED if log(trimmed(s), 20) < log(projected(), 20)] == [10.0]


def test_a_larger_threshold_resembles_projection_more():
    apart = [np.abs(trimmed(s)[0] - projected()[0]).sum() for s in TRIMMED]
    assert apart == sorted(apart, reverse=True)


@pytest.mark.parametrize("name", ["projected", 2.0, 5.0, 10.0])
def test_the_loss_falls_by_0_64_in_every_step_in_the_end(name):
    _, losses = projected() if name == "projected" else trimmed(name)
    assert losses[101:121] / losses[100:120] == pytest.approx([0.64] * 20, abs=0.001)


def test_the_gaps_of_w2_and_w5_close_by_0_8_and_0_76():
    gaps = projected()[0][:, RIGHT_PAIR] - SPARSE[list(RIGHT_PAIR)]
    assert gaps[21:60] / gaps[20:59] == pytest.approx(np.full((39, 2), [0.8, 0.76]), abs=1e-6)


def overview():
    return [plain(), projected(), l1(1.0), proximal(1.0), trimmed(1.0), trimmed(10.0)]


def test_the_overview_has_six_curves_and_six_names():
    names = re.findall(r'^    "(.+?)": ', text("trimmed_overview"), re.MULTILINE)
    assert len(names) == len(overview()) == 6
    assert "The losses of six runs" in text("trimmed-overview-heading")
    assert 'title="Six runs of the five methods"' in text("trimmed_overview")


def test_projection_is_highest_in_the_first_steps_and_crosses_others_later():
    losses = np.array([losses[:31] for _, losses in overview()])
    assert losses[:, 0].tolist() == [51] * 6
    assert (losses[:, 1:6].argmax(axis=0) == 1).all()
    assert (losses[1, 30] < losses[:, 30]).sum() >= 3


def test_l1_levels_off_at_a_loss_of_about_0_1():
    assert [l1(1.0)[1][-1], proximal(1.0)[1][-1]] == pytest.approx([0.1, 0.1], abs=0.01)


def test_strength_1_is_about_50_steps_behind():
    later = first_below(trimmed(1.0, steps=210), -20) - first_below(projected(), -20)
    assert later == pytest.approx(50, abs=5)


# ------------------------------------------------------------------------------------------------
# The race


@pytest.fixture(scope="module")
def race():
    """Run the race of the notebook; return whether each problem was solved, and the errors."""
    names = dict(notebook())
    exec(text("larger_race"), names)
    return names["recovered"], names["errors"]


def hits(race, method, k):
    return sum(race[0][method][k])


def standard_error(race, *methods, k):
    shares = [hits(race, method, k) / 20 for method in methods]
    return 20 * np.sqrt(sum(p * (1 - p) / 20 for p in shares))


LASSO, OMP = "Lasso (scikit-learn)", "OMP (scikit-learn)"
PROXIMAL, TRIMMED_L1 = "L1, proximal", "trimmed L1"


@pytest.mark.slow
def test_projection_fails_first(race):
    for k in (2, 4, 6, 8):
        assert hits(race, "projected", k) == min(hits(race, method, k) for method in race[0])
    assert hits(race, "projected", 8) == 6


@pytest.mark.slow
def test_omp_finds_16_of_20_with_8_and_never_more_than_4_from_12_on(race):
    assert hits(race, OMP, 8) == 16
    assert max(hits(race, OMP, k) for k in (12, 14, 16, 20)) <= 4


@pytest.mark.slow
def test_l1_finds_the_right_weights_with_an_error_of_some_percent(race):
    for method in (PROXIMAL, LASSO):
        for k in (1, 2, 4, 6, 8, 10):
            assert hits(race, method, k) >= 18
            assert 0.02 < np.median(race[1][method][k]) < 0.06


@pytest.mark.slow
def test_proximal_and_lasso_lie_together_up_to_10(race):
    for k in (1, 2, 4, 6, 8, 10):
        ours, theirs = (np.median(race[1][method][k]) for method in (PROXIMAL, LASSO))
        assert ours == pytest.approx(theirs, rel=0.02)
    assert any(hits(race, PROXIMAL, k) < hits(race, LASSO, k) for k in (12, 14, 16, 20))


@pytest.mark.slow
def test_trimmed_l1_finds_at_least_as_many_as_any_other_method(race):
    for k in race[0][TRIMMED_L1]:
        assert hits(race, TRIMMED_L1, k) == max(hits(race, method, k) for method in race[0])


@pytest.mark.slow
def test_where_trimmed_l1_finds_them_the_error_falls_towards_rounding_error(race):
    for k in (1, 2, 4, 6, 8, 10, 12, 14, 16):
        found = np.array(race[0][TRIMMED_L1][k])
        assert np.median(np.array(race[1][TRIMMED_L1][k])[found]) < 1e-8


@pytest.mark.slow
def test_the_lead_of_trimmed_l1_over_projection_is_far_larger_than_the_error_bars(race):
    for k in (6, 8, 10, 12, 14, 16):
        lead = hits(race, TRIMMED_L1, k) - hits(race, "projected", k)
        assert lead > 4 * standard_error(race, TRIMMED_L1, "projected", k=k)


@pytest.mark.slow
def test_the_lead_of_trimmed_l1_over_lasso_is_less_than_two_standard_errors(race):
    for k in race[0][LASSO]:
        lead = hits(race, TRIMMED_L1, k) - hits(race, LASSO, k)
        assert lead <= 3
        assert lead == 0 or lead < 2 * standard_error(race, TRIMMED_L1, LASSO, k=k)


@pytest.mark.slow
def test_with_20_nonzeros_no_method_finds_more_than_4(race):
    assert max(hits(race, method, 20) for method in race[0]) == 4
    assert f"{comb(80, 20):.1e}" == "3.5e+18"


@pytest.mark.slow
def test_the_median_error_is_at_most_1e_8_where_most_problems_are_solved(race):
    for method in ("projected", OMP, TRIMMED_L1):
        solved = [k for k in race[0][method] if hits(race, method, k) > 10]
        medians = [np.median(race[1][method][k]) for k in solved]
        assert max(medians) < 1e-8
        assert np.mean(np.array(medians) < 1e-15) > 0.5


@pytest.mark.slow
def test_the_error_is_30_to_100_percent_where_most_problems_fail(race):
    for method, found in race[0].items():
        for k in found:
            if hits(race, method, k) < 10:
                assert 0.295 < np.median(race[1][method][k]) < 1.005


def test_columns_have_a_length_of_about_1():
    names = dict(notebook())
    exec(text("larger_race").partition("recovered, errors")[0], names)
    lengths = np.linalg.norm(names["sparse_problem"](8, 0)[0], axis=0)
    assert lengths.mean() == pytest.approx(1, abs=0.05)


# ------------------------------------------------------------------------------------------------
# Concepts


@pytest.mark.parametrize("strength", L1)
def test_at_rest_the_distance_to_v_does_not_vanish_and_stands_for_the_slope(strength):
    w = proximal(strength, steps=2000)[0][-1]
    v = notebook()["gradient_step"](*problem(), w, RATE)
    assert v - w == pytest.approx(-RATE * slope(w), abs=1e-15)
    on = list(support(w))
    assert np.abs(v - w)[on] == pytest.approx([RATE * strength] * len(on), abs=1e-9)
    # A subgradient of the L1 norm cancels the slope: the condition for the minimum.
    s = -slope(w) / strength
    assert s[on] == pytest.approx(np.sign(w[on]), abs=1e-8)
    assert np.abs(s).max() <= 1 + 1e-8


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.03])
def test_the_resting_point_is_the_same_for_every_rate(rate):
    there = proximal(2.0, steps=2000)[0][-1]
    assert proximal(2.0, rate=rate, steps=4000)[0][-1] == pytest.approx(there, abs=1e-9)


def test_the_linearised_step_is_the_notebooks_step():
    w, strength = proximal(1.0)[0][5], 1.0
    found = proximal(1.0)[0][6]

    def cost(x):
        return slope(w) @ (x - w) + strength * np.abs(x).sum() + ((x - w) ** 2).sum() / (2 * RATE)

    rng = np.random.default_rng(0)
    assert all(cost(found) < cost(found + 1e-3 * rng.normal(size=5)) for _ in range(200))


def test_a_weight_that_soft_thresholding_made_zero_comes_back():
    weights = proximal(0.5)[0]
    assert weights[6, 2] != 0
    assert weights[7, 2] == 0
    assert weights[8, 2] != 0


def hoyer_square(w):
    return np.abs(w).sum() ** 2 / (w @ w)


def test_hoyer_square_has_no_scale_and_never_exceeds_the_number_of_nonzeros():
    rng = np.random.default_rng(1)
    for _ in range(100):
        w = rng.normal(size=6) * rng.integers(0, 2, 6)
        if w.any():
            assert hoyer_square(2 * w) == pytest.approx(hoyer_square(w))
            assert hoyer_square(w) <= np.count_nonzero(w) + 1e-12


def test_a_step_down_hoyer_square_shrinks_only_weights_below_a_limit():
    w = np.random.default_rng(2).normal(size=8)
    limit = (w @ w) / np.abs(w).sum()
    steps = np.eye(8) * 1e-6
    slopes = np.array([hoyer_square(w + e) - hoyer_square(w - e) for e in steps]) / 2e-6
    assert ((slopes * np.sign(w) > 0) == (np.abs(w) < limit)).all()
    assert 0 < (np.abs(w) < limit).sum() < 8


def test_the_slope_of_hoyer_square_does_not_fade_towards_zero():
    others = np.array([3.0, -1.0])
    slopes = [
        (hoyer_square(np.append(others, 2 * e)) - hoyer_square(np.append(others, e))) / e
        for e in (1e-3, 1e-5)
    ]
    assert slopes == pytest.approx([2 * 4 / 10] * 2, rel=0.01)


def test_two_weights_fit_the_data_exactly_and_l1_has_its_minimum_elsewhere():
    X, y = problem()
    assert not (X @ SPARSE - y).any()
    for strength in L1:
        assert proximal(strength, steps=2000)[1][-1] > 0


# ------------------------------------------------------------------------------------------------
# Two data points


def test_projection_and_trimmed_l1_reach_rounding_error_with_two_points():
    assert log(projected(points=2)) == pytest.approx(-29, abs=1.5)
    assert log(trimmed(10.0, points=2)) == pytest.approx(-29, abs=1.5)


def test_with_two_points_they_end_at_one_of_two_pairs_and_l1_at_three_weights():
    pairs = (np.array([0, 3.0, 1, 0, 0]), SPARSE)
    ends = [projected(points=2)[0][-1]] + [trimmed(s, points=2)[0][-1] for s in TRIMMED]
    for w in ends:
        assert min(np.abs(w - pair).max() for pair in pairs) < 1e-6
    shared = proximal(1.0, points=2)[0][-1]
    assert shared == pytest.approx([0, 2.9, 0.45, 0, -0.45], abs=1e-3)
    assert support(shared) == (1, 2, 4)


def test_proximal_l1_takes_156_steps_instead_of_84():
    assert settles(proximal(1.0, points=2), (1, 2, 4)) == 156
    assert settles(proximal(1.0), RIGHT_PAIR) == 84


def test_strength_1_is_the_smallest_with_which_l1_comes_to_rest():
    def moved(strength):
        weights, _ = proximal(strength, points=2)
        return np.abs(weights[-1] - weights[-2]).max()

    assert moved(1.0) < 1e-5
    assert min(moved(0.2), moved(0.5)) > 1e-4


def test_strength_10_is_the_fastest_of_trimmed_l1_with_two_points():
    ends = [first_below(trimmed(s, points=2, steps=400), -27) for s in TRIMMED]
    assert ends == sorted(ends, reverse=True)


def test_two_points_are_fitted_by_nine_of_ten_pairs_and_two_columns_are_opposite():
    X, y = problem(2)
    exact = 0
    for pair in combinations(range(5), 2):
        part = X[:, pair]
        w = np.linalg.lstsq(part, y, rcond=None)[0]
        exact += np.abs(part @ w - y).max() < 1e-12
    assert (exact, comb(5, 2)) == (9, 10)
    assert X[:, 2].tolist() == [-1, 2]
    assert X[:, 4].tolist() == [1, -2]


def test_the_magnitudes_of_w3_and_w5_tie_in_every_plain_step_with_two_points():
    weights, _ = run("gradient_descent", points=2)
    assert np.abs(weights[:, 2] + weights[:, 4]).max() < 1e-14


# ------------------------------------------------------------------------------------------------
# Figures and references


DRAWS = re.compile(r"^ *(?:plots\.\w+\(|plot_run\(|\w+(?:\[\w+\])? = plot_run\()", re.MULTILINE)


def test_every_figure_is_described_in_words():
    found = cells("sparse_linear")
    figures = [
        position
        for position, cell in enumerate(found)
        if cell.cell_type == "code" and not marks(cell).get("grade") and DRAWS.search(cell.source)
    ]
    assert len(figures) == 12
    for position in figures:
        # Between a figure that students draw and its description are its check and hidden test.
        after = [c.source for c in found[position + 1 : position + 4]]
        assert any(source.startswith("*In words.*") for source in after), found[position].id


def test_each_paper_that_the_text_names_is_in_the_references():
    paper = r"([A-Z]\w+)(?: et al\.| and ([A-Z]\w+))?, ((?:19|20)\d\d)"
    prose = [c.source for c in cells("sparse_linear") if c.cell_type == "markdown"]
    named = {found for source in prose for found in re.findall(paper, source)}
    assert len(named) >= 6
    entries = re.split(r"^- ", text("references"), flags=re.MULTILINE)
    for names in named:
        assert any(all(name in entry for name in names) for entry in entries), names
