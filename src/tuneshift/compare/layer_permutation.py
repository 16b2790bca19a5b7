"""Rank correlation over layers, plain and given depth, tested by permuting layers within each pair of models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from tuneshift.compare.resampling import SEED

N_PERMUTATIONS = 9999
FEWEST_LAYERS = 4
FEWEST_LAYERS_GIVEN_DEPTH = 6
"""Depth takes one degree of freedom: what is left of fewer layers has hardly any orders to permute."""
_NOTHING = 1e-9


def linked(several: Sequence[tuple[np.ndarray, np.ndarray]], seed: int = SEED) -> tuple[float, float]:
    """Return Spearman r over layers, averaged over pairs, and its two-sided permutation p.

    Each pair is (change of alignment (n_layers,), movement inside (n_layers,)); layers are permuted within each pair
    only, since layers of different models are no exchange for one another. NaN where one of the two is constant.
    """
    generator = np.random.default_rng(seed)
    observed, null = [], []
    for change, movement in several:
        a, b = (_unit(_centred_ranks(values)) for values in (change, movement))
        if a is None or b is None:
            continue
        observed.append(float(a @ b))
        null.append(_orders(generator, a) @ b)
    return _averaged(observed, null)


def linked_given_depth(
    several: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], seed: int = SEED
) -> tuple[float, float]:
    """Return the partial Spearman r over layers given depth, averaged over pairs, and its two-sided permutation p.

    Each pair is (change of alignment, movement inside, depth), (n_layers,) each. Ranks of change and movement are
    regressed on the rank of depth, and what is left of both is correlated. For p, what is left of the change is
    permuted over layers within each pair and regressed on depth again (Freedman & Lane 1983), so that the null keeps
    all that depth explains. That takes out a rise or fall with depth and nothing else: neighbouring layers may still be
    alike, and then p is too small. NaN with fewer than 6 layers, or where depth explains all of either.
    """
    generator = np.random.default_rng(seed)
    observed, null = [], []
    for change, movement, depth in several:
        if len(change) < FEWEST_LAYERS_GIVEN_DEPTH:
            continue
        along = _unit(_centred_ranks(depth))
        if along is None:
            continue
        a, b = (_unit(_without(_centred_ranks(values), along)) for values in (change, movement))
        if a is None or b is None:
            continue
        observed.append(float(a @ b))
        orders = _without(_orders(generator, a), along)
        null.append(orders @ b / np.maximum(np.linalg.norm(orders, axis=1), _NOTHING))
    return _averaged(observed, null)


def _averaged(observed: list[float], null: list[np.ndarray]) -> tuple[float, float]:
    if not observed:
        return float("nan"), float("nan")
    r, permuted = float(np.mean(observed)), np.mean(null, axis=0)
    p = (np.sum(np.abs(permuted) >= abs(r) - 1e-12) + 1) / (N_PERMUTATIONS + 1)
    return round(r, 12) + 0.0, float(p)


def _orders(generator: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Return random orders of values (N_PERMUTATIONS, n)."""
    orders: np.ndarray = generator.permuted(np.tile(values, (N_PERMUTATIONS, 1)), axis=1)
    return orders


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = stats.rankdata(values)
    return ranks - ranks.mean()


def _without(values: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return values (..., n) without their part along a direction of length 1 (n,)."""
    left: np.ndarray = values - (values @ direction)[..., None] * direction
    return left


def _unit(values: np.ndarray) -> np.ndarray | None:
    length = np.linalg.norm(values)
    return values / length if length > _NOTHING else None
