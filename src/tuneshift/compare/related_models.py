"""Correlations over models, some of which were tuned from one base and so are no independent draws.

Of models each of its own base: Fisher's z. Of relatives: whole bases left out in turn (`compare.jackknife`). Over 8
bases with 17 tuned models whose scores are nearly their base's, intervals that take models as independent cover 64%,
these 95%, a bootstrap of bases 86%; a bootstrap of 4 independent models covers 76 to 94%.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from tuneshift.compare.jackknife import NEARLY_ONE, Correlation, around, by_leaving_out, half_a_step

FEWEST_BASES = 3
"""Fewer base models allow any correlation: the interval is then from -1 to 1."""
FEWEST_BASES_GIVEN = 4
"""With 3 bases left out in turn, 8% of partial correlations of nothing had p below .05."""
FEWEST_BASES_OF_RANKS = 6
"""Ranks of few bases are often in perfect order: with 4, 10% of Spearman correlations of nothing had p below .05."""


def pearson(x: np.ndarray, y: np.ndarray, bases: np.ndarray) -> Correlation:
    """Return Pearson r of two numbers of models (n_models,), at least 4, with interval and p; `bases` (n_models,).

    Of models each of its own base: interval by Fisher's z, p by t, those of `scipy.stats.pearsonr`.
    """
    whole = stats.pearsonr(x, y)
    if independent(bases):
        bounds = whole.confidence_interval()
        return Correlation(float(whole.statistic), float(bounds.low), float(bounds.high), float(whole.pvalue))
    return _over_bases(lambda stay: _pearson_r(x[stay], y[stay]), bases, FEWEST_BASES)


def spearman(x: np.ndarray, y: np.ndarray, bases: np.ndarray) -> Correlation:
    """Return Spearman r of two numbers of models (n_models,), at least 4, with interval and p; `bases` (n_models,).

    Of models each of its own base: Fisher's z with the standard error of Bonett & Wright (2000), 0 for the p.
    """
    most = 1 - half_a_step(len(x))
    if independent(bases):
        r = float(stats.spearmanr(x, y).statistic)
        near = float(np.clip(r, -most, most))
        return around(r, float(np.arctanh(near)), float(np.sqrt((1 + near**2 / 2) / (len(x) - 3))), np.inf)
    a, b = np.asarray(x), np.asarray(y)
    return _over_bases(
        lambda stay: _pearson_r(stats.rankdata(a[stay]), stats.rankdata(b[stay])), bases, FEWEST_BASES_OF_RANKS, most
    )


def partial(x: np.ndarray, y: np.ndarray, given: np.ndarray, bases: np.ndarray) -> Correlation:
    """Return Pearson r of x and y given a third number of models (n_models,), with interval and p; `bases` (n_models,).

    Of models each of its own base: p by t with n - 3 degrees of freedom, interval by Fisher's z with n - 4.
    """
    if not independent(bases):
        return _over_bases(lambda stay: partial_r(x[stay], y[stay], given[stay]), bases, FEWEST_BASES_GIVEN)
    r, freedom = partial_r(x, y, given), len(x) - 3
    if freedom < 1 or np.isnan(r):
        return Correlation(r, float("nan"), float("nan"), float("nan"))
    if freedom == 1 or abs(r) == 1:
        low, high = (-1.0, 1.0) if freedom == 1 else (r, r)
    else:
        low, high = np.tanh(np.arctanh(r) + stats.norm.ppf([0.025, 0.975]) / np.sqrt(freedom - 1))
    with np.errstate(divide="ignore"):
        t = abs(r) * np.sqrt(np.divide(freedom, 1 - r * r))
    return Correlation(r, float(low), float(high), float(2 * stats.t.sf(t, freedom)))


def partial_r(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> float:
    """Return Pearson r of what is left of x and y after a straight line in a third number; NaN where nothing is."""
    design = np.column_stack([np.ones_like(given), given])
    left, right = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y))
    if len(x) < 4 or is_flat(left, x) or is_flat(right, y):
        return float("nan")
    return float(np.clip(left @ right / np.sqrt((left @ left) * (right @ right)), -1, 1))


def independent(bases: np.ndarray) -> bool:
    """Whether no two models go back to one base."""
    return len(np.unique(bases)) == len(bases)


def is_flat(values: np.ndarray, scale: np.ndarray | None = None) -> bool:
    """Whether values do not vary: exactly, or beside the spread of what they are a rest of."""
    if scale is None:
        return float(np.ptp(values)) == 0
    return float(np.ptp(values)) <= 1e-10 * (float(np.ptp(scale)) or 1.0)


def _pearson_r(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson r; NaN of fewer than 3 models, which lie on a line whatever is true, and of what does not vary."""
    if len(x) < 3 or is_flat(x) or is_flat(y):
        return float("nan")
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))


def _over_bases(
    correlation: Callable[[np.ndarray], float], bases: np.ndarray, fewest: int, most: float = NEARLY_ONE
) -> Correlation:
    if len(np.unique(bases)) < fewest:
        return Correlation.any_at_all(correlation(np.ones(len(bases), dtype=bool)))
    return by_leaving_out(correlation, bases, most)
