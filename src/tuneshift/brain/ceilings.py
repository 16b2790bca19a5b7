"""Noise ceilings: how well a person's responses can be predicted at all, judged by other people's."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tuneshift.numerics.ridge import fold_scores
from tuneshift.numerics.splits import Fold


def leave_one_out(data: xr.DataArray, folds: list[Fold]) -> np.ndarray:
    """Return the ceiling r (v,) of each target: how well all other participants predict it (methods 1, (a)).

    Where every participant has one target a region (regions of interest), the prediction is the mean of the others in
    that region. Where there are many (voxels, which do not correspond between people), it is a ridge regression from
    all targets of the others that saw the same stimuli, on the folds of the model's own score. Like that score, r is
    computed within the test stimuli of each fold and averaged. NaN where no other participant can predict.
    """
    keys = list(zip(data["participant"].values, data["region"].values, strict=True))
    if len(set(keys)) == len(keys):
        return _from_same_region(data, folds)
    return _from_all_targets(data, folds)


def _from_same_region(data: xr.DataArray, folds: list[Fold]) -> np.ndarray:
    values = data.values
    participants, regions = data["participant"].values, data["region"].values
    ceilings = np.full(values.shape[1], np.nan)
    for column in range(values.shape[1]):
        others = (regions == regions[column]) & (participants != participants[column])
        if others.any():
            ceilings[column] = folded_r(_mean(values[:, others]), values[:, column], folds)
    return ceilings


def _from_all_targets(data: xr.DataArray, folds: list[Fold]) -> np.ndarray:
    values, participants = data.values, data["participant"].values
    present = np.isfinite(values)
    varies = np.array(
        [np.ptp(column[seen]) > 0 if seen.any() else False for column, seen in zip(values.T, present.T, strict=True)]
    )
    ceilings = np.full(values.shape[1], np.nan)
    for name in dict.fromkeys(participants.tolist()):
        mine = np.flatnonzero((participants == name) & varies)
        for rows, columns in _same_stimuli(present, mine):
            others = np.flatnonzero((participants != name) & varies & present[rows].all(axis=0))
            if not len(others):
                continue
            within = [(np.flatnonzero(np.isin(rows, a)), np.flatnonzero(np.isin(rows, b))) for a, b in folds]
            scores = [fold_scores(values[np.ix_(rows, others)], values[np.ix_(rows, columns)], fold) for fold in within]
            ceilings[columns] = mean_over_folds(np.stack(scores))
    return ceilings


def _same_stimuli(present: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split columns by the rows they have: (rows, columns) pairs."""
    found: dict[bytes, list[int]] = {}
    for column in columns:
        found.setdefault(present[:, column].tobytes(), []).append(int(column))
    return [(np.flatnonzero(present[:, group[0]]), np.asarray(group)) for group in found.values()]


def mean_over_folds(scores: np.ndarray) -> np.ndarray:
    """Return the mean over folds (n_folds, v) -> (v,) of the scores that exist; NaN where none does."""
    known = np.isfinite(scores)
    total = np.where(known, scores, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def folded_r(predicted: np.ndarray, observed: np.ndarray, folds: list[Fold]) -> float:
    """Return the Pearson r of two series (n,), within each fold's test stimuli and averaged; NaN is skipped."""
    scores = []
    for _, test in folds:
        both = np.isfinite(predicted[test]) & np.isfinite(observed[test])
        x, y = predicted[test][both], observed[test][both]
        if len(x) > 2 and x.std() > 0 and y.std() > 0:
            scores.append(np.corrcoef(x, y)[0, 1])
    return float(np.mean(scores)) if scores else float("nan")


def _mean(columns: np.ndarray) -> np.ndarray:
    count = np.isfinite(columns).sum(axis=1)
    total = np.where(np.isfinite(columns), columns, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
