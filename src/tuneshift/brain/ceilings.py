"""Noise ceilings: how well a person's responses can be predicted at all, judged by other people's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from tuneshift.brain.mappings import Mapping, fold_score, pattern_labels, within
from tuneshift.brain.targets import never_varies
from tuneshift.errors import BadInput
from tuneshift.numerics.resampling import mean_over_folds
from tuneshift.numerics.splits import Fold

CeilingEstimate = Literal["leave_one_out", "split_half", "extrapolated"]


def leave_one_out(
    data: xr.DataArray, folds: Sequence[Fold], mapping: Mapping = "ridge", device: str = "cpu"
) -> np.ndarray:
    """Return the ceiling r (v,) of each target: how well all other participants predict it (methods 1, (a)).

    Where every participant has one target a region (regions of interest), the prediction is the mean of the others in
    that region. Where there are many (voxels, which do not correspond between people), it is a ridge regression from
    all targets of the others that saw the same stimuli, on the folds of the model's own score. Like that score, r is
    computed within the test stimuli of each fold and averaged. For RSA and CKA, the geometry of a participant's
    pattern against that of all others' targets. NaN where no other participant can predict.

    With S participants it is below the best possible correlation, sqrt(s) for a share s of common variance: s /
    sqrt(s + (1 - s) / (S - 1)), since the mean of S - 1 others is itself noisy.
    """
    if mapping in ("rsa", "cka"):
        return _geometry(data, folds, mapping)
    if corresponds(data):
        return _from_same_region(data, folds)
    return predicted_by_others(data, folds, device=device)


def refuse_one_participant(data: xr.DataArray, name: str) -> None:
    """Raise BadInput where there is nobody to predict a participant from."""
    if len(set(data["participant"].values.tolist())) < 2:
        raise BadInput(f"{name} has one participant, and a noise ceiling needs at least two; leave the ceiling out.")


def without_constant(data: xr.DataArray) -> xr.DataArray:
    """Return the recording with NaN for every target that never varies; itself where there is none."""
    constant = never_varies(data.values)
    return data.copy(data=np.where(constant, np.nan, data.values)) if constant.any() else data


def corresponds(data: xr.DataArray) -> bool:
    """Whether targets are regions of interest: one target a participant and region."""
    keys = list(zip(data["participant"].values, data["region"].values, strict=True))
    return len(set(keys)) == len(keys)


def places(data: xr.DataArray) -> np.ndarray | None:
    """Return for each target (v,) the place it shares with other participants' targets; None where there is none.

    The region, for regions of interest; region and voxel number, where a coordinate `voxel` says which voxels of
    different participants belong together.
    """
    if corresponds(data):
        return np.asarray(data["region"].values).astype(str)
    if "voxel" not in data.coords:
        return None
    names = [f"{region}\n{voxel}" for region, voxel in zip(data["region"].values, data["voxel"].values, strict=True)]
    return np.array(names) if len(set(zip(data["participant"].values, names, strict=True))) == len(names) else None


def _from_same_region(data: xr.DataArray, folds: Sequence[Fold]) -> np.ndarray:
    values = data.values
    participants, regions = data["participant"].values, data["region"].values
    ceilings = np.full(values.shape[1], np.nan)
    for column in range(values.shape[1]):
        others = (regions == regions[column]) & (participants != participants[column])
        if others.any():
            ceilings[column] = folded_r(mean_response(values[:, others]), values[:, column], folds)
    return ceilings


def predicted_by_others(
    data: xr.DataArray,
    folds: Sequence[Fold],
    givers: Sequence[str] | None = None,
    takers: Sequence[str] | None = None,
    device: str = "cpu",
) -> np.ndarray:
    """Return r (v,) of ridge regressions from all targets of other participants, held out like the model's score.

    `givers` restricts whose targets predict, `takers` whose are predicted; by default everybody's.
    """
    values, participants = data.values, data["participant"].values
    present = np.isfinite(values)
    filled = np.where(present, values, 0)
    varies = present.any(axis=0) & (np.where(present, values - filled.max(axis=0), 0) != 0).any(axis=0)
    giving = varies if givers is None else varies & np.isin(participants, list(givers))
    ceilings = np.full(values.shape[1], np.nan)
    for name in dict.fromkeys(participants.tolist()) if takers is None else takers:
        mine = np.flatnonzero((participants == name) & varies)
        for rows, columns in _same_stimuli(present, mine):
            others = np.flatnonzero((participants != name) & giving & present[rows].all(axis=0))
            if not len(others):
                continue
            X, Y = values[np.ix_(rows, others)], values[np.ix_(rows, columns)]
            labels = participants[columns]
            scores = [fold_score("ridge", X, Y, fold, labels, device) for fold in within(folds, rows)]
            ceilings[columns] = mean_over_folds(np.stack(scores))
    return ceilings


def _geometry(data: xr.DataArray, folds: Sequence[Fold], mapping: Mapping) -> np.ndarray:
    values, participants, regions = data.values, data["participant"].values, data["region"].values
    labels = pattern_labels(data)
    present = np.isfinite(values)
    ceilings = np.full(values.shape[1], np.nan)
    by_region = not np.array_equal(labels, participants.astype(str))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        for rows, columns in _same_stimuli(present, mine):
            others = (participants != participants[columns[0]]) & present[rows].all(axis=0)
            if by_region:
                others &= regions == regions[columns[0]]
            if others.any():
                X, Y = values[np.ix_(rows, np.flatnonzero(others))], values[np.ix_(rows, columns)]
                scores = [fold_score(mapping, X, Y, fold, labels[columns]) for fold in within(folds, rows)]
                ceilings[columns] = mean_over_folds(np.stack(scores))
    return ceilings


def _same_stimuli(present: np.ndarray, columns: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split columns by the rows they have: (rows, columns) pairs."""
    found: dict[bytes, list[int]] = {}
    for column in columns:
        found.setdefault(present[:, column].tobytes(), []).append(int(column))
    return [(np.flatnonzero(present[:, group[0]]), np.asarray(group)) for group in found.values() if group]


def folded_r(predicted: np.ndarray, observed: np.ndarray, folds: Sequence[Fold]) -> float:
    """Return the Pearson r of two series (n,), within each fold's test stimuli and averaged; NaN is skipped."""
    scores = []
    for _, test in folds:
        both = np.isfinite(predicted[test]) & np.isfinite(observed[test])
        x, y = predicted[test][both], observed[test][both]
        if len(x) > 2 and x.std() > 0 and y.std() > 0:
            scores.append(np.corrcoef(x, y)[0, 1])
    return float(np.mean(scores)) if scores else float("nan")


def mean_response(columns: np.ndarray) -> np.ndarray:
    """Return the mean (n,) over the columns of (n, k) that have a value; NaN where none has."""
    count = np.isfinite(columns).sum(axis=1)
    total = np.where(np.isfinite(columns), columns, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
