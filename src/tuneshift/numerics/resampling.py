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


def mean_of_known(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the mean along an axis (folds, people) of the values that exist; NaN where none does."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(known.any(axis=axis), total / np.maximum(known.sum(axis=axis), 1), np.nan)


def jackknife_interval(leaving_out: np.ndarray, value: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval around a `value` whose estimates without each unit in turn are `leaving_out` (g,).

    Student's t with g - 1 degrees of freedom (Tukey 1958); a ratio or a root is resampled as one. NaN for fewer than
    three estimates that exist, or where one does not: then nobody knows what the others would be without it.
    """
    if len(leaving_out) < 3 or not np.isfinite(leaving_out).all():
        return float("nan"), float("nan")
    reach = float(stats.t.ppf((1 + level) / 2, len(leaving_out) - 1) * jackknife_error(leaving_out))
    return value - reach, value + reach


def jackknife_error(leaving_out: np.ndarray) -> float:
    """Return the standard error of an estimate from those without each unit in turn (g,), all of them known."""
    g = len(leaving_out)
    return float(np.sqrt((g - 1) / g * np.square(leaving_out - leaving_out.mean()).sum()))
