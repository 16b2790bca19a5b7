"""Is the effect of surprisal a straight line? Natural cubic splines against it."""

from __future__ import annotations

import numpy as np

from tuneshift.reading.regression import fitted

N_KNOTS = 5


def spline_knots(values: np.ndarray, n_knots: int = N_KNOTS) -> np.ndarray:
    """Return knots at evenly spaced quantiles from 2.5% to 97.5% (at most `n_knots`, ties once)."""
    return np.unique(np.quantile(values, np.linspace(0.025, 0.975, n_knots)))


def natural_spline(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the natural cubic spline basis (n, n_knots - 1): its first column is the line itself.

    Beyond the outer knots every function is a straight line, so rare, very surprising words bend nothing.
    Source: Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, eq. 5.4-5.5.
    """
    span = knots[-1] - knots[0]
    x, t = (values - knots[0]) / span, (knots - knots[0]) / span
    last = np.clip(x - t[-1], 0, None) ** 3
    d = [(np.clip(x - knot, 0, None) ** 3 - last) / (t[-1] - knot) for knot in t[:-1]]
    return np.column_stack([values, *[curve - d[-1] for curve in d[:-1]]])


def spline_curve(
    surprisal: np.ndarray, controls: np.ndarray, times: np.ndarray, n_points: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """Return surprisals (n_points,) and the time (ms) that the spline adds there, 0 at the mean surprisal.

    The regression holds the spline of the word's own surprisal and all `controls` (n, p).
    """
    knots = spline_knots(surprisal)
    basis = natural_spline(surprisal, knots)
    slopes = fitted(np.column_stack([basis, controls]), times)[0][1 : 1 + basis.shape[1]]
    low, high = np.quantile(surprisal, [0.005, 0.995])
    grid = np.linspace(float(low), float(high), n_points)
    zero = natural_spline(np.array([surprisal.mean()]), knots) @ slopes
    return grid, natural_spline(grid, knots) @ slopes - zero
