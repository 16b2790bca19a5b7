"""What a model explains beyond the text's surface: held-out r2 of both together, less that of the surface alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from tuneshift.brain.encoding import Encoding
from tuneshift.brain.partition import FEWEST, Split
from tuneshift.errors import BadInput
from tuneshift.numerics.banded_ridge import banded
from tuneshift.numerics.resampling import mean_of_known
from tuneshift.numerics.ridge import pearson
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
    for number, split in enumerate(encoding.splits):
        bands = (features_of_fold(number), nuisance)
        full.append(_scores(bands, encoding, split))
        from_half += [_scores(bands, encoding, half) for half in _halves(split, encoding)]
        progress("brain, unique variance", number + 1, len(encoding.splits))
    found = _difference(full)
    if len(from_half) < 2 * len(full):
        return found, np.full((2, len(found)), np.nan)
    step = found - _difference(from_half)
    return found, np.stack([found + step / (2**rate - 1) for rate in (1.0, 0.5)])


def _difference(scores: list[np.ndarray]) -> np.ndarray:
    """Squared r of both bands less that of nuisance, (v,), from r (2, v) of each fold."""
    both, alone = (mean_of_known(np.stack([fold[i] for fold in scores])) for i in (0, 1))
    return np.asarray(both * np.abs(both) - alone * np.abs(alone))


def _scores(bands: tuple[np.ndarray, np.ndarray], encoding: Encoding, split: Split) -> np.ndarray:
    """Return r (2, v) of held-out predictions from both bands, and from the second alone."""
    out = np.full((2, encoding.n_targets), np.nan)
    cleaned = [tuple(encoding.cut.cleaned(band, part) for part in (split.train, split.test)) for band in bands]
    for block in encoding.blocks:
        train, test, inner = split.within(block.rows)
        if min(len(train), len(test)) < FEWEST or not inner:
            continue
        seen = encoding.responses(block.columns, block.rows, split.train)[train]
        held_out = encoding.responses(block.columns, block.rows, split.test)[test]
        own = [(before[train], after[test]) for before, after in cleaned]
        for row, given in enumerate((own, own[1:])):
            predicted = banded(given, seen, inner=inner, device=encoding.device)
            out[row, block.columns] = pearson(torch.as_tensor(predicted), torch.as_tensor(held_out)).numpy()
    return out


def _halves(split: Split, encoding: Encoding) -> list[Split]:
    """Learn from half of the training rows: every other passage, or the earlier and the later half.

    None where halves are too short to be cut once more, to choose penalties.
    """
    rows, groups = split.train.rows, encoding.cut.groups
    halves = list(np.array_split(rows, 2))
    if groups is not None:
        passages = list(dict.fromkeys(groups[rows].tolist()))
        if len(passages) >= 8:
            halves = [rows[np.isin(groups[rows], passages[start::2])] for start in (0, 1)]
    try:
        return [encoding.cut.split(half, split.test.rows) for half in halves]
    except BadInput:
        return []
