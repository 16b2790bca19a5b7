"""From hidden states to responses: what is fitted, on which stimuli, and the score of one fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr

from tuneshift.brain.targets import TargetBlock
from tuneshift.numerics.least_squares import least_squares_predictions, least_squares_scores
from tuneshift.numerics.ridge import fold_predictions, fold_scores
from tuneshift.numerics.similarity import linear_cka, rsa
from tuneshift.numerics.splits import Fold

Mapping = Literal["ridge", "linear", "rsa", "cka"]


@dataclass(frozen=True)
class Encoding:
    """What is to be predicted and how: everything but the features.

    `data` is stimulus x target, `blocks` its targets by the stimuli they have, `groups` the passage of each stimulus
    (n,) where whole passages are held out, else None; `gap` the rows beside a held-out block that are in neither part.
    """

    data: xr.DataArray
    blocks: list[TargetBlock]
    folds: list[Fold]
    mapping: Mapping = "ridge"
    groups: np.ndarray | None = None
    device: str = "cpu"
    gap: int = 0
    patterns: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", pattern_labels(self.data))

    @property
    def n_targets(self) -> int:
        """How many targets, scored or not."""
        return int(self.data.shape[1])

    def scores(self, features: np.ndarray, folds: Sequence[Fold]) -> np.ndarray:
        """Return the score (n_folds, v) of features (n, d) in each fold, NaN where a target cannot be scored."""
        out = np.full((len(folds), self.n_targets), np.nan)
        for block in self.blocks:
            responses = _columns(self.data.values, block)
            labels = self.patterns[block.columns]
            for number, fold in enumerate(within(folds, block.rows)):
                out[number, block.columns] = fold_score(
                    self.mapping, features[block.rows], responses, fold, labels, self.device
                )
        return out

    def predictions(self, features: np.ndarray, fold: Fold) -> np.ndarray:
        """Return what is predicted (n_test, v) for the test stimuli of a fold, NaN where a target was not recorded."""
        out = np.full((len(fold[1]), self.n_targets), np.nan)
        for block in self.blocks:
            responses = _columns(self.data.values, block)
            ((train, test),) = within([fold], block.rows)
            if self.mapping == "linear":
                predicted = least_squares_predictions(features[block.rows], responses, (train, test))
            else:
                predicted = fold_predictions(features[block.rows], responses, (train, test), device=self.device).values
            out[np.ix_(np.flatnonzero(np.isin(fold[1], block.rows)), block.columns)] = predicted
        return out


def fold_score(
    mapping: Mapping, features: np.ndarray, responses: np.ndarray, fold: Fold, labels: np.ndarray, device: str = "cpu"
) -> np.ndarray:
    """Return the score (v,) of features (n, d) for responses (n, v) in one fold.

    Ridge and least squares: Pearson r of predictions, fitted to the training stimuli, and responses to the test
    stimuli. RSA and CKA fit nothing: the geometry of the test stimuli in the features against that in the targets
    that share a label (v,), which all get the same score.
    """
    if mapping == "ridge":
        return fold_scores(features, responses, fold, device=device)
    if mapping == "linear":
        return least_squares_scores(features, responses, fold)
    compare = rsa if mapping == "rsa" else linear_cka
    _, test = fold
    scores = np.full(responses.shape[1], np.nan)
    for label in np.unique(labels):
        scores[labels == label] = compare(features[test], responses[np.ix_(test, np.flatnonzero(labels == label))])
    return scores


def pattern_labels(data: xr.DataArray) -> np.ndarray:
    """Return which targets (v,) form a pattern together, for RSA and CKA: a participant's region.

    Where a participant has one target a region, all regions of that participant.
    """
    participants, regions = data["participant"].values, data["region"].values
    both = np.array([f"{p}\n{r}" for p, r in zip(participants, regions, strict=True)])
    return both if len(set(both)) < len(both) else np.asarray(participants).astype(str)


def within(folds: Sequence[Fold], rows: np.ndarray) -> list[Fold]:
    """Folds as row numbers within a selection of rows."""
    return [(np.flatnonzero(np.isin(rows, train)), np.flatnonzero(np.isin(rows, test))) for train, test in folds]


def _columns(values: np.ndarray, block: TargetBlock) -> np.ndarray:
    """The block's responses, without a copy where it is everything."""
    return (
        values if values.shape == (len(block.rows), len(block.columns)) else values[np.ix_(block.rows, block.columns)]
    )
