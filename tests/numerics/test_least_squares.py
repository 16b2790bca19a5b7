"""Ordinary least squares: scikit-learn's predictions, with fewer and with more units than stimuli."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from tuneshift.numerics.least_squares import LeastSquares
from tuneshift.numerics.splits import Fold, contiguous


def predictions(X: np.ndarray, Y: np.ndarray, fold: Fold) -> np.ndarray:
    return LeastSquares(X[fold[0]], X[fold[1]]).predictions(Y[fold[0]])


@pytest.mark.parametrize(("n", "d"), [(100, 12), (60, 48), (40, 200), (30, 1)])
def test_predictions_are_those_of_scikit_learn(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)) * rng.lognormal(size=d) + 5
    Y = X @ rng.standard_normal((d, 7)) + rng.standard_normal((n, 7)) + 100
    train, test = contiguous(n, 5)[1]
    theirs = LinearRegression().fit(X[train], Y[train]).predict(X[test])
    ours = predictions(X, Y, (train, test))
    assert np.abs(ours - theirs).max() < 1e-4 * Y.std()


def test_a_unit_said_twice_and_a_constant_unit_change_nothing() -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((50, 6)), rng.standard_normal((50, 3))
    fold = contiguous(50, 5)[0]
    more = np.column_stack([X, np.full(50, 2.0)])
    assert np.allclose(predictions(more, Y, fold), predictions(X, Y, fold))
    twice = np.column_stack([X, X])
    assert np.allclose(predictions(twice, Y, fold), predictions(X, Y, fold))


def test_features_that_say_nothing_predict_the_mean() -> None:
    Y = np.random.default_rng(2).standard_normal((30, 2))
    train, test = contiguous(30, 5)[0]
    predicted = predictions(np.ones((30, 4)), Y, (train, test))
    assert np.allclose(predicted, Y[train].mean(0))


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e8])
def test_a_large_offset_of_features_costs_no_digits(offset: float) -> None:
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((60, 8)), rng.standard_normal((60, 3))
    fold = contiguous(60, 5)[2]
    assert np.abs(predictions(X + offset, Y, fold) - predictions(X, Y, fold)).max() < 1e-6
