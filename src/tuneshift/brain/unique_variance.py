"""What a model explains beyond the text's surface: held-out r2 of both together, less that of the surface alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from tuneshift.brain.mappings import Encoding, within
from tuneshift.numerics.banded_ridge import banded_predictions
from tuneshift.numerics.resampling import mean_over_folds
from tuneshift.numerics.ridge import pearson
from tuneshift.numerics.splits import Fold
from tuneshift.progress import Progress, silent


def unique_variance(
    features_of_fold: Callable[[int], np.ndarray], nuisance: np.ndarray, encoding: Encoding, progress: Progress = silent
) -> tuple[np.ndarray, np.ndarray]:
    """Return unique r2 (v,) on held-out stimuli, and two limits (2, v) for unlimited training stimuli.

    Unique r2 is r|r| of [model + nuisance] minus r|r| of [nuisance], r between held-out predictions and responses,
    averaged over folds before it is squared (and r|r| rather than r^2, so that chance gives 0 on average). Both are
    banded ridge regressions. `features_of_fold(k)` (n, d) are those of the layer chosen in fold k; `nuisance` is
    (n, m).

    A mapping learned from few stimuli predicts less than there is to predict. The second numbers continue the step
    from half of the training stimuli to all of them to infinitely many: as if what is missing fell with 1 / n, as for
    few directions well separated from noise, and with 1 / sqrt(n), as for many weak ones. The truth lies between.
    """
    full: list[np.ndarray] = []
    from_half: list[np.ndarray] = []
    for number, (train, test) in enumerate(encoding.folds):
        bands = (features_of_fold(number), nuisance)
        full.append(_scores(bands, encoding, (train, test)))
        from_half += [_scores(bands, encoding, (half, test)) for half in _halves(train, encoding)]
        progress("brain, unique variance", number + 1, len(encoding.folds))
    found = _difference(full)
    step = found - _difference(from_half)
    return found, np.stack([found + step / (2**rate - 1) for rate in (1.0, 0.5)])


def _difference(scores: list[np.ndarray]) -> np.ndarray:
    """Squared r of both bands less that of nuisance, (v,), from r (2, v) of each fold."""
    both, alone = (mean_over_folds(np.stack([fold[i] for fold in scores])) for i in (0, 1))
    return np.asarray(both * np.abs(both) - alone * np.abs(alone))


def _scores(bands: tuple[np.ndarray, np.ndarray], encoding: Encoding, fold: Fold) -> np.ndarray:
    """Return r (2, v) of held-out predictions from both bands, and from the second alone."""
    out = np.full((2, encoding.n_targets), np.nan)
    for block in encoding.blocks:
        responses = encoding.data.values[np.ix_(block.rows, block.columns)]
        ((train, test),) = within([fold], block.rows)
        own = [band[block.rows] for band in bands]
        for row, given in enumerate((own, own[1:])):
            predicted = banded_predictions(given, responses, (train, test))
            out[row, block.columns] = pearson(torch.as_tensor(predicted), torch.as_tensor(responses[test])).numpy()
    return out


def _halves(train: np.ndarray, encoding: Encoding) -> list[np.ndarray]:
    """Two halves of the training stimuli: every other passage, or the earlier and the later half."""
    rows = np.sort(train)
    if encoding.groups is not None:
        passages = list(dict.fromkeys(encoding.groups[rows].tolist()))
        if len(passages) >= 8:
            return [rows[np.isin(encoding.groups[rows], passages[start::2])] for start in (0, 1)]
    return list(np.array_split(rows, 2))
