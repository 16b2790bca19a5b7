"""Least squares by hand against statsmodels and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.linear_model import LinearRegression

from tuneshift.reading.regression import (
    fitted,
    fold_labels,
    held_out,
    log_likelihood,
)


def _problem(seed: int, n: int = 120, p: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) * 10.0 ** random.integers(-2, 3, p) + random.normal(size=p) * 100
    return X, X @ random.normal(size=p) + random.normal(size=n) * 5 + 300


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_fit_is_that_of_statsmodels(seed: int) -> None:
    X, y = _problem(seed)
    theirs = sm.OLS(y, sm.add_constant(X)).fit()
    coefficients, variance = fitted(X, y)
    np.testing.assert_allclose(coefficients, theirs.params, rtol=1e-5, atol=1e-6)
    assert variance == pytest.approx(theirs.ssr / len(y), rel=1e-6)


def test_held_out_words_are_judged_by_a_regression_that_never_saw_them() -> None:
    X, y = _problem(1)
    folds = np.arange(len(y)) % 4
    ours = held_out(X, y, folds).log_likelihood
    for fold in range(4):
        test = folds == fold
        model = LinearRegression().fit(X[~test], y[~test])
        spread = np.sqrt(np.mean((y[~test] - model.predict(X[~test])) ** 2))
        np.testing.assert_allclose(ours[test], norm.logpdf(y[test], model.predict(X[test]), spread), atol=1e-6)


def _weighted_total(X: np.ndarray, y: np.ndarray, folds: np.ndarray, weights: np.ndarray) -> float:
    total = 0.0
    for fold in np.unique(folds):
        seen, test = folds != fold, folds == fold
        fit = sm.WLS(y[seen], sm.add_constant(X[seen]), weights=weights[seen]).fit()
        variance = (weights[seen] * fit.resid**2).sum() / weights[seen].sum()
        total += weights[test] @ log_likelihood(y[test], fit.predict(sm.add_constant(X[test])), variance)
    return float(total)


def test_what_moves_the_sum_is_what_refitting_gives_where_a_word_is_held_out_and_where_it_teaches() -> None:
    X, y = _problem(3, n=60)
    folds = np.arange(60) // 20
    found, step = held_out(X, y, folds), 1e-5
    assert found.by_weight.sum() == pytest.approx(found.log_likelihood.sum())
    for word in (0, 25, 59):
        more, later = np.ones(60), y.copy()
        more[word] += step
        later[word] += step
        by_hand = (_weighted_total(X, y, folds, more) - _weighted_total(X, y, folds, 2 - more)) / (2 * step)
        assert found.by_weight[word] == pytest.approx(by_hand, abs=1e-3)
        moved = held_out(X, later, folds).log_likelihood.sum() - found.log_likelihood.sum()
        assert found.by_time[word] == pytest.approx(moved / step, abs=1e-3)


def test_a_constant_column_changes_nothing() -> None:
    X, y = _problem(2)
    with_constant, variance = fitted(np.column_stack([X, np.full(len(y), 7.0)]), y)
    without, same = fitted(X, y)
    np.testing.assert_allclose(with_constant[:-1], without, rtol=1e-8)
    assert with_constant[-1] == 0
    assert variance == pytest.approx(same)


@given(st.integers(1, 15), st.integers(2, 10), st.integers(0, 99))
def test_no_story_and_no_sentence_is_ever_cut_by_a_fold(n_stories: int, folds: int, seed: int) -> None:
    stories = np.repeat([f"s{i}" for i in range(n_stories)], 12)
    sentences = np.tile(np.repeat(np.arange(4), 3), n_stories)
    labels, unit = fold_labels(stories, sentences, folds, seed)
    assert unit == ("story" if n_stories >= 3 else "sentence")
    whole = stories if unit == "story" else np.char.add(stories, sentences.astype(str))
    for name in np.unique(whole):
        assert len(np.unique(labels[whole == name])) == 1
    assert len(np.unique(labels)) == min(folds, len(np.unique(whole)))
