"""Tables of numbers as laboratories keep them: commas, semicolons, tabs or blanks between, with or without a header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.text_file import plain_suffix, read_text
from tuneshift.human.text.last_row import cut_off

MISSING = ("", "n/a", "na", "nan", "null")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.IGNORECASE | re.ASCII)
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class NumericTable:
    """`values` (rows, columns), NaN where missing; `header` or None; `rows` are their numbers in the file, from 1.

    `said` tells how the file was read where that is not plain.
    """

    values: np.ndarray
    header: list[str] | None
    rows: list[int]
    said: tuple[str, ...] = ()


def read_numeric_table(path: Path) -> NumericTable:
    """Return the numbers of a table, NaN where empty or "n/a"; a column of row names (R, pandas) is left out.

    Raises BadInput with the first row and column that is no number, or a row of another length.
    """
    file = read_text(path)
    said: tuple[str, ...] = (f"{path.name} was {file.said}",) if file.said else ()
    lines = [(number, line) for number, line in enumerate(file.text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise BadInput(f"{path} is empty.")
    between = _separator(path, [line for _, line in lines])
    rows = [(number, cells(line, between)) for number, line in lines]
    header = None
    if not all(_is_number(cell) for cell in rows[0][1]) or _counts_columns([row for _, row in rows[:2]]):
        header = _header(path, *rows[0])
        rows = rows[1:]
        if not rows:
            raise BadInput(f"{path} has a header, but no row of numbers.")
    header, rows, left_out = _without_row_names(header, rows)
    width = len(header) if header else len(rows[0][1])
    if header is not None and "" in header:
        raise BadInput(
            f"{path}, column {header.index('') + 1} has no name in the header; give it one, or take the column out."
        )
    out = np.empty((len(rows), width))
    for place, (number, row) in enumerate(rows):
        if len(row) != width:
            raise BadInput(f"{path}, row {number}: has {len(row)} columns, the first {width}.")
        for column, cell in enumerate(row):
            if not _is_number(cell):
                raise BadInput(f"{path}, row {number}, column {column + 1}: {cell!r:.60} is no number{_hint(cell)}.")
            out[place, column] = np.nan if cell.lower() in MISSING else float(cell)
    said += tuple(f"{path.name}: {told}" for told in (left_out, cut_off(file.text, rows[-1][1][-1])) if told)
    return NumericTable(out, header, [number for number, _ in rows], said)


def cells(line: str, between: re.Pattern[str]) -> list[str]:
    """Return the cells of a line without blanks and quotation marks around them."""
    text = line.strip() if between is _BLANKS else line
    return [cell.strip().strip('"').strip() for cell in between.split(text)]


def _separator(path: Path, lines: list[str]) -> re.Pattern[str]:
    """What stands between cells; a .csv of a machine that writes decimal commas has semicolons or tabs.

    Raises BadInput where blanks and commas both stand between digits: a comma may be a decimal one.
    """
    first = lines[0]
    suffix = plain_suffix(path)
    if suffix == ".csv" and "," not in first:
        return re.compile(";" if ";" in first else "\t" if "\t" in first else ",")
    if suffix == ".csv":
        return re.compile(";" if ";" in first else ",")
    if suffix == ".tsv":
        return re.compile("\t")
    for sign in ("\t", ";"):
        if sign in first:
            return re.compile(sign) if all(sign in line for line in lines) else _BLANKS
    commas = any("," in line for line in lines)
    if commas and all(not re.search(r"\d\s+[-+\d.\"]", line) for line in lines):
        return re.compile(",")
    if commas and all(not re.search(r",\S", line) for line in lines):
        return re.compile(r"\s*,\s*|\s+")
    return _BLANKS


def _without_row_names(
    header: list[str] | None, rows: list[tuple[int, list[str]]]
) -> tuple[list[str] | None, list[tuple[int, list[str]]], str]:
    """R writes names of rows under no header, or under one cell fewer; pandas its index under an empty cell."""
    if header is None or not all(rows):
        return header, rows, ""
    unnamed = header[0] == "" and len(header) > 1
    shorter = all(len(row) == len(header) + 1 for _, row in rows)
    if not (unnamed or shorter):
        return header, rows, ""
    first = [row[0] for _, row in rows]
    counted = [str(n) for n in range(len(first))], [str(n) for n in range(1, len(first) + 1)]
    words = len(set(first)) == len(first) and not any(_is_number(cell) for cell in first)
    if first not in counted and not words:
        return header, rows, ""
    kept = header[1:] if unnamed else header
    return kept, [(number, row[1:]) for number, row in rows], "its first column, the names of its rows, was left out"


def _header(path: Path, number: int, row: list[str]) -> list[str]:
    """Raises BadInput where words and numbers stand side by side: a scan with a slip of the pen is no header."""
    spoilt = next((place for place, cell in enumerate(row, start=1) if not _is_number(cell) and _hint(cell)), None)
    if spoilt is not None:
        cell = row[spoilt - 1]
        raise BadInput(f"{path}, row {number}, column {spoilt}: {cell!r:.60} is no number{_hint(cell)}.")
    numeric = [cell for cell in row if _NUMBER.fullmatch(cell)]
    words = [cell for cell in row if not _is_number(cell)]
    if numeric and words:
        raise BadInput(
            f"{path}, row {number}: holds {words[0]!r:.60} beside {numeric[0]!r}; if it is a header, give every column "
            "a name that is no number, else mend the cell."
        )
    return row


def _counts_columns(first: list[list[str]]) -> bool:
    """pandas names columns without names 0, 1, 2, ..., which is no scan."""
    counted = first[0][1:] if first[0][0] == "" else first[0]
    start = counted[0] if counted else ""
    if start not in ("0", "1") or len(counted) < 3 or len(first) < 2:
        return False
    whole = counted == [str(n + int(start)) for n in range(len(counted))]
    return whole and not all(re.fullmatch(r"-?\d+", cell) for cell in first[1])


def _is_number(cell: str) -> bool:
    return cell.lower() in MISSING or _NUMBER.fullmatch(cell) is not None


def _hint(cell: str) -> str:
    return (
        "; write decimals with a point and thousands without a sign"
        if re.fullmatch(r"[-+]?[\d.,' ]*\d[\d.,' ]*", cell)
        else ""
    )
