"""Intervals and p-values: the numbers scipy and theory give."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from tuneshift.numerics.resampling import bootstrap_mean, sign_flip_p


def test_the_interval_is_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=40)
    ours = bootstrap_mean(values, n_resamples=20_000)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(300):
        low, high = bootstrap_mean(rng.standard_normal(30), n_resamples=500, seed=seed)
        held += low <= 0 <= high
    assert 0.89 <= held / 300 <= 0.98


def test_missing_values_are_left_out_and_one_value_gives_no_interval() -> None:
    values = np.array([1.0, 2.0, 4.0, np.nan])
    assert bootstrap_mean(values) == bootstrap_mean(values[:3])
    assert np.isnan(bootstrap_mean(np.array([1.0, np.nan]))).all()


def test_the_seed_fixes_the_interval() -> None:
    values = np.arange(10.0)
    assert bootstrap_mean(values, seed=5) == bootstrap_mean(values, seed=5)
    assert bootstrap_mean(values, seed=5) != bootstrap_mean(values, seed=6)


def test_the_p_of_few_pairs_is_exact() -> None:
    differences = np.array([0.3, 1.2, 0.4, -0.2, 0.9, 0.6])
    means = [np.mean(np.array(signs) * differences) for signs in product([-1, 1], repeat=6)]
    expected = 2 * np.mean(np.array(means) >= differences.mean() - 1e-12)
    assert sign_flip_p(differences) == pytest.approx(expected, abs=1e-9)


def test_no_difference_is_p_one_and_a_single_pair_says_nothing() -> None:
    assert sign_flip_p(np.zeros(5)) == 1.0
    assert np.isnan(sign_flip_p(np.array([0.4])))


def test_under_the_null_p_is_uniform() -> None:
    rng = np.random.default_rng(2)
    p = [sign_flip_p(rng.standard_normal(12), n_resamples=499, seed=seed) for seed in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 0.001
