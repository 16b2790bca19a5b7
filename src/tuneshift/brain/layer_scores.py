"""Scores of every layer, one layer in memory at a time, and the layer chosen without the stimuli it is scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tuneshift.brain.encoding import Encoding
from tuneshift.brain.layer_features import LayerFeatures
from tuneshift.brain.surrogates import DEFAULT_SURROGATES, Variant, as_recorded
from tuneshift.numerics.resampling import mean_of_known
from tuneshift.progress import Progress, silent


@dataclass(frozen=True)
class LayerScores:
    """Scores of all layers: `by_fold` (L + 1, n_folds, v); `chosen`, the layer of each fold."""

    by_fold: np.ndarray
    chosen: tuple[int, ...]

    @property
    def layers(self) -> np.ndarray:
        """Scores (L + 1, v), averaged over folds."""
        return np.stack([mean_of_known(layer) for layer in self.by_fold])

    @property
    def nested(self) -> np.ndarray:
        """Scores (v,), in each fold those of the layer that was best within its training stimuli."""
        return mean_of_known(np.stack([self.by_fold[layer, fold] for fold, layer in enumerate(self.chosen)]))


@dataclass(frozen=True)
class SurrogateScores:
    """Mean scores of recordings without a relation to the text: `nested` (k,), `layers` (k, L + 1).

    Means over a participant's targets, then over participants; `real` is that of the recording itself.
    """

    nested: np.ndarray
    layers: np.ndarray
    real: float

    @property
    def p(self) -> float:
        """How often a surrogate scores as high as the recording; it counts itself as one of them."""
        if not np.isfinite(self.real):
            return float("nan")
        return float((1 + (self.nested >= self.real).sum()) / (1 + len(self.nested)))

    @property
    def standard_error(self) -> float:
        """Of the mean over surrogates."""
        return float(self.nested.std(ddof=1) / np.sqrt(len(self.nested))) if len(self.nested) > 1 else float("nan")

    @property
    def reach(self) -> float:
        """How far the mean of scores that are 0 may be from it: two standard errors, for fewer than 20 Student's t."""
        n = len(self.nested)
        if n < 2:
            return float("nan")
        return self.standard_error * (2.0 if n >= DEFAULT_SURROGATES else float(stats.t.ppf(0.975, n - 1)))


def score_layers(
    features: LayerFeatures,
    encoding: Encoding,
    variants: Sequence[Variant] = (),
    progress: Progress = silent,
) -> tuple[LayerScores, SurrogateScores | None]:
    """Score every layer in every fold, and choose for each fold one layer for all targets.

    A layer is chosen by how well it predicts training stimuli that are left out in parts, the same by which penalties
    are chosen: mean over targets of the share of variance (ridge), of r (least squares), of likeness (RSA, CKA).
    `variants` of the responses go the same way, each with layers and penalties of its own; what only the text needs
    is computed once for all of them.
    """
    n_folds, n_layers = len(encoding.splits), features.n_layers
    every = (as_recorded, *variants)
    people = encoding.data["participant"].values
    names, owner = np.unique(people, return_inverse=True)
    by_fold = np.full((n_layers, n_folds, encoding.n_targets), np.nan)
    quality, means = _Sums((len(every), n_layers, n_folds, 1)), _Sums((len(every), n_layers, n_folds, len(names)))
    for layer in range(n_layers):
        values = features.layer(layer)
        for fold in range(n_folds):
            for which, columns, score, good in encoding.variant_scores(values, fold, every):
                if which == 0:
                    by_fold[layer, fold, columns] = score
                quality.add((which, layer, fold), np.zeros(len(columns), dtype=int), good)
                means.add((which, layer, fold), owner[columns], score)
        progress("brain, layers", layer + 1, n_layers)
    goodness = np.nan_to_num(quality.mean[..., 0], nan=-np.inf)
    chosen = goodness.argmax(axis=1)  # (variants, n_folds)
    found = LayerScores(by_fold, tuple(int(layer) for layer in chosen[0]))
    if not variants:
        return found, None
    by_person = means.mean  # (variants, layers, folds, people)
    nested = np.stack([by_person[i, chosen[i], np.arange(n_folds)] for i in range(len(every))])
    overall = mean_of_known(mean_of_known(nested, 1), -1)
    return found, SurrogateScores(overall[1:], mean_of_known(mean_of_known(by_person, 2), -1)[1:], float(overall[0]))


class _Sums:
    """Running means of what is known, by group."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.total, self.count = np.zeros(shape), np.zeros(shape)

    def add(self, where: tuple[int, ...], group: np.ndarray, values: np.ndarray) -> None:
        known = np.isfinite(values)
        n = self.total.shape[-1]
        self.total[where] += np.bincount(group[known], values[known], minlength=n)
        self.count[where] += np.bincount(group[known], minlength=n)

    @property
    def mean(self) -> np.ndarray:
        return np.divide(self.total, self.count, out=np.full(self.total.shape, np.nan), where=self.count > 0)
