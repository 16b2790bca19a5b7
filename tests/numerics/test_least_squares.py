"""Ordinary least squares: scikit-learn's predictions, with fewer and with more units than stimuli."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from tuneshift.numerics.least_squares import least_squares_predictions, least_squares_scores
from tuneshift.numerics.splits import contiguous


@pytest.mark.parametrize(("n", "d"), [(100, 12), (60, 48), (40, 200), (30, 1)])
def test_predictions_are_those_of_scikit_learn(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)) * rng.lognormal(size=d) + 5
    Y = X @ rng.standard_normal((d, 7)) + rng.standard_normal((n, 7)) + 100
    train, test = contiguous(n, 5)[1]
    theirs = LinearRegression().fit(X[train], Y[train]).predict(X[test])
    ours = least_squares_predictions(X, Y, (train, test))
    assert np.abs(ours - theirs).max() < 1e-4 * Y.std()
    r = least_squares_scores(X, Y, (train, test))
    for column in range(7):
        assert r[column] == pytest.approx(stats.pearsonr(theirs[:, column], Y[test, column])[0], abs=1e-4)


def test_a_unit_said_twice_and_a_constant_unit_change_nothing() -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((50, 6)), rng.standard_normal((50, 3))
    fold = contiguous(50, 5)[0]
    more = np.column_stack([X, np.full(50, 2.0)])
    assert np.allclose(least_squares_predictions(more, Y, fold), least_squares_predictions(X, Y, fold))
    twice = np.column_stack([X, X])
    assert np.allclose(least_squares_predictions(twice, Y, fold), least_squares_predictions(X, Y, fold))


def test_features_that_say_nothing_predict_the_mean() -> None:
    Y = np.random.default_rng(2).standard_normal((30, 2))
    train, test = contiguous(30, 5)[0]
    predicted = least_squares_predictions(np.ones((30, 4)), Y, (train, test))
    assert np.allclose(predicted, Y[train].mean(0))
