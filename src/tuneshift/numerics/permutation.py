"""How often chance does as well: whole groups of stimuli change places, so that neighbours stay neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
    scaled = [(_unit(part.predicted), _unit(part.observed)) for part in parts]
    members = [[np.flatnonzero(part.groups == g) for g in dict.fromkeys(part.groups.tolist())] for part in parts]
    true = np.mean([(p * o).sum(axis=0) for p, o in scaled], axis=0)
    at_least = np.ones(true.shape)
    null = np.empty(n_resamples)
    for resample in range(n_resamples):
        r = np.zeros_like(true)
        for (predicted, observed), groups in zip(scaled, members, strict=True):
            order = np.concatenate([groups[place] for place in rng.permutation(len(groups))])
            r += np.einsum("nv,nv->v", predicted[order], observed) / len(parts)
        at_least += r >= true - 1e-12
        null[resample] = r.mean()
    return at_least / (n_resamples + 1), float((1 + (null >= true.mean() - 1e-12).sum()) / (n_resamples + 1)), null


def group_bootstrap(
    parts: Sequence[TestPart], n_resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile interval of the mean r over targets when groups of stimuli are drawn with replacement.

    Groups are drawn within each fold; NaN where no fold has two groups. Of a fold with k groups a draw keeps (1 - 1/k)
    of what lies between groups, so that draws are lower than the score they repeat: their mean is moved to the score.
    """
    rng = np.random.default_rng(seed)
    sums, scores = [], []
    for part in parts:
        p, o = _unit(part.predicted), _unit(part.observed)
        groups = [np.flatnonzero(part.groups == g) for g in dict.fromkeys(part.groups.tolist())]
        scores.append((p * o).sum(axis=0))
        terms = (np.ones_like(p), p, o, p * p, o * o, p * o)
        sums.append(np.stack([[term[rows].sum(axis=0) for term in terms] for rows in groups]))  # (n_groups, 6, v)
    if all(len(each) < 2 for each in sums):
        return float("nan"), float("nan")
    means = np.empty(n_resamples)
    for resample in range(n_resamples):
        found = []
        for each in sums:
            drawn = rng.multinomial(len(each), np.full(len(each), 1 / len(each)))
            n, p, o, pp, oo, po = np.tensordot(drawn, each, axes=1)
            spread = np.sqrt(np.maximum((pp - p * p / n) * (oo - o * o / n), 0))
            found.append(np.divide(po - p * o / n, spread, out=np.zeros_like(spread), where=spread > 1e-12))
        means[resample] = np.mean(found)
    means += np.mean(scores) - means.mean()
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _unit(columns: np.ndarray) -> np.ndarray:
    """Columns centred and of length one, so that their products are correlations; a missing value counts as 0."""
    centred = np.nan_to_num(columns - np.nanmean(columns, axis=0))
    length = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(length > 0, length, np.inf))
