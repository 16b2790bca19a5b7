"""Tables of numbers as laboratories keep them: commas, tabs or blanks between, with or without a header."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput

_MISSING = {"", "n/a", "na", "nan", "null"}
_BETWEEN = {".csv": re.compile(","), ".tsv": re.compile("\t")}
_BLANKS = re.compile(r"[\s,;]+")


def read_numeric_table(path: Path) -> tuple[np.ndarray, list[str] | None]:
    """Return the numbers (rows, columns), NaN where empty or "n/a", and the header, None where there is none.

    Raises BadInput with the first row and column that is no number, or a row of another length.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{path} cannot be read as a table ({error}).") from error
    between = _BETWEEN.get(path.suffix.lower(), _BLANKS)
    rows = [(number, cells(line, between)) for number, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise BadInput(f"{path} is empty.")
    header = None
    if not all(_is_number(cell) for cell in rows[0][1]):
        header = rows[0][1]
        rows = rows[1:]
        if not rows:
            raise BadInput(f"{path} has a header, but no row of numbers.")
    width = len(header) if header else len(rows[0][1])
    out = np.empty((len(rows), width))
    for place, (number, row) in enumerate(rows):
        if len(row) != width:
            raise BadInput(f"{path}, row {number}: has {len(row)} columns, the first {width}.")
        for column, cell in enumerate(row):
            if not _is_number(cell):
                raise BadInput(f"{path}, row {number}, column {column + 1}: {cell!r} is no number.")
            out[place, column] = np.nan if cell.lower() in _MISSING else float(cell)
    return out, header


def cells(line: str, between: re.Pattern[str]) -> list[str]:
    """Return the cells of a line without blanks and quotation marks around them."""
    text = line.strip() if between is _BLANKS else line.rstrip("\r\n")
    return [cell.strip().strip('"').strip() for cell in between.split(text)]


def _is_number(cell: str) -> bool:
    if cell.lower() in _MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True
