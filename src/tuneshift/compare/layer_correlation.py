"""Rank correlation over the layers of one pair of models, plain and given depth, and one over many pairs.

Numbers of neighbouring layers are alike, so that layers are no sample and one pair has no p: permuting the layers of
smooth curves without any link found one in 26 to 42%. Pairs are a sample, over the base models that they go back to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from tuneshift.compare.jackknife import Correlation, around, half_a_step
from tuneshift.compare.related_models import FEWEST_BASES

FEWEST_LAYERS = 4
FEWEST_LAYERS_GIVEN_DEPTH = 6
"""Depth takes one degree of freedom: what is left of fewer layers has hardly any orders."""
_NOTHING = 1e-9


def linked(change: np.ndarray, movement: np.ndarray) -> float:
    """Return Spearman r over layers (n_layers,); NaN where one of the two is constant."""
    return _product(_centred_ranks(change), _centred_ranks(movement))


def linked_given_depth(change: np.ndarray, movement: np.ndarray, depth: np.ndarray) -> float:
    """Return the partial Spearman r over layers (n_layers,) given depth.

    Ranks of change and movement are regressed on the rank of depth, and what is left of both is correlated. That takes
    out a rise or fall with depth and nothing else. NaN with fewer than 6 layers, or where depth explains all of either.
    """
    along = _unit(_centred_ranks(depth))
    if len(change) < FEWEST_LAYERS_GIVEN_DEPTH or along is None:
        return float("nan")
    left, right = (ranks - (ranks @ along) * along for ranks in map(_centred_ranks, (change, movement)))
    return _product(left, right)


def one_over_pairs(r: Sequence[float], n_layers: Sequence[int], bases: Sequence[str]) -> tuple[Correlation, int]:
    """Return one r over pairs with its interval and p over base models, and how many bases have an r.

    Fisher's z of every pair, averaged within each base and then over bases, with t of bases - 1 degrees of freedom;
    fewer than 3 bases have no interval and no p. Pairs without an r (NaN) are left out.
    """
    by_base: dict[str, list[float]] = {}
    for value, n, base in zip(r, n_layers, bases, strict=True):
        if np.isfinite(value):
            most = 1 - half_a_step(n)
            by_base.setdefault(base, []).append(float(np.arctanh(np.clip(value, -most, most))))
    z = np.array([np.mean(values) for values in by_base.values()])
    nothing = float("nan")
    mean = float(np.tanh(z.mean())) if len(z) else nothing
    if len(z) < FEWEST_BASES:
        return Correlation(mean, nothing, nothing, nothing), len(z)
    return around(mean, float(z.mean()), float(z.std(ddof=1) / np.sqrt(len(z))), len(z) - 1), len(z)


def _product(a: np.ndarray, b: np.ndarray) -> float:
    first, second = _unit(a), _unit(b)
    return float("nan") if first is None or second is None else round(float(first @ second), 12) + 0.0


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = stats.rankdata(values)
    return ranks - ranks.mean()


def _unit(values: np.ndarray) -> np.ndarray | None:
    length = np.linalg.norm(values)
    return values / length if length > _NOTHING else None
