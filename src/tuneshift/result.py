"""Result: one long table (one row a number), named arrays, warnings and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import xarray as xr

from tuneshift.notebook import listed, notes, table

COLUMNS: dict[str, str] = {
    "model": "string",
    "base_model": "string",
    "tuned": "boolean",
    "measurement": "string",
    "dataset": "string",
    "split": "string",
    "mapping": "string",
    "layer": "string",
    "target": "string",
    "participant": "string",
    "metric": "string",
    "value": "Float64",
    "ci_low": "Float64",
    "ci_high": "Float64",
    "n": "Int64",
    "ceiling": "Float64",
    "unit": "string",
    "fingerprint": "string",
}
"""The long table's columns and their pandas types (fixed names: other programs read them)."""


def long_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Build a long table from rows; a column that a row leaves out is missing there.

    Raises ValueError for a column that the long table does not have (a programming error, never bad input).
    """
    rows = list(rows)
    unknown = sorted({key for row in rows for key in row} - COLUMNS.keys())
    if unknown:
        raise ValueError(f"the long table has no column {unknown}; its columns are {list(COLUMNS)}")
    columns = {
        name: pd.array([_cell(row.get(name), dtype) for row in rows], dtype=dtype)  # type: ignore[call-overload]
        for name, dtype in COLUMNS.items()
    }
    return pd.DataFrame(columns)


def _cell(value: Any, dtype: str) -> Any:
    if value is None or value is pd.NA:
        return pd.NA
    if dtype == "string":
        return str(value)
    if dtype == "Float64":
        return pd.NA if value != value else float(value)
    return bool(value) if dtype == "boolean" else int(value)


@dataclass(frozen=True)
class Result:
    """What one measurement of one model gives.

    `table` is the long table (`COLUMNS`); `arrays` are named arrays with named axes (`xarray.DataArray`, string or
    numeric coordinates only); `warnings` are sentences a reader must see; `details` is JSON-ready: texts, tokens,
    settings, versions, everything a picture needs that is no number of the table.
    """

    table: pd.DataFrame
    arrays: dict[str, xr.DataArray] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], **parts: Any) -> Result:
        """Build a result from rows (see `long_table`); `parts` are the other fields."""
        return cls(long_table(rows), **parts)

    def with_columns(self, **values: Any) -> Result:
        """Return the same result with these columns set in every row."""
        table = self.table.copy()
        for name, value in values.items():
            table[name] = pd.array([_cell(value, COLUMNS[name])] * len(table), dtype=COLUMNS[name])  # type: ignore[call-overload]
        return replace(self, table=table)

    def value(self, **where: Any) -> float:
        """Return the value of the one row that matches `where` (column = value); ValueError for none or several."""
        table = self.table
        for name, wanted in where.items():
            table = table[(table[name] == _cell(wanted, COLUMNS[name])).fillna(False)]
        if len(table) != 1:
            raise ValueError(f"{len(table)} rows match {where}, not one")
        return float(table["value"].iloc[0])

    def __repr__(self) -> str:
        """Return a few lines: what was measured of which models, and how much of what there is."""
        counted = f"{len(self.table):,} rows in .table: {listed(self.table['metric'].dropna())}"
        parts = [
            f"Result of {listed(self.table['measurement'].dropna())}: {listed(self.table['model'].dropna())}",
            counted,
        ]
        if self.arrays:
            parts.append(f"{len(self.arrays)} arrays in .arrays: {listed(self.arrays)}")
        if self.warnings:
            parts.append(f"{len(self.warnings)} to read in .warnings")
        return "\n  ".join(parts)

    def _repr_html_(self) -> str:
        arrays = notes(f"{name}: {dict(array.sizes)}" for name, array in self.arrays.items())
        return table(self.table) + notes(self.warnings) + arrays
