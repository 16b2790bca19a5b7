"""Paired differences over participants, stories or prompts: intervals by bootstrap, tests by flipping signs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import false_discovery_control, wilcoxon

N_BOOTSTRAP = 4000
N_FLIPS = 9999
EXACT_UP_TO = 13
SEED = 20231201


@dataclass(frozen=True)
class PairedTest:
    """Tests of differences (n_rows, n_units), one of each a row.

    `ci_low`, `ci_high`: 95% percentile bootstrap of the mean difference over units; `p`: two-sided sign-flip
    permutation test; `p_wilcoxon`: signed-rank test; `n`: units with a difference; `n_up`: how many of them rose.
    """

    ci_low: np.ndarray
    ci_high: np.ndarray
    p: np.ndarray
    p_wilcoxon: np.ndarray
    n: np.ndarray
    n_up: np.ndarray


def paired_test(differences: np.ndarray, weights: np.ndarray | None = None, seed: int = SEED) -> PairedTest:
    """Test whether tuned - base differences (n_rows, n_units) are 0 on average; NaN marks a unit that is missing.

    `weights` (n_units,) counts the observations behind each unit (words of a story), 1 each by default. Fewer than
    3 units give no interval and no test (NaN).
    """
    differences = np.atleast_2d(np.asarray(differences, dtype=float))
    weights = np.ones(differences.shape[1]) if weights is None else np.asarray(weights, dtype=float)
    present = np.isfinite(differences)
    n = present.sum(axis=1)
    low, high, p = (np.full(len(differences), np.nan) for _ in range(3))
    for pattern in np.unique(present, axis=0):  # rows with the same units share their draws
        rows = (present == pattern).all(axis=1)
        if pattern.sum() < 3:
            continue
        part, part_weights = differences[np.ix_(rows, pattern)], weights[pattern]
        low[rows], high[rows] = _interval(part, part_weights, seed)
        p[rows] = _sign_flip_p(part * part_weights, seed)
    signed_rank = _wilcoxon(differences)
    return PairedTest(low, high, p, signed_rank, n, (np.nan_to_num(differences) > 0).sum(axis=1))


def adjusted(p: np.ndarray) -> np.ndarray:
    """Return Benjamini-Hochberg adjusted p-values; NaN stays NaN and counts for nothing."""
    p = np.asarray(p, dtype=float)
    out = np.full(p.shape, np.nan)
    there = np.isfinite(p)
    if there.any():
        out[there] = false_discovery_control(p[there])
    return out


def _interval(differences: np.ndarray, weights: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    n = differences.shape[1]
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAP) * weights
    means = counts @ differences.T / counts.sum(axis=1, keepdims=True)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return low, high


def _sign_flip_p(differences: np.ndarray, seed: int) -> np.ndarray:
    """Return two-sided p over all sign patterns where there are few units, over random ones (counted in) otherwise."""
    n = differences.shape[1]
    exact = n <= EXACT_UP_TO
    if exact:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(N_FLIPS, n))
    observed = np.abs(differences.sum(axis=1))
    flipped = np.abs(signs @ differences.T)
    as_large = (flipped >= observed * (1 - 1e-12)).sum(axis=0)
    p: np.ndarray = as_large / len(signs) if exact else (as_large + 1) / (len(signs) + 1)
    return p


def _wilcoxon(differences: np.ndarray) -> np.ndarray:
    """Return the signed-rank p of each row; whole rows without ties and zeros are tested in one call."""
    p = np.full(len(differences), np.nan)
    ranked = np.sort(np.abs(differences), axis=1)  # a missing unit is sorted to the end, and NaN is above nothing
    plain = (ranked[:, 0] > 0) & (np.diff(ranked, axis=1) > 0).all(axis=1)
    if plain.any() and differences.shape[1] >= 3:
        p[plain] = wilcoxon(differences[plain], axis=1).pvalue
    else:
        plain[:] = False
    for row in np.flatnonzero(~plain):
        p[row] = _wilcoxon_p(differences[row][np.isfinite(differences[row])])
    return p


def _wilcoxon_p(differences: np.ndarray) -> float:
    if len(differences) < 3:
        return float("nan")
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences).pvalue)
