"""Confounds (motion, physiology) regressed out of scans, in a way that a later high-pass filter does not undo."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.problems import some
from tuneshift.human.series.numeric_table import read_numeric_table


def read_confounds(path: Path, columns: tuple[str, ...] | None, skip: int, n_scans: int) -> np.ndarray:
    """Return the confounds (n_scans, k) of a file; missing values (the first row of a derivative) become the mean.

    Raises BadInput where a column is missing or the rows after `skip` are not as many as the scans.
    """
    values, header = read_numeric_table(path)
    values = values[skip:]
    if len(values) != n_scans:
        raise BadInput(
            f"{path} has {len(values)} rows{f' after the first {skip}' if skip else ''}, but there are {n_scans} "
            "scans; set `skip` of the confounds to the rows that have no scan."
        )
    if columns is not None:
        if header is None:
            raise BadInput(f"{path} has no header, so its columns cannot be chosen by name; leave `columns` out.")
        chosen = [i for i, name in enumerate(header) if any(fnmatchcase(name, pattern) for pattern in columns)]
        missing = [pattern for pattern in columns if not any(fnmatchcase(name, pattern) for name in header)]
        if missing:
            raise BadInput(f"{path} has no column {some(missing)}; it has {some(header, 8)}.")
        values = values[:, chosen]
    if np.isinf(values).any():
        raise BadInput(f"{path}, row {np.argwhere(np.isinf(values))[0][0] + skip + 1}: a confound is infinite.")
    missing_values = np.isnan(values)
    if missing_values.all(axis=0).any():
        raise BadInput(f"{path}, column {int(np.flatnonzero(missing_values.all(axis=0))[0]) + 1}: holds no number.")
    return np.where(missing_values, np.nanmean(values, axis=0), values)


def without_confounds(
    scans: np.ndarray, confounds: np.ndarray, repetition_time: float, cutoff: float | None
) -> np.ndarray:
    """Return scans (n, k) without what confounds (n, c) explain of them; means stay as they were, NaN stays NaN.

    With a `cutoff` (s), the confounds are high-passed first: filtered later, the scans are then exactly the residuals
    of one regression on confounds and slow cosines together (Frisch-Waugh-Lovell; Lindquist et al. 2019). Each target
    is fitted to the scans that it has; one that has too few for so many confounds becomes NaN.

    Raises BadInput where the participant's scans are too few for so many confounds.
    """
    out = np.array(scans, dtype=np.float64)
    known = np.isfinite(out)
    recorded = np.asarray(known.any(axis=1))
    if not recorded.any():
        return out
    whole = (known == recorded[:, None]).all(axis=0)
    basis = _basis(confounds, recorded, repetition_time, cutoff)
    if basis.shape[1] >= recorded.sum() - 1:
        raise BadInput(f"{basis.shape[1]} confounds explain everything of {recorded.sum()} scans; choose fewer.")
    _subtract(out, recorded, np.flatnonzero(whole), basis)
    holes = np.flatnonzero(~whole & known.any(axis=0))
    patterns, pattern_of = np.unique(known[:, holes], axis=1, return_inverse=True)
    for number, rows in enumerate(patterns.T):
        columns = holes[pattern_of.ravel() == number]
        basis = _basis(confounds, rows, repetition_time, cutoff)
        if basis.shape[1] >= rows.sum() - 1:
            out[:, columns] = np.nan
        else:
            _subtract(out, rows, columns, basis)
    return out


def _basis(confounds: np.ndarray, rows: np.ndarray, repetition_time: float, cutoff: float | None) -> np.ndarray:
    """Return an orthonormal basis (rows, k) of what varies of the confounds in these rows, high-passed there."""
    from tuneshift.numerics.haemodynamics import high_pass  # scipy.signal takes a second that `import` need not

    if cutoff is None:
        moving = confounds[rows] - confounds[rows].mean(axis=0)
    else:
        moving = high_pass(np.where(rows[:, None], confounds, np.nan), repetition_time, cutoff)[rows]
    scale = np.linalg.norm(moving, axis=0)
    largest = np.abs(confounds[rows]).max(axis=0)
    moving = moving[:, scale > 1e-9 * np.maximum(largest, 1e-300) * np.sqrt(len(moving))]
    if not moving.shape[1]:
        return moving
    left, values, _ = np.linalg.svd(moving / np.linalg.norm(moving, axis=0), full_matrices=False)
    return np.asarray(left[:, values > 1e-10 * values[0]])


def _subtract(out: np.ndarray, rows: np.ndarray, columns: np.ndarray, basis: np.ndarray) -> None:
    signals = out[np.ix_(rows, columns)]
    out[np.ix_(rows, columns)] = signals - basis @ (basis.T @ signals)
