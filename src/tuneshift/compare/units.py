"""What a comparison is paired over: the participants, prompts or stories that both results hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.result import Result
from tuneshift.vocabulary.rows import OVERALL, UNIT_PREFIXES, unit_names

KEYS = ("dataset", "split", "mapping", "layer", "target", "metric")
_TASK = "task:"
"""Summaries of some prompts only: those whose coordinate `task` says so."""


@dataclass(frozen=True)
class Units:
    """Differences tuned - base (n_rows, n_units) of rows that are paired over the same units.

    `rows` are positions in the table of summaries; `weights` (n_units,) counts the observations behind each unit.
    """

    name: str
    rows: np.ndarray
    differences: np.ndarray
    weights: np.ndarray

    def mean_difference(self) -> np.ndarray:
        """Return the mean difference of each row (n_rows,) over the units that have one, weighted."""
        there = np.isfinite(self.differences)
        total = np.where(there, self.differences, 0) @ self.weights
        mean: np.ndarray = total / np.maximum(there @ self.weights, 1e-12)
        return mean


def participant_units(base: pd.DataFrame, tuned: pd.DataFrame, joined: pd.DataFrame) -> list[Units]:
    """Pair the rows of single participants: for every summary, the same row of each participant."""
    return _row_units(_singles(base), _singles(tuned), joined, "participant", "participants", list(KEYS))


def target_units(base: pd.DataFrame, tuned: pd.DataFrame, joined: pd.DataFrame) -> list[Units]:
    """Pair the rows of single prompts or stories, for the summaries over all of them."""
    found = []
    keys = [key for key in KEYS if key != "target"]
    overall = joined[(joined["target"].isna() | joined["target"].isin(OVERALL)).to_numpy(dtype=bool)]
    for name in dict.fromkeys(UNIT_PREFIXES.values()):
        first, second = (table[unit_names(table) == name] for table in (base, tuned))
        found += _row_units(first, second, overall, "target", name, keys)
    return found


def array_units(base: Result, tuned: Result, joined: pd.DataFrame) -> list[Units]:
    """Pair arrays that hold a metric's value of every word (coordinate `document`) or prompt.

    Such an array has the name of the metric; the summary is its mean, the units are documents, or its own elements.
    With a coordinate `task`, a summary of "task:NAME" is the mean of that task's elements.
    """
    found = []
    for position, row in enumerate(joined.itertuples(index=False)):
        first, second = (_array_of(result, row) for result in (base, tuned))
        if first is None or second is None or first.shape != second.shape:
            continue
        difference = second.values.astype(float) - first.values.astype(float)
        document = first.coords.get("document")
        groups = np.arange(len(difference)) if document is None else document.values
        there = np.isfinite(difference)
        names, numbers = np.unique(groups[there], return_inverse=True)
        counts = np.bincount(numbers, minlength=len(names)).astype(float)
        means = np.bincount(numbers, difference[there], minlength=len(names)) / np.maximum(counts, 1)
        unit = f"{first.dims[0]}s" if document is None else "stories"
        found.append(Units(unit, np.array([position]), means[None, :], counts))
    return found


def _array_of(result: Result, row: object) -> xr.DataArray | None:
    metric, mapping, target = (getattr(row, name, None) for name in ("metric", "mapping", "target"))
    task = str(target).removeprefix(_TASK) if str(target).startswith(_TASK) else None
    for name in (f"{metric}_{mapping}", f"{metric}"):
        array = result.arrays.get(name)
        if array is None or array.ndim != 1:
            continue
        if task is None:
            return array
        if "task" in array.coords:
            return array[array.coords["task"].values == task]
    return None


def _singles(table: pd.DataFrame) -> pd.DataFrame:
    single = table["participant"].notna() & ~table["participant"].isin(OVERALL)
    return table[single.to_numpy(dtype=bool) & (unit_names(table) == "")]


def _row_units(
    base: pd.DataFrame, tuned: pd.DataFrame, joined: pd.DataFrame, unit: str, name: str, keys: list[str]
) -> list[Units]:
    if base.empty or tuned.empty or joined.empty:
        return []
    wide = _wide(tuned, keys, unit) - _wide(base, keys, unit)
    wanted = pd.MultiIndex.from_frame(joined[keys].astype("string").fillna(""))
    aligned = wide.reindex(wanted).to_numpy(dtype=float)
    paired = np.isfinite(aligned).any(axis=1)
    if not paired.any():
        return []
    positions = joined.index.to_numpy()[paired]
    return [Units(name, positions, aligned[paired], np.ones(aligned.shape[1]))]


def _wide(table: pd.DataFrame, keys: list[str], unit: str) -> pd.DataFrame:
    """Return values as (rows by keys, columns by unit); a unit that comes twice under one key is averaged."""
    frame = table[keys].astype("string").fillna("")
    frame["_unit"] = table[unit].astype("string")
    frame["_value"] = table["value"].astype(float)
    return frame.pivot_table(index=keys, columns="_unit", values="_value", aggfunc="mean", observed=True)
