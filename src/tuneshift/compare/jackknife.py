"""How sure is a correlation whose units come in clusters? Each cluster is left out in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tuneshift.numerics.resampling import jackknife_error

NEARLY_ONE = 1 - 1e-9


@dataclass(frozen=True)
class Scale:
    """On what scale the error of a correlation is alike everywhere, and back."""

    of: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


FISHER = Scale(np.arctanh, np.tanh)
"""Fisher's z: of correlations over what was drawn."""
SLOPE = Scale(lambda r: r / np.sqrt(1 - r * r), lambda u: u / np.sqrt(1 + u * u))
"""Slope over what lies beside the line: of correlations over fixed units whose slope varies between what was drawn."""


@dataclass(frozen=True)
class Correlation:
    """A correlation `r`, its 95% interval, and the two-sided p that it is 0 (NaN where none is known)."""

    r: float
    low: float
    high: float
    p: float

    @classmethod
    def any_at_all(cls, r: float) -> Correlation:
        """Of so few units any correlation may be true."""
        return cls(r, -1.0, 1.0, float("nan"))


def by_leaving_out(
    correlation: Callable[[np.ndarray], float],
    clusters: np.ndarray,
    most: float = NEARLY_ONE,
    scale: Scale = FISHER,
) -> Correlation:
    """Return a correlation with an interval and a p that take clusters, and no unit within them, as drawn.

    `correlation` gives r of the units where a mask (n_units,) is true; `clusters` (n_units,) names the cluster of each.
    The standard error is the jackknife's on a scale, with Student's t of clusters - 1 degrees of freedom; correlations
    count as `most` at most, which is finite on it. Where r is missing without some cluster, any correlation is allowed.
    """
    names = np.unique(clusters)
    n = len(names)
    r = correlation(np.ones(len(clusters), dtype=bool))
    without = np.array([correlation(clusters != name) for name in names])
    if n < 2 or not np.isfinite([r, *without]).all():
        return Correlation.any_at_all(r)
    z, left = (scale.of(np.clip(value, -most, most)) for value in (np.array(r), without))
    return around(r, float(z), jackknife_error(left), n - 1, scale)


def around(r: float, z: float, error: float, freedom: float, scale: Scale = FISHER) -> Correlation:
    """Return r with the interval of z ± t x error on a scale, and the p of z = 0; infinite `freedom` is the normal."""
    reach = stats.t.ppf(0.975, freedom) * error
    low, high = scale.back(np.array([z - reach, z + reach]))
    t = abs(z) / error if error > 0 else np.inf if z else 0.0
    return Correlation(r, min(float(low), r), max(float(high), r), float(2 * stats.t.sf(t, freedom)))


def half_a_step(n: int) -> float:
    """Return half the smallest step of Spearman's r of n units: a perfect order of few is no infinite z."""
    return 3 / (n * (n * n - 1))
