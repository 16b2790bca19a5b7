"""Intervals and p-values by resampling the units that were sampled: people, passages, prompts."""

from __future__ import annotations

import numpy as np
from scipy import stats


def bootstrap_mean(
    values: np.ndarray, n_resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of `values` (n,), units drawn with replacement.

    NaN for fewer than two values that are not NaN: one unit says nothing about its spread.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(len(values), size=(n_resamples, len(values)))
    low, high = np.quantile(values[draws].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def sign_flip_p(differences: np.ndarray, n_resamples: int = 9999, seed: int = 0) -> float:
    """Return the two-sided p of paired differences (n,): the mean against all (or random) flips of their signs."""
    differences = np.asarray(differences, dtype=float)
    differences = differences[np.isfinite(differences)]
    if len(differences) < 2:
        return float("nan")
    if not differences.any():
        return 1.0
    found = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=n_resamples, rng=np.random.default_rng(seed)
    )
    return float(found.pvalue)


def mean_over_folds(scores: np.ndarray) -> np.ndarray:
    """Return the mean over folds (n_folds, v) -> (v,) of the scores that exist; NaN where none does."""
    known = np.isfinite(scores)
    total = np.where(known, scores, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
