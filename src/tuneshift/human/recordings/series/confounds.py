"""Confounds (motion, physiology) regressed out of scans, in a way that a later high-pass filter does not undo."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.numeric_table import read_numeric_table
from tuneshift.human.text.problems import some


def read_confounds(
    path: Path, columns: tuple[str, ...] | None, skip: int, recorded: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return the confounds (n_scans, k) of a file, and in sentences how it was read and what was filled in.

    `recorded` (n_scans,) says which scans hold numbers. Missing values of the first rows, as derivatives have, become
    the column's mean; those of scans without numbers count for nothing.

    Raises BadInput where a column is missing or there twice, the rows after `skip` are not as many as the scans, or a
    value is missing elsewhere.
    """
    table = read_numeric_table(path)
    values, rows = table.values[skip:], table.rows[skip:]
    if len(values) != len(recorded):
        raise BadInput(
            f"{path} has {len(values)} rows{f' after the first {skip}' if skip else ''}, but there are "
            f"{len(recorded)} scans; set `skip` of the confounds to the rows that have no scan."
        )
    names = table.header or [str(number) for number in range(1, values.shape[1] + 1)]
    if columns is not None:
        chosen = _chosen(path, columns, table.header)
        values, names = values[:, chosen], [names[column] for column in chosen]
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise BadInput(f"{path}, row {rows[row]}, column `{names[column]}`: a confound is infinite.")
    filled, told = _filled(path, values, names, rows, recorded)
    return filled, [*table.said, *told]


def _chosen(path: Path, columns: tuple[str, ...], header: list[str] | None) -> list[int]:
    if header is None:
        raise BadInput(f"{path} has no header, so its columns cannot be chosen by name; leave `columns` out.")
    chosen = [i for i, name in enumerate(header) if any(fnmatchcase(name, pattern) for pattern in columns)]
    missing = [pattern for pattern in columns if not any(fnmatchcase(name, pattern) for name in header)]
    if missing:
        raise BadInput(f"{path} has no column {some(missing)}; it has {some(header, 8)}.")
    twice = [header[i] for i in chosen if header.count(header[i]) > 1]
    if twice:
        raise BadInput(f"{path} has two columns {twice[0]!r}; take one of them out.")
    return chosen


def _filled(
    path: Path, values: np.ndarray, names: list[str], rows: list[int], recorded: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Fill the missing values at the beginning of columns; raises BadInput where there are others."""
    missing = np.isnan(values)
    if not missing.any():
        return values, []
    empty = np.flatnonzero(missing.all(axis=0))
    if len(empty):
        raise BadInput(f"{path}, column `{names[empty[0]]}` holds no number; leave it out of `columns`.")
    leading = np.logical_and.accumulate(missing, axis=0)
    elsewhere = np.argwhere(missing & ~leading & recorded[:, None])
    if len(elsewhere):
        row, column = elsewhere[0]
        raise BadInput(
            f"{path}, row {rows[row]}, column `{names[column]}`: has no value ({len(elsewhere)} such); only the first "
            "rows may lack one, as derivatives do: leave the column out, or make the scan itself missing (NaN)."
        )
    n_first = leading.sum(axis=0)
    if n_first.max() > len(values) // 2:
        column = int(n_first.argmax())
        raise BadInput(
            f"{path}, column `{names[column]}`: {n_first[column]} of {len(values)} rows have no value; leave it out."
        )
    told = []
    if n_first.any():
        which = [names[column] for column in np.flatnonzero(n_first)]
        told.append(
            f"{path.name}: no value in the first {n_first.max()} of {len(values)} rows of {len(which)} confounds "
            f"({some(which)}), which became the mean of the others"
        )
    return np.where(missing, np.nanmean(values, axis=0), values), told


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
