"""Tables of the user's own (.csv, .tsv, .parquet), read as text so that a word like "NA" or "007" stays itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput, first_line
from tuneshift.human.problems import Problem, some

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_table(path: Path) -> pd.DataFrame:
    """Return a table with every cell as text ("" where empty); raises BadInput where it cannot be read."""
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path).map(_text)
        return pd.read_csv(
            path, sep=SEPARATORS[path.suffix], dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8-sig"
        )
    except (OSError, ValueError, UnicodeError) as error:  # pandas and pyarrow errors of parsing are ValueErrors
        raise BadInput(f"{path} cannot be read as a {path.suffix[1:]} table ({first_line(error)}).") from error


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table without its index, as the suffix of `path` says."""
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is no folder; make it first, or write {path.name} elsewhere.")
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, sep=SEPARATORS[path.suffix], index=False, encoding="utf-8")
    return path


def missing_columns(table: pd.DataFrame, needed: Sequence[str], known_as: dict[str, str]) -> list[Problem]:
    """Return one problem a missing column; `known_as` tells what other names people give it."""
    found = []
    for name in needed:
        if name in table.columns:
            continue
        other = next((column for column in table.columns if known_as.get(str(column).lower()) == name), None)
        hint = f" (is it `{other}`? rename it)" if other else f"; it has {some(list(table.columns), 12)}"
        found.append(Problem(f"has no column `{name}`{hint}"))
    return found


def numbers(table: pd.DataFrame, column: str) -> tuple[np.ndarray, list[Problem]]:
    """Return a column as float64 (n_rows,), NaN where empty, and what is no number; row 1 holds the names."""
    text = table[column].str.strip()
    values = pd.to_numeric(text.where(~text.str.lower().isin(["", "nan", "na"])), errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(np.isnan(values) & ~text.str.lower().isin(["", "nan", "na"]).to_numpy())
    infinite = np.flatnonzero(np.isinf(values))
    for which, what in ((wrong, "is no number"), (infinite, "is infinite")):
        if len(which):
            first = which[0]
            return values, [
                Problem(f"row {first + 2}, column `{column}`: {text.iloc[first]!r} {what} ({len(which)} such rows)")
            ]
    return values, []


def first_row(wrong: np.ndarray | pd.Series) -> int | None:
    """Return the row, counted as a spreadsheet does (names are row 1), of the first True; None where there is none."""
    rows = np.flatnonzero(np.asarray(wrong))
    return int(rows[0]) + 2 if len(rows) else None


def _text(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)
