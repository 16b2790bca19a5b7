"""One mean over pairs: as sure as there are base models, which differ by more than their errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from tuneshift.compare.over_pairs import over_pairs


def test_what_bases_truly_differ_by_is_the_tau_of_statsmodels() -> None:
    differences, errors = np.array([0.1, 0.4, 0.2, 0.8, 0.3]), np.array([0.1, 0.2, 0.05, 0.1, 0.3])
    fitted = combine_effects(differences, errors**2, method_re="iterated")
    found = over_pairs(differences, list("abcde"), errors)
    assert found.tau == pytest.approx(np.sqrt(fitted.tau2))
    assert found.tau > 0.1


def test_of_errors_alike_the_interval_is_hartung_and_knapps() -> None:
    differences, errors = np.array([0.1, 0.4, 0.2, 0.8, 0.3]), np.full(5, 0.1)
    fitted = combine_effects(differences, errors**2, method_re="iterated", use_t=True)
    found = over_pairs(differences, list("abcde"), errors)
    low, high = fitted.conf_int(use_t=True)[3]
    assert (found.mean, found.low, found.high) == pytest.approx((fitted.mean_effect_re, low, high))


def test_without_an_error_there_is_a_t_test_of_bases_and_no_tau() -> None:
    differences = np.array([0.1, 0.3, 0.2, 0.4, 0.6])
    found = over_pairs(differences, list("abcdd"), np.array([0.1, np.nan, 0.1, 0.1, 0.1]))
    test = stats.ttest_1samp([0.1, 0.3, 0.2, 0.5], 0)
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval()))
    assert found.p == pytest.approx(test.pvalue)
    assert np.isnan(found.tau)


def test_pairs_of_one_base_make_nothing_surer_than_bases_do() -> None:
    """Eight bases with 17 tuned models, differences of bases alone: one in twenty finds a mean that is not there."""
    generator = np.random.default_rng(2)
    of_base = [1, 2, 2, 5, 2, 2, 2, 1]
    base = np.repeat(np.arange(8), of_base)
    found, tau = [], []
    for _ in range(200):
        differences = generator.normal(size=8)[base] + generator.normal(0, 0.5, 17)
        over = over_pairs(differences, [str(b) for b in base], np.full(17, 0.5))
        found.append(over.p < 0.05)
        tau.append(over.tau)
    assert 0.01 <= np.mean(found) <= 0.095
    assert np.sqrt(np.mean(np.square(tau))) == pytest.approx(1, abs=0.15)  # bases differ by 1, whatever their errors


def test_two_bases_have_a_mean_and_no_interval() -> None:
    found = over_pairs(np.array([0.1, 0.3, 0.5]), ["a", "a", "b"], np.full(3, 0.1))
    assert found.mean == pytest.approx(0.3)
    assert np.isnan([found.low, found.high, found.p, found.tau]).all()
    assert found.n_bases == 2
