"""One difference over many pairs: their mean over the base models they go back to, and how much these differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from tuneshift.compare.related_models import FEWEST_BASES

ERRORS_ALIKE = 0.5
"""How the errors of two pairs of one base go together: the base's own error is half of each."""


@dataclass(frozen=True)
class OverPairs:
    """A mean difference over pairs, its 95% interval and the two-sided p that it is 0, all over base models.

    `tau` is the standard deviation of the bases' true differences: what their standard errors do not explain.
    """

    mean: float
    low: float
    high: float
    p: float
    tau: float
    n_bases: int


def mean_over_pairs(differences: np.ndarray, bases: Sequence[str]) -> tuple[float, float, float]:
    """Return the mean difference (n_pairs,) and its 95% interval over base models; see `over_pairs`."""
    found = over_pairs(differences, bases)
    return found.mean, found.low, found.high


def over_pairs(differences: np.ndarray, bases: Sequence[str], standard_errors: np.ndarray | None = None) -> OverPairs:
    """Return the random-effects mean of the pairs' differences (n_pairs,), with bases as the clusters.

    Pairs of one base share its error, so each base counts once, with the mean of its pairs; bases count alike, and the
    interval is t with bases - 1 degrees of freedom, which is Hartung & Knapp's (2001) of equal weights. (Their weights
    by standard errors, of 12 people each, found a mean that was not there in up to 7.6% of studies of 5 pairs, and made
    intervals 2 to 17% narrower.) `tau` after Paule & Mandel (1982), where every one of `standard_errors` (n_pairs,) is
    known and above 0, else NaN. Fewer than 3 bases: the mean over pairs, and no more.
    """
    differences = np.asarray(differences, dtype=float)
    names = list(dict.fromkeys(bases))
    mine = np.array([[base == name for base in bases] for name in names])
    n, nothing = len(names), float("nan")
    if n < FEWEST_BASES:
        return OverPairs(float(differences.mean()), nothing, nothing, nothing, nothing, n)
    means = np.array([differences[own].mean() for own in mine])
    mean, error = float(means.mean()), float(means.std(ddof=1) / np.sqrt(n))
    reach = float(stats.t.ppf(0.975, n - 1)) * error
    t = abs(mean) / error if error > 0 else np.inf if mean else 0.0
    tau = nothing
    errors = np.full(len(differences), np.nan) if standard_errors is None else np.asarray(standard_errors, dtype=float)
    if np.all(np.isfinite(errors) & (errors > 0)):
        variances = np.array([_variance_of_mean(errors[own]) for own in mine])
        tau = float(np.sqrt(max(combine_effects(means, variances, method_re="iterated").tau2, 0)))
    return OverPairs(mean, mean - reach, mean + reach, float(2 * stats.t.sf(t, n - 1)), tau, n)


def _variance_of_mean(errors: np.ndarray) -> float:
    """Variance of the mean of one base's pairs, whose errors go together as `ERRORS_ALIKE` says."""
    alone, together = np.square(errors).sum(), errors.sum() ** 2
    return float(((1 - ERRORS_ALIKE) * alone + ERRORS_ALIKE * together) / len(errors) ** 2)
