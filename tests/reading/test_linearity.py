"""A straight line is told from a bent one."""

from __future__ import annotations

import numpy as np
import patsy
from planted import plant

from tuneshift.reading.linearity import natural_spline, spline_curve, spline_knots
from tuneshift.reading.predictive_power import design, predictive_power


def _gain(bend: float) -> tuple[float, float]:
    made = plant(bend=bend, noise=20)
    kept = made.times.words["position"].to_numpy() > 0
    power = predictive_power(made.surprisal, made.times, design(made.times, kept, spillover=2, folds=10, seed=0), 2)
    assert power.spline_gain is not None
    return power.spline_gain.value, float(np.sqrt(np.square(power.spline_gain.influence).sum()))


def test_a_spline_gains_where_the_effect_is_bent_and_nowhere_else() -> None:
    gain, error = _gain(bend=0.5)
    assert gain > 5 * error
    straight, error = _gain(bend=0.0)
    assert -0.01 < straight < 3 * error  # the knots that are not needed cost a little


def test_the_spline_spans_what_patsys_natural_spline_spans() -> None:
    x = np.random.default_rng(0).gamma(3, 2, 300)
    knots = spline_knots(x)
    ours = np.column_stack([np.ones(300), natural_spline(x, knots)])
    inner = {"knots": knots[1:-1], "lower_bound": knots[0], "upper_bound": knots[-1]}
    inside = (x >= knots[0]) & (x <= knots[-1])
    theirs = np.asarray(patsy.dmatrix("cr(x, knots=knots, lower_bound=lower_bound, upper_bound=upper_bound)",
                                      {"x": x[inside], **inner}))  # fmt: skip
    fit = theirs @ np.linalg.lstsq(theirs, ours[inside], rcond=None)[0]
    np.testing.assert_allclose(fit, ours[inside], atol=1e-6)


def test_beyond_the_outer_knots_the_spline_is_straight() -> None:
    knots = np.array([1.0, 3, 5, 8, 10])
    for ends in (np.linspace(-9, 1, 30), np.linspace(10, 40, 30)):
        np.testing.assert_allclose(np.diff(natural_spline(ends, knots), 2, axis=0), 0, atol=1e-8)


def test_the_curve_of_a_planted_line_is_that_line() -> None:
    made = plant(slope=4, spillover=0, noise=5)
    words = made.times.words
    controls = np.column_stack([words["word"].str.len(), words["log_frequency"]])
    grid, added = spline_curve(made.surprisal, controls, words["time"].to_numpy())
    np.testing.assert_allclose(added, made.slopes.mean() * (grid - made.surprisal.mean()), atol=3)
