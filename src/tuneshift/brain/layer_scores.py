"""Scores of every layer, one layer in memory at a time, and the layer chosen without the stimuli it is scored on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuneshift.brain.layer_features import LayerFeatures
from tuneshift.brain.mappings import Encoding
from tuneshift.numerics.resampling import mean_over_folds
from tuneshift.numerics.splits import Fold, contiguous, grouped
from tuneshift.progress import Progress, silent

_INNER_PASSAGES = 3
_INNER_BLOCKS = 5


@dataclass(frozen=True)
class LayerScores:
    """Scores of all layers: `by_fold` (L + 1, n_folds, v); `chosen`, the layer of each fold, empty if not asked for."""

    by_fold: np.ndarray
    chosen: tuple[int, ...]

    @property
    def layers(self) -> np.ndarray:
        """Scores (L + 1, v), averaged over folds."""
        return np.stack([mean_over_folds(layer) for layer in self.by_fold])

    @property
    def nested(self) -> np.ndarray | None:
        """Scores (v,), in each fold those of the layer that was best within its training stimuli."""
        if not self.chosen:
            return None
        return mean_over_folds(np.stack([self.by_fold[layer, fold] for fold, layer in enumerate(self.chosen)]))


def score_layers(
    features: LayerFeatures, encoding: Encoding, nested: bool = True, progress: Progress = silent
) -> LayerScores:
    """Score every layer in every fold; with `nested`, choose for each fold one layer for all targets.

    The choice is by mean score over inner folds of the training stimuli: three of whole passages where whole passages
    are held out, else five blocks of time, with the same gap as outside.
    """
    n_folds = len(encoding.folds)
    by_fold = np.full((features.n_layers, n_folds, encoding.n_targets), np.nan)
    quality = np.full((features.n_layers, n_folds), -np.inf)
    inner = [_inner_folds(train, encoding) for train, _ in encoding.folds] if nested else []
    for layer in range(features.n_layers):
        values = features.layer(layer)
        by_fold[layer] = encoding.scores(values, encoding.folds)
        for fold, folds in enumerate(inner):
            scores = encoding.scores(values, folds)
            if np.isfinite(scores).any():
                quality[layer, fold] = np.nanmean(scores)
        progress("brain, layers", layer + 1, features.n_layers)
    return LayerScores(by_fold, tuple(int(best) for best in quality.argmax(axis=0)) if nested else ())


def _inner_folds(train: np.ndarray, encoding: Encoding) -> list[Fold]:
    """Folds of the training stimuli alone, as rows of the recording."""
    rows = np.sort(train)
    if encoding.groups is not None and len(np.unique(encoding.groups[rows])) >= _INNER_PASSAGES:
        folds = grouped(encoding.groups[rows], _INNER_PASSAGES)
    else:
        folds = contiguous(len(rows), min(_INNER_BLOCKS, len(rows) // 2), encoding.gap)
    return [(rows[a], rows[b]) for a, b in folds]
