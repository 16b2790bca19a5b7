"""Which stimuli are held out: whole passages, blocks of time, or a random tenth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import GroupKFold, ShuffleSplit

from tuneshift.errors import BadInput

Fold = tuple[np.ndarray, np.ndarray]
"""Row numbers of training and of test stimuli."""


def grouped(groups: Sequence[object] | np.ndarray, n_folds: int = 5) -> list[Fold]:
    """Hold out whole groups (passages, stories): no group stands on both sides (methods, section 1).

    Raises BadInput for fewer groups than folds.
    """
    labels = np.asarray([str(group) for group in groups])
    n_groups = len(np.unique(labels))
    if n_groups < n_folds:
        raise BadInput(
            f"grouped splits into {n_folds} folds need at least {n_folds} passages, and there are {n_groups}; "
            "use fewer folds, or the contiguous split."
        )
    rows = np.zeros((len(labels), 1))
    return [(train, test) for train, test in GroupKFold(n_folds).split(rows, groups=labels)]


def contiguous(n_stimuli: int, n_folds: int = 5, gap: int = 0) -> list[Fold]:
    """Hold out blocks of neighbouring rows, with `gap` rows on both sides in neither part.

    Raises BadInput where nothing would be left to train on.
    """
    if n_stimuli < 2 * n_folds:
        raise BadInput(f"{n_stimuli} stimuli are too few for {n_folds} contiguous folds; use fewer folds.")
    everything = np.arange(n_stimuli)
    folds = []
    for block in np.array_split(everything, n_folds):
        near = (everything >= block[0] - gap) & (everything <= block[-1] + gap)
        if near.all():
            raise BadInput(f"a gap of {gap} rows around each block leaves none of {n_stimuli} stimuli to train on.")
        folds.append((everything[~near], block))
    return folds


def shuffled(n_stimuli: int, n_folds: int = 10, test_share: float = 0.1, seed: int = 0) -> list[Fold]:
    """Hold out a random tenth, ten times (paper 1's split): neighbours leak from training to test.

    Raises BadInput where a tenth is less than two stimuli.
    """
    if n_stimuli * test_share < 2:
        raise BadInput(f"{n_stimuli} stimuli are too few for random splits that hold out {test_share:.0%}.")
    rows = np.zeros((n_stimuli, 1))
    return list(ShuffleSplit(n_folds, test_size=test_share, random_state=seed).split(rows))
