"""Which stimuli are held out: whole passages, blocks of time, or a random tenth; and which are left out within."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import GroupKFold, ShuffleSplit

from tuneshift.errors import BadInput

Fold = tuple[np.ndarray, np.ndarray]
"""Row numbers of training and of test stimuli."""

INNER_FOLDS = 5
"""In how many parts the training stimuli are left out, one after the other, to choose penalties and layers."""


def grouped(groups: Sequence[object] | np.ndarray, n_folds: int = 5) -> list[Fold]:
    """Hold out whole groups (passages, stories): no group stands on both sides (methods, section 1).

    Raises BadInput for fewer groups than folds.
    """
    labels = np.asarray([str(group) for group in groups])
    n_groups = len(np.unique(labels))
    if n_groups < n_folds:
        raise BadInput(
            f"grouped splits into {n_folds} folds need at least {n_folds} groups to hold out, and there are "
            f"{n_groups}; use fewer folds."
        )
    rows = np.zeros((len(labels), 1))
    return [(train, test) for train, test in GroupKFold(n_folds).split(rows, groups=labels)]


def contiguous(n_stimuli: int, n_folds: int = 5, gap: float = 0, place: np.ndarray | None = None) -> list[Fold]:
    """Hold out blocks of neighbouring rows, with a `gap` on both sides in neither part.

    `place` (n_stimuli,) is where each row lies, in the unit of the gap (seconds); by default its number.
    Raises BadInput where nothing would be left to train on.
    """
    if n_stimuli < 2 * n_folds:
        raise BadInput(f"{n_stimuli} stimuli are too few for {n_folds} contiguous folds; use fewer folds.")
    everything = np.arange(n_stimuli)
    place = everything if place is None else place
    folds = []
    for block in np.array_split(everything, n_folds):
        train, test = with_gap((np.setdiff1d(everything, block), block), place, gap)
        if not len(train):
            raise BadInput(f"a gap of {gap:g} around each block leaves none of {n_stimuli} stimuli to train on.")
        folds.append((train, test))
    return folds


def shuffled(n_stimuli: int, n_folds: int = 10, test_share: float = 0.1, seed: int = 0) -> list[Fold]:
    """Hold out a random tenth, ten times (paper 1's split): neighbours leak from training to test.

    Raises BadInput where a tenth is less than two stimuli.
    """
    if n_stimuli * test_share < 2:
        raise BadInput(f"{n_stimuli} stimuli are too few for random splits that hold out {test_share:.0%}.")
    rows = np.zeros((n_stimuli, 1))
    return list(ShuffleSplit(n_folds, test_size=test_share, random_state=seed).split(rows))


def with_gap(fold: Fold, place: np.ndarray, gap: float) -> Fold:
    """Return the fold without the training rows that lie within `gap` of a test row; `place` (n,) is where rows lie."""
    train, test = fold
    if gap <= 0 or not len(test):
        return fold
    held = np.sort(place[test].astype(np.float64))
    mine = place[train].astype(np.float64)
    after = np.searchsorted(held, mine)
    apart = np.minimum(
        np.abs(mine - held[np.minimum(after, len(held) - 1)]), np.abs(mine - held[np.maximum(after - 1, 0)])
    )
    return train[apart > gap * (1 + 1e-9)], test


def inner_folds(
    n_stimuli: int,
    groups: np.ndarray | None = None,
    gap: float = 0,
    place: np.ndarray | None = None,
    n_folds: int = INNER_FOLDS,
) -> list[Fold]:
    """Return the parts of training stimuli that are left out to choose a penalty or a layer (methods, section 1).

    Whole groups where there are two at least, else blocks of neighbouring rows; with the gap of the split outside.
    Never single rows, whose neighbours would give the answer away. Lone sentences are groups of one.

    A part that leaves, with its gap, fewer than two rows to train on is none. Raises BadInput where no part is left.
    """
    place = np.arange(n_stimuli) if place is None else place
    everything = np.arange(n_stimuli)
    n_groups = 0 if groups is None else len(np.unique(groups))
    if groups is not None and n_groups >= 2:
        folds = grouped(groups, min(n_folds, n_groups))
    else:
        n_blocks = max(2, min(n_folds, n_stimuli // 2))
        folds = [(np.setdiff1d(everything, block), block) for block in np.array_split(everything, n_blocks)]
    folds = [fold for fold in (with_gap(fold, place, gap) for fold in folds) if len(fold[0]) >= 2]
    if not folds:
        raise BadInput(
            f"{n_stimuli} training stimuli are too few to choose penalties: a part of them with a gap of {gap:g} on "
            "both sides leaves nothing to fit; use fewer folds, or longer recordings."
        )
    return folds
