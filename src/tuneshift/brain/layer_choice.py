"""Nested choice of a layer: the layer is chosen on training stimuli, and scored on stimuli that had no say in it."""

from __future__ import annotations

import numpy as np

from tuneshift.brain.ceilings import mean_over_folds
from tuneshift.brain.targets import TargetBlock
from tuneshift.numerics.ridge import fold_scores
from tuneshift.numerics.splits import Fold, contiguous, grouped

_INNER_FOLDS = 3


def nested_scores(
    layers: list[np.ndarray],
    responses: np.ndarray,
    blocks: list[TargetBlock],
    folds: list[Fold],
    by_fold: np.ndarray,
    groups: np.ndarray | None,
) -> tuple[np.ndarray, list[int]]:
    """Return r (v,) with the layer of each fold chosen within its training stimuli, and the layers chosen.

    `layers`: features (n, d) of each layer; `by_fold`: r (L + 1, n_folds, v) already computed on the outer folds;
    `groups`: passages (n,), or None for blocks of time. One layer is chosen for all targets of a fold, by mean r.
    """
    scores = np.full((len(folds), responses.shape[1]), np.nan)
    chosen: list[int] = []
    for number, (train, _) in enumerate(folds):
        quality = [_inner_quality(features, responses, blocks, train, groups) for features in layers]
        best = int(np.argmax(quality))
        chosen.append(best)
        scores[number] = by_fold[best, number]
    return mean_over_folds(scores), chosen


def _inner_quality(
    features: np.ndarray, responses: np.ndarray, blocks: list[TargetBlock], train: np.ndarray, groups: np.ndarray | None
) -> float:
    """Mean r of a layer over inner folds that use training stimuli only."""
    total, count = 0.0, 0
    for block in blocks:
        rows = np.intersect1d(train, block.rows)
        for fold in _inner_folds(rows, groups):
            r = fold_scores(features[rows], responses[np.ix_(rows, block.columns)], fold)
            total += float(np.nansum(r))
            count += int(np.isfinite(r).sum())
    return total / count if count else -np.inf


def _inner_folds(rows: np.ndarray, groups: np.ndarray | None) -> list[Fold]:
    if groups is not None and len(np.unique(groups[rows])) >= _INNER_FOLDS:
        return grouped(groups[rows], _INNER_FOLDS)
    return contiguous(len(rows), _INNER_FOLDS)
