"""What people and programs do to tables, with what a reader must find in them afterwards.

A table is a grid of cells; a damage changes the grid, or how it is written. What is to be read is known from the cells
themselves, never from a reader: `Truth` says which numbers are left, or that the copy must be refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

MISSING = ("", "n/a", "NA", "NaN", "nan", "null", "N/A", "None", "#N/A", ".", "-", "--")
IMPOSSIBLE = (
    "Inf",
    "-inf",
    "#DIV/0!",
    "#VALUE!",
    "fast",
    "1_000",
    "12..5",
    "٣٤٥",
    "1e999",
    "312 apples",
    "0x1F",
    "TRUE",
)
Cells = list[list[str]]


@dataclass(frozen=True)
class Table:
    """`rows` of cells below `header`; `measured` names the column of numbers that is counted, whose `unit` is told."""

    header: list[str]
    rows: Cells
    separator: str
    measured: str
    numbers: tuple[str, ...] = ()  # further columns of numbers
    scale: float = 1.0  # what a number is multiplied with as it is read
    unit: str = ""  # "ms" or "s" where a cell may carry one
    named: bool = True  # whether columns are read by their names
    quoted: bool = False  # every cell, needed or not
    newline: str = "\n"
    before: str = ""  # what stands above the header

    def text(self) -> str:
        """Return the table as a spreadsheet writes it: with quotation marks where they are needed."""
        out = io.StringIO()
        cells = [cell for row in (self.header, *self.rows) for cell in row]
        bare = self.separator == "\t" and not self.quoted and not any('"' in cell or "\t" in cell for cell in cells)
        how = csv.QUOTE_ALL if self.quoted else csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL
        writer = csv.writer(out, delimiter=self.separator, quoting=how, lineterminator=self.newline)
        writer.writerows([self.header, *self.rows])
        return self.before + out.getvalue()

    def column(self, name: str) -> list[str]:
        """Return the cells of a column, from the first row that has them."""
        place = self.header.index(name)
        return [row[place] for row in self.rows if place < len(row)]


@dataclass(frozen=True)
class Truth:
    """What a copy holds: `same` as the good file, these `values`, or nothing known; `refused` where it must be.

    `told` says that a reader has to mention what it did, `rows` how many rows there are below the header.
    """

    same: bool = False
    values: list[float] | None = None
    refused: bool = False
    told: bool = False
    rows: int | None = None


@dataclass(frozen=True)
class Damage:
    """A damaged table: how it is to be written (`encoding`, `gzip`), what was done, and what is true of it."""

    table: Table
    what: str
    truth: Truth = field(default_factory=Truth)
    encoding: str = "utf-8"
    gzip: bool = False
    raw: Callable[[bytes], bytes] | None = None


def damaged_table(table: Table, rng: np.random.Generator) -> Damage:
    """Return a damaged copy of a table, in one of the ways below or in one and as another program writes it."""
    done = WAYS[int(rng.integers(len(WAYS)))](table, rng)
    if done.raw is None and not done.truth.refused and rng.random() < 0.25:
        again = STYLES[int(rng.integers(len(STYLES)))](done.table, rng)
        if done.encoding == "utf-8" or again.encoding == "utf-8":
            truth = replace(done.truth, told=done.truth.told or again.truth.told)
            encoding = again.encoding if done.encoding == "utf-8" else done.encoding
            gz = done.gzip or again.gzip
            done = Damage(again.table, f"{done.what}, {again.what}", truth, encoding, gz)
    return done


def _numbers(table: Table, rng: np.random.Generator) -> tuple[str, int]:
    names = (table.measured, *table.numbers)
    name = table.measured if rng.random() < 0.8 else str(rng.choice(names))
    return name, table.header.index(name)


def _rewritten(table: Table, rng: np.random.Generator, new: Callable[[str], str]) -> tuple[Table, int]:
    """Write the numbers of a column otherwise, in all of its cells or some."""
    _, place = _numbers(table, rng)
    share = float(rng.choice([1.0, 1.0, 0.5, 0.1]))
    rows, n = [], 0
    for row in table.rows:
        cell = row[place]
        fresh = new(cell) if cell and rng.random() < share else cell
        n += fresh != cell
        rows.append([*row[:place], fresh, *row[place + 1 :]])
    return replace(table, rows=rows), n


def _decimal_comma(table: Table, rng: np.random.Generator) -> Damage:
    if rng.random() < 0.5:
        table = replace(table, separator=";")
    found, n = _rewritten(table, rng, lambda cell: cell.replace(".", ","))
    return Damage(found, "decimal commas", Truth(same=True, told=n > 0))


def _thousands(table: Table, rng: np.random.Generator) -> Damage:
    sign = str(rng.choice([",", ".", "'", " ", "\u00a0", "\u202f", "\u2019"]))
    decimal = "," if sign == "." else str(rng.choice([".", ","])) if sign != "," else "."

    def new(cell: str) -> str:
        try:
            number = float(cell)
        except ValueError:
            return cell
        digits = len(cell.partition(".")[2])
        return f"{number:,.{digits}f}".replace(",", "@").replace(".", decimal).replace("@", sign)

    found, n = _rewritten(table, rng, new)
    whole = not any("." in cell for cell in table.column(table.measured))
    if sign == "." and whole and not table.unit:  # 1.250 beside 400 may be a response of one and a quarter
        return Damage(found, "thousands set apart by '.', which nobody can know")
    return Damage(found, f"thousands set apart by {sign!r}", Truth(same=True, told=n > 0))


def _units(table: Table, rng: np.random.Generator) -> Damage:
    unit = str(rng.choice([" ms", "ms", " msec", " milliseconds", " s", "s", " sec", " seconds", " V", "%"]))
    seconds = unit.strip().startswith("s")

    def new(cell: str) -> str:
        factor = 1.0 if seconds == (table.unit == "s") else 0.001 if seconds else 1000.0
        return (cell if factor == 1 else repr(float(cell) * factor)) + unit

    place = table.header.index(table.measured)
    share = float(rng.choice([1.0, 0.5]))
    rows = [[*r[:place], new(r[place]) if r[place] and rng.random() < share else r[place], *r[place + 1 :]]
            for r in table.rows]  # fmt: skip
    known = (
        table.unit in ("ms", "s")
        and unit not in (" V", "%")
        and any(a != b for a, b in zip(rows, table.rows, strict=True))
    )
    unchanged = rows == table.rows
    return Damage(
        replace(table, rows=rows), f"unit {unit!r}", Truth(same=True, told=known, refused=not known and not unchanged)
    )


def _without(table: Table, rng: np.random.Generator, marks: tuple[str, ...]) -> tuple[Table, list[float], str]:
    place = table.header.index(table.measured)
    mark = str(rng.choice(marks))
    n = int(rng.integers(1, 4))
    gone = set(rng.choice(len(table.rows), n, replace=False).tolist())
    rows = [[*r[:place], mark, *r[place + 1 :]] if at in gone else r for at, r in enumerate(table.rows)]
    left = [table.scale * float(r[place]) for at, r in enumerate(table.rows) if at not in gone and r[place]]
    return replace(table, rows=rows), left, mark


def _missing(table: Table, rng: np.random.Generator) -> Damage:
    found, left, mark = _without(table, rng, MISSING)
    return Damage(found, f"cells {mark!r}", Truth(values=left, told=True))


def _impossible(table: Table, rng: np.random.Generator) -> Damage:
    found, _, mark = _without(table, rng, IMPOSSIBLE)
    kept = not table.named and mark.lower() in ("inf", "-inf", "1e999")  # scans that hold no number are counted later
    return Damage(found, f"cells {mark!r}", Truth(refused=not kept))


def _letter_lost(table: Table, rng: np.random.Generator) -> Damage:
    at = int(rng.integers(len(table.rows)))
    place = int(rng.integers(len(table.header)))
    rows = [list(row) for row in table.rows]
    rows[at][place] += "\ufffd"
    return Damage(replace(table, rows=rows), "a letter lost", Truth(refused=True))


def _header_case(table: Table, rng: np.random.Generator) -> Damage:
    change = [str.upper, str.lower, str.title][int(rng.integers(3))]
    return Damage(replace(table, header=[change(name) for name in table.header]), "case of header", Truth(same=True))


def _blanks(table: Table, rng: np.random.Generator) -> Damage:
    blank = str(rng.choice([" ", "  ", "\u00a0"]))
    share = float(rng.choice([1.0, 0.2]))
    header = [f"{blank}{name}{blank}" if rng.random() < share else name for name in table.header]
    rows = [[f"{cell}{blank}" if rng.random() < share else cell for cell in row] for row in table.rows]
    return Damage(replace(table, header=header, rows=rows), "blanks around cells", Truth(same=True))


def _rows_doubled(table: Table, rng: np.random.Generator) -> Damage:
    at, n = int(rng.integers(len(table.rows))), int(rng.integers(1, 5))
    rows = [*table.rows[: at + n], *table.rows[at : at + n], *table.rows[at + n :]]
    return Damage(replace(table, rows=rows), "rows doubled", _of(table, rows))


def _rows_dropped(table: Table, rng: np.random.Generator) -> Damage:
    at, n = int(rng.integers(1, len(table.rows))), int(rng.integers(1, 5))
    rows = [*table.rows[:at], *table.rows[at + n :]]
    return Damage(replace(table, rows=rows), "rows dropped", _of(table, rows))


def _of(table: Table, rows: Cells) -> Truth:
    place = table.header.index(table.measured)
    return Truth(values=[table.scale * float(r[place]) for r in rows if r[place]], rows=len(rows))


def _header_twice(table: Table, rng: np.random.Generator) -> Damage:
    at = int(rng.integers(1, len(table.rows)))
    return Damage(
        replace(table, rows=[*table.rows[:at], table.header, *table.rows[at:]]), "header twice", Truth(refused=True)
    )


def _column_twice(table: Table, rng: np.random.Generator) -> Damage:
    place = table.header.index(table.measured)
    rows = [[*row, row[place] and "1.5"] for row in table.rows]
    return Damage(
        replace(table, header=[*table.header, table.measured], rows=rows), "column twice", Truth(refused=table.named)
    )


def _columns_moved(table: Table, rng: np.random.Generator) -> Damage:
    order = rng.permutation(len(table.header)).tolist()
    if any(len(row) != len(order) for row in table.rows):
        return Damage(table, "", Truth(same=True))
    moved = replace(table, header=[table.header[n] for n in order], rows=[[r[n] for n in order] for r in table.rows])
    return Damage(moved, "columns in another order", Truth(same=True))


def _names_swapped(table: Table, rng: np.random.Generator) -> Damage:
    a, b = rng.choice(len(table.header), 2, replace=False).tolist()
    header = list(table.header)
    header[a], header[b] = header[b], header[a]
    swapped = replace(table, header=header)
    return Damage(swapped, "names of columns swapped", Truth(rows=len(table.rows)))


def _cell_lost(table: Table, rng: np.random.Generator) -> Damage:
    at = int(rng.integers(len(table.rows)))
    rows = [list(row) for row in table.rows]
    if rng.random() < 0.5:
        del rows[at][int(rng.integers(len(rows[at])))]
    else:
        rows[at].insert(int(rng.integers(len(rows[at]))), "x")
    return Damage(replace(table, rows=rows), "a row of another length", Truth(refused=True))


def _separator(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(replace(table, separator=str(rng.choice([",", ";", "\t"]))), "another separator", Truth(same=True))


def _some_separators(table: Table, rng: np.random.Generator) -> Damage:
    other = str(rng.choice([sign for sign in ",;\t|" if sign != table.separator]))
    at = int(rng.integers(len(table.rows)))
    rows = [list(row) for row in table.rows]
    rows[at] = [other.join(rows[at])]
    return Damage(replace(table, rows=rows), "another separator in a row", Truth(refused=True))


def _sep_line(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(replace(table, before=f"sep={table.separator}\n"), "a line sep=", Truth(same=True))


def _row_names(table: Table, rng: np.random.Generator) -> Damage:
    rows = [[str(n), *row] for n, row in enumerate(table.rows, start=1)]
    header = ["", *table.header] if rng.random() < 0.5 else table.header
    return Damage(replace(table, header=header, rows=rows), "names of rows", Truth(same=True))


def _blank_rows(table: Table, rng: np.random.Generator) -> Damage:
    at = int(rng.integers(len(table.rows)))
    empty = [""] * len(table.header)
    return Damage(
        replace(table, rows=[*table.rows[:at], empty, *table.rows[at:], empty]), "blank rows", Truth(same=True)
    )


def _cut(table: Table, rng: np.random.Generator) -> Damage:
    at = float(rng.uniform(0.05, 0.98))
    return Damage(table, "cut", raw=lambda raw: raw[: int(at * len(raw))])


def _as_it_is(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(table, "as it is", Truth(same=True))


def _encoding(table: Table, rng: np.random.Generator) -> Damage:
    name = str(rng.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]))
    text = table.text()
    try:
        text.encode(name)
    except UnicodeEncodeError:
        name = "utf-8-sig"
    plain = name == "utf-8-sig" or (text.isascii() and name == "cp1252")
    return Damage(table, name, Truth(same=True, told=not plain), encoding=name)


def _two_encodings(table: Table, rng: np.random.Generator) -> Damage:
    """One row in Windows-1252 among rows in UTF-8."""
    letters = [n for n, row in enumerate(table.rows) if any(not cell.isascii() for cell in row)]
    if len(letters) < 2:
        return _as_it_is(table, rng)
    at = int(rng.choice(letters))

    def mixed(raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        first = next(n for n, line in enumerate(lines) if line.strip() and not line.startswith(b"sep="))
        lines[first + 1 + at] = lines[first + 1 + at].decode("utf-8").encode("cp1252", errors="ignore")
        return b"\n".join(lines)

    return Damage(table, "two encodings", Truth(refused=True), raw=mixed)


def _line_ends(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(replace(table, newline=str(rng.choice(["\r\n", "\r"]))), "line ends", Truth(same=True))


def _mixed_ends(table: Table, rng: np.random.Generator) -> Damage:
    ends = rng.integers(0, 3, 1000)

    def mixed(raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        return b"".join(line + (b"\n", b"\r\n", b"\r")[ends[n % 1000]] for n, line in enumerate(lines[:-1])) + lines[-1]

    return Damage(table, "mixed line ends", Truth(same=True), raw=mixed)


def _compressed(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(table, "gzip", Truth(same=True), gzip=True)


def _all_quoted(table: Table, rng: np.random.Generator) -> Damage:
    return Damage(replace(table, quoted=True), "every cell quoted", Truth(same=True))


def _quote_lost(table: Table, rng: np.random.Generator) -> Damage:
    """Of a table in which every cell is quoted, one mark is gone."""
    table = replace(table, quoted=True)
    at = float(rng.random())

    def lost(raw: bytes) -> bytes:
        places = [n for n, byte in enumerate(raw) if byte == 0x22]
        where = places[int(at * len(places))]
        return raw[:where] + raw[where + 1 :]

    return Damage(table, "a quotation mark lost", raw=lost)


STYLES: tuple[Callable[[Table, np.random.Generator], Damage], ...] = (
    _encoding, _line_ends, _compressed, _all_quoted, _blanks, _separator, _blank_rows, _columns_moved
)  # fmt: skip
WAYS: tuple[Callable[[Table, np.random.Generator], Damage], ...] = (
    *STYLES, _decimal_comma, _decimal_comma, _thousands, _thousands, _units, _missing, _missing, _impossible,
    _letter_lost, _header_case, _rows_doubled, _rows_dropped, _header_twice, _column_twice, _names_swapped, _cell_lost,
    _some_separators, _sep_line, _row_names, _cut, _two_encodings, _mixed_ends, _quote_lost,
)  # fmt: skip
