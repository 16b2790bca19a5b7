"""Whether two sets of patterns over the same stimuli have the same geometry: RSA and CKA, without any fitting."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

_FEWEST_FOR_CORRELATION = 5  # the correlation of two patterns of fewer values says next to nothing


def dissimilarities(patterns: np.ndarray) -> np.ndarray:
    """Return the dissimilarity of all pairs of stimuli, (n (n - 1) / 2,), of patterns (n, k).

    One minus the correlation of two stimuli's patterns (Kriegeskorte et al. 2008), each column standardised first;
    for fewer than five columns their Euclidean distance. NaN where a pattern is constant.
    """
    spread = patterns.std(axis=0)
    columns = (patterns - patterns.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    if columns.shape[1] < _FEWEST_FOR_CORRELATION:
        return pdist(columns) if columns.shape[1] else np.full(len(patterns) * (len(patterns) - 1) // 2, np.nan)
    centred = columns - columns.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1)
    correlation = centred @ centred.T / np.where(length > 0, np.outer(length, length), np.nan)
    return np.asarray(1 - correlation[np.triu_indices(len(patterns), 1)])


def rsa(X: np.ndarray, Y: np.ndarray) -> float:
    """Return the Spearman correlation of the dissimilarities of X (n, d) and of Y (n, k); NaN where one is constant."""
    a, b = dissimilarities(np.asarray(X, dtype=np.float64)), dissimilarities(np.asarray(Y, dtype=np.float64))
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 3:
        return float("nan")
    ranks = [rankdata(side[both]) for side in (a, b)]
    if any(np.ptp(side) == 0 for side in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def linear_cka(X: np.ndarray, Y: np.ndarray, debiased: bool = True) -> float:
    """Return linear centred kernel alignment of X (n, d) and Y (n, k) (Kornblith et al. 2019); 1 for equal geometry.

    `debiased` (Song et al. 2012) has expectation 0 for unrelated patterns, and may be negative. The plain estimate
    does not: with more units than stimuli it is far above 0 for noise. NaN where one side does not vary.
    """
    kernels = []
    for side in (X, Y):
        columns = np.asarray(side, dtype=np.float64)
        columns = columns - columns.mean(axis=0)
        kernels.append(columns @ columns.T)
    alignment = _unbiased if debiased else _plain
    own = [alignment(kernel, kernel) for kernel in kernels]
    if min(own) <= 0:
        return float("nan")
    return float(alignment(*kernels) / np.sqrt(own[0] * own[1]))


def _plain(K: np.ndarray, L: np.ndarray) -> float:
    return float((K * L).sum())


def _unbiased(K: np.ndarray, L: np.ndarray) -> float:
    """The unbiased estimate of HSIC (Song et al. 2012, equation 5) but for a factor of n that cancels."""
    n = len(K)
    if n < 4:
        return 0.0
    K, L = (kernel - np.diag(np.diag(kernel)) for kernel in (K, L))
    k, l = K.sum(axis=0), L.sum(axis=0)  # noqa: E741  K and L are the two kernels of the paper
    return float((K * L).sum() + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * (k @ l) / (n - 2))
