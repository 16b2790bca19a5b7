"""Tables of the user's own (.csv, .tsv, .parquet), read as text so that a word like "NA" or "007" stays itself."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput, first_line
from tuneshift.files.text_file import plain_suffix, unpacked
from tuneshift.human.text.delimited import SEPARATORS, Delimited, read_delimited
from tuneshift.human.text.number_cells import NumberColumn, read_numbers
from tuneshift.human.text.problems import Problem, some

_NAMELESS = re.compile(r"|Unnamed: 0|__index_level_0__")
"""What programs call the names of rows, the first column, where they have no name of their own."""


def read_table(path: Path) -> Delimited:
    """Return a table with every cell as text, "" where empty, indexed by rows as a spreadsheet counts them.

    Suffixes count in any case, with `.gz` behind them or not. Raises BadInput where the table cannot be read, or a
    cell holds the sign of a lost letter.
    """
    if plain_suffix(path) != ".parquet":
        return read_delimited(path)
    raw = unpacked(path)
    try:
        table = pd.read_parquet(io.BytesIO(raw))
    except Exception as error:  # a damaged file fails anywhere in a library: OSError, ValueError, NotImplementedError
        raise BadInput(f"{path} cannot be read as a parquet table ({first_line(error)}).") from error
    named = [name for name in table.index.names if name is not None]
    named_rows = not named and not pd.api.types.is_integer_dtype(table.index)
    table = table.reset_index(level=named) if named else table
    table.columns = [str(name).strip() for name in table.columns]
    if len(table.columns) and _NAMELESS.fullmatch(table.columns[0]):
        named_rows, table = True, table.iloc[:, 1:]
    twice = next((name for name in table.columns if list(table.columns).count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{path} has two columns called `{twice}`; take one of them out, or rename it.")
    cells = {name: [_text(value) for value in _objects(path, table[name])] for name in table.columns}
    table = pd.DataFrame(cells, index=pd.RangeIndex(2, len(table) + 2), dtype=str)
    for name in table.columns:
        lost = first_row(table, table[name].str.contains("\ufffd", regex=False))
        if lost is not None:
            raise BadInput(f"{path}, row {lost}, column `{name}`: holds U+FFFD, the sign of a letter that was lost.")
    return Delimited(table, ("a first column without a name (names of rows) was left out",) if named_rows else ())


def write_table(table: pd.DataFrame, path: Path) -> Path:
    """Write a table without its index, as the suffix of `path` says (with .gz behind it: compressed)."""
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is no folder; make it first, or write {path.name} elsewhere.")
    suffix = plain_suffix(path)
    if suffix == ".parquet" and path.suffix.lower() == suffix:
        table.to_parquet(path, index=False)
    elif suffix in SEPARATORS:
        packed: Literal["gzip"] | None = "gzip" if path.suffix.lower() == ".gz" else None
        table.to_csv(path, sep=SEPARATORS[suffix], index=False, encoding="utf-8", compression=packed)  # type: ignore[arg-type]
    else:
        raise BadInput(f"{path} must end in .csv, .tsv (or .csv.gz, .tsv.gz) or .parquet to be written as a table.")
    return path


def missing_columns(table: pd.DataFrame, needed: Sequence[str], known_as: dict[str, str]) -> list[Problem]:
    """Return one problem a missing column; `known_as` tells what other names people give it."""
    found = []
    for name in needed:
        if name in table.columns:
            continue
        other = called_otherwise(table, name, known_as)
        hint = f" (is it `{other}`? rename it)" if other else f"; it has {some(list(table.columns), 12)}"
        found.append(Problem(f"has no column `{name}`{hint}"))
    return found


def called_otherwise(table: pd.DataFrame, name: str, known_as: dict[str, str]) -> str | None:
    """Return the column that is `name` under a name people give it, or a slip of the pen away; None where none is."""
    others = [str(column) for column in table.columns]
    for column in others:
        plain = column.lower().replace(" ", "_").replace(".", "_").replace("-", "_")
        if known_as.get(plain, plain) == name:
            return column
    return next(iter(get_close_matches(name, others, n=1, cutoff=0.75)), None)


def numbers(table: pd.DataFrame, column: str, unit: str | None = None) -> tuple[np.ndarray, list[Problem]]:
    """Return a column as float64 (n_rows,), NaN where empty, and what is no number or was read in a way to be said."""
    found: NumberColumn = read_numbers(table[column], column, unit)
    return found.values, [*found.wrong, *(Problem(sentence, fatal=False) for sentence in found.said)]


def first_row(table: pd.DataFrame, wrong: np.ndarray | pd.Series) -> int | None:
    """Return the row of the file of the first True in `wrong` (n_rows,); None where there is none."""
    places = np.flatnonzero(np.asarray(wrong))
    return int(table.index[places[0]]) if len(places) else None


def _objects(path: Path, column: pd.Series) -> list[object]:
    """Raises BadInput with the first cell whose letters are no UTF-8, which a column of Arrow's shows only here."""
    try:
        return list(column.astype(object))
    except Exception as error:  # ArrowException, which is none of pandas's own
        row = 0
        with contextlib.suppress(Exception):
            for row in range(len(column)):
                column.iloc[row]
        raise BadInput(
            f"{path}, row {row + 2}, column `{column.name}`: holds letters that are no UTF-8 ({first_line(error):.60})."
        ) from error


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()  # U+FFFD is refused with its row
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value).strip()
