"""Which rows of the long table a picture or a sentence needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tuneshift.vocabulary.words import text

OVERALL = ("mean", "")


def rows_of(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """Return the rows whose columns hold these values; a tuple means any of them, "" a missing value."""
    found = np.arange(len(table))
    for column, wanted in where.items():  # what is out already is not looked at again: tables may hold a million rows
        values = table[column] if len(found) == len(table) else table[column].iloc[found]
        fits = values.astype("string").fillna("").isin(wanted if isinstance(wanted, tuple) else (wanted,))
        found = found[fits.to_numpy(dtype=bool)]
    return table.iloc[found]


def overall(table: pd.DataFrame, targets: bool = True) -> pd.DataFrame:
    """Return the rows over all participants and, unless `targets` is False, over all targets."""
    found = rows_of(table, participant=OVERALL)
    return rows_of(found, target=OVERALL) if targets else found


def by_layer(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of single layers with an integer column `depth`, in the order of layers."""
    layers = table["layer"].astype("string").fillna("")
    found = table[layers.str.fullmatch(r"\d+").to_numpy(dtype=bool)].copy()
    found["depth"] = found["layer"].astype(int)
    return found.sort_values("depth", kind="stable")


def groups(table: pd.DataFrame, *columns: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Yield (values as texts, rows) for each combination of these columns, in order of first appearance."""
    keyed = table[list(columns)].astype("string").fillna("")
    for key, index in keyed.groupby(list(columns), sort=False).groups.items():
        yield tuple(str(part) for part in (key if isinstance(key, tuple) else (key,))), table.loc[index]


def names(column: pd.Series) -> list[str]:  # type: ignore[type-arg]
    """Return the different texts of a column in order of first appearance, missing ones left out."""
    return [text(value) for value in dict.fromkeys(column.dropna().tolist())]


def extreme(rows: pd.DataFrame, *, lowest: bool = False) -> pd.Series:  # type: ignore[type-arg]
    """Return the row with the highest (or lowest) `value`; the last row where no row has a value."""
    values = np.array([np.nan if v is None else v for v in floats(rows["value"])])
    if np.isnan(values).all():
        return rows.iloc[-1]
    return rows.iloc[int(np.nanargmin(values) if lowest else np.nanargmax(values))]


def floats(column: pd.Series) -> list[float | None]:  # type: ignore[type-arg]
    """Return numbers as plain floats, None where there is none."""
    return [None if pd.isna(value) else float(value) for value in column]
