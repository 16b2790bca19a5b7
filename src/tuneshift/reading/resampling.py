"""Intervals over stories: what another draw of stories would have given."""

from __future__ import annotations

import numpy as np

from tuneshift.human.reading_times.reading_times import ReadingTimes


def resampling_units(times: ReadingTimes) -> tuple[np.ndarray, str]:
    """Return each word's unit of the bootstrap (n_words,), numbered: its story, or its sentence in a lone story."""
    documents = np.unique(times.words["document"].to_numpy().astype(str), return_inverse=True)[1]
    if documents.max() > 0:
        return documents, "story"
    return np.unique(times.words["sentence"].to_numpy(), return_inverse=True)[1], "sentence"


def draws(units: np.ndarray, n_boot: int, seed: int) -> np.ndarray:
    """Return how often each unit is drawn in each bootstrap sample (n_boot, n_units)."""
    n_units = int(units.max()) + 1
    return np.random.default_rng(seed).multinomial(n_units, np.full(n_units, 1 / n_units), size=n_boot)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95% percentile interval of bootstrap values (n_boot,); (NaN, NaN) where there are none."""
    values = values[np.isfinite(values)]
    if len(values) < 20:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def pearson_draws(x: np.ndarray, y: np.ndarray, units: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the Pearson r of x and y (n_words,) in each bootstrap sample (n_boot,); `counts` from `draws`."""
    x, y = x - x.mean(), y - y.mean()
    sums = _unit_sums([np.ones_like(x), x, y, x * x, y * y, x * y], units, counts)
    n, sx, sy, sxx, syy, sxy = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        r: np.ndarray = (sxy - sx * sy / n) / np.sqrt((sxx - sx**2 / n) * (syy - sy**2 / n))
    return r


def mean_draws(values: np.ndarray, units: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean of values (n_words,) in each bootstrap sample (n_boot,); `counts` from `draws`."""
    n, total = _unit_sums([np.ones_like(values), values], units, counts).T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: np.ndarray = total / n
    return mean


def _unit_sums(columns: list[np.ndarray], units: np.ndarray, counts: np.ndarray) -> np.ndarray:
    sums = np.stack([np.bincount(units, column, minlength=counts.shape[1]) for column in columns], axis=1)
    out: np.ndarray = counts @ sums
    return out
