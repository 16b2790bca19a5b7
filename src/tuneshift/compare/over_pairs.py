"""One difference over many pairs: their mean over the base models they go back to, and how much these differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

FEWEST_BASES = 3
ERRORS_ALIKE = 0.5
"""How the errors of two pairs of one base go together: the base's own error is half of each."""


@dataclass(frozen=True)
class OverPairs:
    """A mean difference over pairs, its 95% interval and the two-sided p that it is 0, all over base models.

    `tau` is the standard deviation of the bases' true differences, without what their standard errors explain.
    """

    mean: float
    low: float
    high: float
    p: float
    tau: float
    n_bases: int


def mean_over_pairs(
    differences: np.ndarray, bases: Sequence[str], standard_errors: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Return the mean difference (n_pairs,) and its 95% interval over base models; see `over_pairs`."""
    found = over_pairs(differences, bases, standard_errors)
    return found.mean, found.low, found.high


def over_pairs(
    differences: np.ndarray, bases: Sequence[str], standard_errors: np.ndarray | None = None
) -> OverPairs:
    """Return the random-effects mean of the pairs' differences (n_pairs,), with bases as the clusters.

    Pairs of one base share its error, so each base counts once, with the mean of its pairs. Bases are weighted by the
    standard errors (n_pairs,) and by how much they differ (Paule & Mandel 1982), and the interval is Hartung & Knapp's
    (2001), t with bases - 1 degrees of freedom. Where a standard error is missing or 0, all bases count alike: the
    interval is then that of their plain mean, and `tau` is NaN. Fewer than 3 bases: mean over pairs, and no interval.
    """
    differences = np.asarray(differences, dtype=float)
    names = list(dict.fromkeys(bases))
    mine = np.array([[base == name for base in bases] for name in names])
    nothing = float("nan")
    if len(names) < FEWEST_BASES:
        return OverPairs(float(differences.mean()), nothing, nothing, nothing, nothing, len(names))
    means = np.array([differences[own].mean() for own in mine])
    errors = np.full(len(differences), np.nan) if standard_errors is None else np.asarray(standard_errors, dtype=float)
    if np.all(np.isfinite(errors) & (errors > 0)):
        variances = np.array([_variance_of_mean(errors[own]) for own in mine])
        fitted = combine_effects(means, variances, method_re="iterated", use_t=True)
        mean, error, tau = fitted.mean_effect_re, fitted.sd_eff_w_re_hksj, float(np.sqrt(max(fitted.tau2, 0)))
    else:
        mean, error, tau = means.mean(), means.std(ddof=1) / np.sqrt(len(means)), nothing
    reach = float(stats.t.ppf(0.975, len(means) - 1) * error)
    t = abs(mean) / error if error > 0 else np.inf if mean else 0.0
    p = float(2 * stats.t.sf(t, len(means) - 1))
    return OverPairs(float(mean), float(mean) - reach, float(mean) + reach, p, tau, len(names))


def _variance_of_mean(errors: np.ndarray) -> float:
    """Variance of the mean of one base's pairs, whose errors go together as `ERRORS_ALIKE` says."""
    alone, together = np.square(errors).sum(), errors.sum() ** 2
    return float(((1 - ERRORS_ALIKE) * alone + ERRORS_ALIKE * together) / len(errors) ** 2)
