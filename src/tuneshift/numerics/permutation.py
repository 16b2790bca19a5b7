"""How often chance does as well: whole groups of stimuli change places, so that neighbours stay neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneshift.numerics.resampling import mean_of_known


@dataclass(frozen=True)
class TestPart:
    """The test stimuli of one fold: predictions and responses (n_test, v), and the group of each stimulus (n_test,)."""

    __test__ = False  # no test of pytest's

    predicted: np.ndarray
    observed: np.ndarray
    groups: np.ndarray


def group_permutation(
    parts: Sequence[TestPart], n_resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return p (v,) of each target, p of their mean, and the mean's null distribution (n_resamples,).

    The statistic is Pearson r within each fold's test stimuli, averaged over folds; under the null the groups of a
    fold stand in random order, and their predictions are laid beside responses in the true order. One-sided, with
    the true order counted: p >= 1 / (n_resamples + 1).
    """
    rng = np.random.default_rng(seed)
    scaled = [(_unit(part.predicted, part.observed), _unit(part.observed, part.predicted)) for part in parts]
    members = [[np.flatnonzero(part.groups == g) for g in dict.fromkeys(part.groups.tolist())] for part in parts]
    scored = np.stack([_varies(part) for part in parts])  # a fold in which a target was not recorded is missing, not 0
    counted = np.maximum(scored.sum(axis=0), 1)
    true = np.sum([(p * o).sum(axis=0) for p, o in scaled], axis=0) / counted
    at_least = np.ones(true.shape)
    null = np.empty(n_resamples)
    known = scored.any(axis=0)
    for resample in range(n_resamples):
        r = np.zeros_like(true)
        for (predicted, observed), groups in zip(scaled, members, strict=True):
            order = np.concatenate([groups[place] for place in rng.permutation(len(groups))])
            r += np.einsum("nv,nv->v", predicted[order], observed) / counted
        at_least += r >= true - 1e-12
        null[resample] = r[known].mean()
    p = np.where(known, at_least / (n_resamples + 1), np.nan)
    return p, float((1 + (null >= true[known].mean() - 1e-12).sum()) / (n_resamples + 1)), null


def group_bootstrap(
    parts: Sequence[TestPart], n_resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval of the mean r over targets when groups of stimuli are drawn with replacement.

    Groups are drawn within each fold; NaN where no fold has two groups. Of a fold with k groups a draw keeps (1 - 1/k)
    of what lies between groups, so that draws are lower than the score they repeat: their mean is moved to the score.
    """
    rng = np.random.default_rng(seed)
    sums = []
    scored = np.stack([_varies(part) for part in parts])
    for part in parts:
        known = np.isfinite(part.predicted) & np.isfinite(part.observed)
        p, o = (np.where(known, _unit(*sides), 0) for sides in ((part.predicted, part.observed),
                                                                (part.observed, part.predicted)))  # fmt: skip
        groups = [np.flatnonzero(part.groups == g) for g in dict.fromkeys(part.groups.tolist())]
        terms = (known, p, o, p * p, o * o, p * o)
        sums.append(np.stack([[term[rows].sum(axis=0) for term in terms] for rows in groups]))  # (n_groups, 6, v)
    if all(len(each) < 2 for each in sums):
        return float("nan"), float("nan")

    def score(weights: list[np.ndarray]) -> float:
        found = [_r(np.tensordot(drawn, each, axes=1)) for drawn, each in zip(weights, sums, strict=True)]
        return float(np.nanmean(mean_of_known(np.where(scored, np.stack(found), np.nan))))

    means = np.empty(n_resamples)
    for resample in range(n_resamples):
        means[resample] = score([rng.multinomial(len(each), np.full(len(each), 1 / len(each))) for each in sums])
    means += score([np.ones(len(each)) for each in sums]) - means.mean()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _r(sums: np.ndarray) -> np.ndarray:
    """Pearson r (v,) from sums (6, v) of ones, p, o, p^2, o^2 and p o."""
    n, p, o, pp, oo, po = sums
    n = np.maximum(n, 1)
    spread = np.sqrt(np.maximum((pp - p * p / n) * (oo - o * o / n), 0))
    return np.divide(po - p * o / n, spread, out=np.zeros_like(spread), where=spread > 1e-12)


def _varies(part: TestPart) -> np.ndarray:
    """Which targets (v,) have a correlation in this fold: three stimuli with a response that is not constant."""
    known = np.isfinite(part.predicted) & np.isfinite(part.observed)
    low = np.where(known, part.observed, np.inf).min(axis=0)
    return np.asarray((known.sum(axis=0) >= 3) & (np.where(known, part.observed, -np.inf).max(axis=0) > low))


def _unit(columns: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Columns centred and of length one, so that products are correlations, over the rows that `beside` has as well."""
    known = np.isfinite(columns) & np.isfinite(beside)
    mean = np.where(known, columns, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, columns - mean, 0)
    length = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(length > 0, length, np.inf))
