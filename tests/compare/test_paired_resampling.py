"""Paired tests against scipy and statsmodels, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tuneshift.compare.resampling import N_FLIPS, adjusted, paired_test


def test_few_units_are_tested_over_every_pattern_of_signs_as_scipy_does() -> None:
    differences = np.random.default_rng(1).normal(0.4, 1, size=(5, 9))
    ours = paired_test(differences)
    for row, p in zip(differences, ours.p, strict=True):
        theirs = stats.permutation_test(
            (row,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert p == pytest.approx(theirs.pvalue, abs=1e-12)
    np.testing.assert_allclose(ours.p_wilcoxon, [stats.wilcoxon(row).pvalue for row in differences])


def test_many_units_are_tested_over_random_patterns_that_agree_with_the_t_test() -> None:
    differences = np.random.default_rng(2).normal(0.25, 1, size=(6, 60))
    ours = paired_test(differences).p
    theirs = stats.ttest_1samp(differences, 0, axis=1).pvalue
    np.testing.assert_allclose(ours, theirs, atol=0.015)
    assert ours.min() >= 1 / (N_FLIPS + 1)


def test_the_interval_covers_a_planted_difference_as_often_as_it_says() -> None:
    truth, n_studies, n_units = 0.3, 600, 30
    differences = np.random.default_rng(3).normal(truth, 1, size=(n_studies, n_units))
    found = paired_test(differences)
    coverage = np.mean((found.ci_low <= truth) & (truth <= found.ci_high))
    assert 0.91 <= coverage <= 0.97  # 95%, less what the percentile bootstrap is known to lose with 30 units


def test_the_test_of_no_difference_finds_one_in_twenty() -> None:
    differences = np.random.default_rng(4).normal(0, 1, size=(1000, 10))
    assert 0.03 <= np.mean(paired_test(differences).p <= 0.05) <= 0.07


def test_units_count_by_the_observations_behind_them() -> None:
    differences, weights = np.array([[1.0, 1.0, -1.0, 0.5]]), np.array([300.0, 1.0, 1.0, 1.0])
    heavy = paired_test(differences, weights)
    assert heavy.ci_high[0] == pytest.approx(1.0, abs=0.02)
    assert heavy.ci_low[0] < 0  # draws without the heavy unit happen, and count
    even = paired_test(differences)
    assert even.ci_low[0] == pytest.approx(paired_test(differences, np.full(4, 7.0)).ci_low[0])


def test_a_missing_unit_is_left_out_and_counted_out() -> None:
    row = np.random.default_rng(5).normal(0.5, 1, size=8)
    with_gap = np.append(row, np.nan)
    found = paired_test(np.stack([with_gap, np.append(row, 0.2)]))
    assert found.n.tolist() == [8, 9]
    assert found.p[0] == paired_test(row[None]).p[0]
    assert found.n_up[0] == (row > 0).sum()


def test_fewer_than_three_units_give_no_interval_and_no_test() -> None:
    found = paired_test(np.array([[0.3, 0.4]]))
    assert np.isnan([found.ci_low[0], found.ci_high[0], found.p[0], found.p_wilcoxon[0]]).all()


def test_no_difference_at_all_is_no_finding() -> None:
    found = paired_test(np.zeros((1, 12)))
    assert found.p[0] == found.p_wilcoxon[0] == 1.0
    assert found.ci_low[0] == found.ci_high[0] == 0.0


@given(arrays(float, st.integers(1, 40), elements=st.floats(0, 1)))
def test_adjusted_p_values_are_those_of_statsmodels(p: np.ndarray) -> None:
    np.testing.assert_allclose(adjusted(p), multipletests(p, method="fdr_bh")[1], atol=1e-12)


def test_a_test_that_was_not_made_counts_for_nothing_in_the_adjustment() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03])
    found = adjusted(p)
    assert np.isnan(found[1])
    np.testing.assert_allclose(found[[0, 2, 3]], multipletests(p[[0, 2, 3]], method="fdr_bh")[1])
