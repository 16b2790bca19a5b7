"""Linear CKA: how alike two sets of representations of the same stimuli are."""

from __future__ import annotations

import numpy as np
import torch

from tuneshift.numerics.threads import one_thread

_N_BOOT = 500
_FEWEST_DOCUMENTS = 4


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Return linear CKA of representations (n_stimuli, d1) and (n_stimuli, d2); NaN where one is constant.

    Centred over stimuli; 1 for representations that are rotations or uniform scalings of each other (Kornblith et al.
    2019). With fewer stimuli than units even unrelated representations come out high: compare like with like.
    """
    return cka_with_interval(first, second, np.zeros(len(first), dtype=int))[0]


def cka_with_interval(
    first: np.ndarray, second: np.ndarray, documents: np.ndarray, seed: int = 0
) -> tuple[float, float, float]:
    """Return linear CKA as in `linear_cka` and its 95% bootstrap interval; whole documents are drawn.

    `documents` (n_stimuli,) are numbers from 0; with fewer than 4 the interval is NaN.
    """
    n = int(documents.max()) + 1
    counts = np.ones((1, n))
    if n >= _FEWEST_DOCUMENTS:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_N_BOOT)
        counts = np.concatenate([counts, drawn])
    with one_thread(len(first) <= 1000):
        values = _cka(_gram(first), _gram(second), torch.from_numpy(counts[:, documents]).double()).numpy()
    if n < _FEWEST_DOCUMENTS or np.isnan(values[1:]).all():
        return float(values[0]), float("nan"), float("nan")
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return float(values[0]), float(low), float(high)


def _gram(states: np.ndarray) -> torch.Tensor:
    """Return the inner products (n_stimuli, n_stimuli) of states (n_stimuli, d), centred over stimuli."""
    centred = torch.from_numpy(states).double()
    centred = centred - centred.mean(dim=0)
    return centred @ centred.T


def _cka(first: torch.Tensor, second: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return CKA of inner products, one value for each row of counts (n_samples, n_stimuli): how often each stands."""
    own = _dependence(first, first, counts) * _dependence(second, second, counts)
    return (_dependence(first, second, counts) / torch.where(own > 0, own, torch.nan).sqrt()).clamp(max=1)


def _dependence(first: torch.Tensor, second: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the sum of products of two matrices of inner products, both centred over stimuli that stand so often.

    Written out, centring takes sums over rows only, so that no matrix is resampled or centred anew.
    """
    total = counts.sum(dim=1)
    rows, columns = counts @ first, counts @ second
    products = ((counts @ (first * second)) * counts).sum(dim=1)
    means = (rows * columns * counts).sum(dim=1)
    grand = (rows * counts).sum(dim=1) * (columns * counts).sum(dim=1)
    found: torch.Tensor = products - 2 * means / total + grand / total**2
    return found
