"""One difference over many pairs: their mean, and an interval over the base models they go back to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

FEWEST_BASES = 3


def mean_over_pairs(differences: np.ndarray, bases: Sequence[str]) -> tuple[float, float, float]:
    """Return the mean difference (n_pairs,) and its 95% t interval over base models (NaN with fewer than 3 of them).

    Pairs of one base are not independent, so each base counts once, with the mean of its pairs.
    """
    differences = np.asarray(differences, dtype=float)
    means = np.array([
        differences[[mine == base for mine in bases]].mean() for base in dict.fromkeys(bases)
    ])  # fmt: skip
    if len(means) < FEWEST_BASES:
        return float(differences.mean()), float("nan"), float("nan")
    reach = float(stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)))
    return float(means.mean()), float(means.mean()) - reach, float(means.mean()) + reach
