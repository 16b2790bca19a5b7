"""RSA and CKA: scipy's numbers, known values of equal and unrelated patterns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from tuneshift.numerics.similarity import dissimilarities, linear_cka, rsa


def test_dissimilarities_and_rsa_are_scipys() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((40, 30)) + 3, rng.standard_normal((40, 12))
    columns = stats.zscore(X)
    assert np.allclose(dissimilarities(X), pdist(columns, "correlation"))
    expected = stats.spearmanr(pdist(columns, "correlation"), pdist(stats.zscore(Y), "correlation"))[0]
    assert rsa(X, Y) == pytest.approx(expected, abs=1e-9)
    few = Y[:, :3]
    assert np.allclose(dissimilarities(few), pdist(stats.zscore(few)))


@pytest.mark.parametrize("measure", [rsa, linear_cka, lambda X, Y: linear_cka(X, Y, debiased=False)])
def test_rotated_and_scaled_patterns_have_the_same_geometry(measure: object) -> None:
    rng = np.random.default_rng(1)
    X = stats.zscore(rng.standard_normal((50, 8)))
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    assert measure(X, 3 * X) == pytest.approx(1)  # type: ignore[operator]
    if measure is not rsa:
        assert measure(X, X @ rotation * 7 + 2) == pytest.approx(1)  # type: ignore[operator]


def test_plain_cka_by_its_definition() -> None:
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((30, 5)), rng.standard_normal((30, 9))
    X, Y = X - X.mean(0), Y - Y.mean(0)
    expected = np.linalg.norm(X.T @ Y) ** 2 / (np.linalg.norm(X.T @ X) * np.linalg.norm(Y.T @ Y))
    assert linear_cka(X, Y, debiased=False) == pytest.approx(expected)


def test_unrelated_patterns_score_zero_only_when_the_bias_is_taken_out() -> None:
    rng = np.random.default_rng(3)
    pairs = [(rng.standard_normal((30, 400)), rng.standard_normal((30, 20))) for _ in range(40)]
    assert abs(np.mean([linear_cka(X, Y) for X, Y in pairs])) < 0.02
    assert np.mean([linear_cka(X, Y, debiased=False) for X, Y in pairs]) > 0.3
    assert abs(np.mean([rsa(X, Y) for X, Y in pairs])) < 0.03


def test_what_does_not_vary_has_no_geometry() -> None:
    X = np.random.default_rng(4).standard_normal((20, 6))
    assert np.isnan(rsa(X, np.ones((20, 3))))
    assert np.isnan(linear_cka(X, np.ones((20, 3))))
