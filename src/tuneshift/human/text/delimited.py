"""Tables in text files: commas, semicolons or tabs between cells, with the row of the file that each stands in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.files.text_file import plain_suffix, read_text
from tuneshift.human.text.last_row import cut_off

SEPARATORS = {".csv": ",", ".tsv": "\t"}
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEP_LINE = re.compile(r'"?sep=(.)"?')  # what Excel writes to tell itself the separator


@dataclass(frozen=True)
class Delimited:
    """`table` of text cells, "" where empty, indexed by their rows in the file; `said`: how the file was read."""

    table: pd.DataFrame
    said: tuple[str, ...]


def read_delimited(path: Path, only: Sequence[str] | None = None, declared: str | None = None) -> Delimited:
    """Read a table with the names of its columns in the first row; blanks around names and cells are no part of them.

    Whether commas, semicolons or tabs stand between cells is seen in the first row. A first column without a name, or
    one column more than there are names, holds R's names of rows and is left out. `only` keeps these columns;
    `declared` is the encoding that the authors state. Raises BadInput with the first row that has too few or too many
    cells, an open quotation mark, or two columns of one name.
    """
    file = read_text(path, declared)
    said = [file.said] if file.said else []
    lines = file.text.split("\n")
    begin = next((at for at, line in enumerate(lines) if line.strip()), None)
    if begin is None:
        raise BadInput(f"{path} is empty.")
    told = _SEP_LINE.fullmatch(lines[begin].strip(" \r"))
    if told and begin + 1 < len(lines):
        begin += 1
    separator = told.group(1) if told else separator_of(lines[begin], SEPARATORS.get(plain_suffix(path), "\t"))
    if SEPARATORS.get(plain_suffix(path), separator) != separator:
        said.append(f"read with {_NAMES.get(separator, repr(separator))} between cells")
    quoted = separator != "\t" or _marks_are_quotes(lines[begin:])
    rows = _rows(path, lines, begin, separator, quoted)
    header = [_unquoted(name) for name in next(rows)[1]]
    table, left_out = _table(path, header, rows, only)
    open_end = cut_off(file.text, "" if table.empty else str(table.iloc[-1, -1]))
    return Delimited(table, (*said, *left_out, *([open_end] if open_end else [])))


def first_names(path: Path, declared: str | None = None) -> list[str]:
    """Return the names of a table's columns, without reading cells (errors as `read_text`)."""
    lines = [line for line in read_text(path, declared).text.split("\n", 5)[:5] if line.strip()]
    if len(lines) > 1 and _SEP_LINE.fullmatch(lines[0].strip()):
        lines = lines[1:]
    if not lines:
        return []
    return [_unquoted(name) for name in lines[0].split(separator_of(lines[0], ","))]


def separator_of(line: str, usual: str) -> str:
    """Return what stands between the cells of a row: the sign that parts it most often, `usual` in doubt."""
    outside = re.sub(r'"[^"]*"', "", line)
    counts = {sign: outside.count(sign) for sign in (usual, ",", ";", "\t")}
    most = max(counts.values())
    return next(sign for sign, count in counts.items() if count == most)


def _marks_are_quotes(lines: list[str]) -> bool:
    """Whether quotation marks around cells are the writer's, or the words' own, as in files written without any.

    They are the words' own where one stands alone, or where they surround a cell without need beside bare words.
    """
    needless: set[int] = set()
    for line in lines:
        if '"' not in line:
            continue
        for place, cell in enumerate(line.split("\t")):
            cell = cell.strip()
            if '"' not in cell:
                continue
            inner = cell[1:-1]
            if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inner.replace('""', ""):
                return False
            if '"' not in inner:
                needless.add(place)
    if not needless:
        return True
    for line in lines[1:]:
        for place, cell in enumerate(line.split("\t")):
            bare = cell.strip()
            if place in needless and bare and bare[0] != '"' and re.search(r"[^\W\d_]", bare):
                return bare.lower() in ("na", "nan", "null", "n/a")
    return True


def _rows(path: Path, lines: list[str], begin: int, separator: str, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    if not quoted:
        for number, line in enumerate(lines[begin:], start=begin + 1):
            yield number, line.split(separator)
        return
    ended = (f"{line}\n" for line in lines[begin:])
    reader = csv.reader(ended, delimiter=separator, strict=True, skipinitialspace=separator != "\t")
    while True:
        row = begin + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quotation mark is not closed" if "unexpected end" in str(error) else str(error)
            raise BadInput(f"{path}, row {row}: is no row of a table ({what}).") from error
        yield row, cells


def _table(
    path: Path, header: list[str], rows: Iterator[tuple[int, list[str]]], only: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    width = len(header)
    numbers: list[int] = []
    found: list[list[str]] = []
    kept = _places(path, header, only)
    blank, waiting, trailing, named_rows = 0, 0, True, False
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            waiting += 1
            continue
        if not found and len(cells) == width + 1:
            named_rows = True
        if len(cells) != width + named_rows:
            raise BadInput(
                f"{path}, row {number}: has {len(cells)} cells, and there are {width} names of columns; a separator "
                "within a cell (as a decimal comma) needs quotation marks around the cell."
            )
        blank, waiting = blank + waiting, 0
        trailing = trailing and not cells[-1].strip()
        numbers.append(number)
        found.append([cell.strip() for cell in cells] if named_rows else [cells[place].strip() for place in kept])
    left_out = [f"{blank} blank rows were skipped"] if blank else []
    if named_rows:
        shift = 0 if trailing else 1  # a separator at the end of each row, or R's names of rows before the first
        found = [[row[place + shift] for place in kept] for row in found]
        if not trailing:
            left_out.append("a first column without a name (names of rows) was left out")
    names = [header[place] for place in kept]
    table = pd.DataFrame(found, columns=names, index=pd.Index(numbers, dtype="int64"), dtype=str)
    nameless = [place for place, name in enumerate(names) if name.startswith("Unnamed: ")]
    if only is None and nameless:
        empty = [names[place] for place in nameless if (table[names[place]] == "").all()]
        first = [names[0]] if nameless[0] == 0 and names[0] not in empty else []
        table = table.drop(columns=[*empty, *first])
        left_out += ["a first column without a name (names of rows) was left out"] if first else []
    return table, left_out


def _places(path: Path, header: list[str], only: Sequence[str] | None) -> list[int]:
    """Return which columns are kept; names those without a name as pandas does."""
    wanted = [name for name in (header if only is None else only) if name]
    twice = next((name for name in wanted if header.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{path} has two columns called `{twice}`; take one of them out, or rename it.")
    for place, name in enumerate(header):
        if not name:
            header[place] = f"Unnamed: {place}"
    return [place for place, name in enumerate(header) if only is None or name in only]


def _unquoted(name: str) -> str:
    name = name.strip()
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == '"' else name
