"""Words with their times in a table: a laboratory's own, or BIDS events (onset, duration and a column of words)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tuneshift.errors import BadInput
from tuneshift.files.text_file import plain_suffix, read_text
from tuneshift.human.text.delimited import SEPARATORS, Delimited, read_delimited, separator_of
from tuneshift.human.text.last_row import cut_off
from tuneshift.human.text.number_cells import is_plain_number
from tuneshift.human.text.problems import some
from tuneshift.human.text.transcript import SpokenWord

_KNOWN_AS = {
    "word": ("word", "text", "token"),
    "onset": ("onset", "start", "begin", "onset_s", "xmin"),
    "offset": ("offset", "end", "stop", "offset_s", "xmax"),
    "duration": ("duration", "length"),
}
_NO_TIME = ("", "n/a", "na", "nan")
_APART = 0.05  # seconds by which an offset may differ from onset and duration


def read_word_table(
    path: Path, columns: tuple[str, ...] | Mapping[str, str] | None
) -> tuple[list[SpokenWord], list[str]]:
    """Return the words of a table, NaN for times that it does not give, and what is to be said of how it was read.

    `columns` names the columns of a table without a header, or says which of its columns is the `word`, `onset`,
    `offset` or `duration`. Rows whose word is empty or "n/a", as BIDS writes it, are events without a word: left out.

    Raises BadInput where a column is missing or not the only one it could be, and with the first cell that is no time.
    """
    if columns is None or isinstance(columns, Mapping):
        read = read_delimited(path)
    else:
        read = _headless(path, columns)
    table, said = read.table, [f"{path.name}: {sentence}" for sentence in read.said]
    names = _columns(path, [str(name) for name in table.columns], columns if isinstance(columns, Mapping) else {})
    text = table[names["word"]].astype(str).str.strip()
    wordless = text.str.lower().isin(["", "n/a"])
    if wordless.any():
        said.append(f"{path.name}: {int(wordless.sum())} of {len(table)} rows have no word and were left out")
    table, text = table[~wordless], text[~wordless]
    onset = _seconds(path, table[names["onset"]])
    ends = {name: _seconds(path, table[names[name]]) for name in ("offset", "duration") if name in names}
    if "duration" in ends:
        negative = np.flatnonzero(ends["duration"] < 0)
        if len(negative):
            raise BadInput(f"{path}, row {table.index[negative[0]]}: its duration is negative.")
        ends["duration"] = onset + ends["duration"]
    if len(ends) == 2:
        apart = np.flatnonzero(np.abs(ends["offset"] - ends["duration"]) > _APART)
        if len(apart):
            raise BadInput(
                f"{path}, row {table.index[apart[0]]}: `{names['offset']}` is not `{names['onset']}` and "
                f"`{names['duration']}` together; leave one of the columns out of the table."
            )
    end = ends["offset"] if "offset" in ends else ends["duration"]
    return [SpokenWord(*row) for row in zip(text.tolist(), onset.tolist(), end.tolist(), strict=True)], said


def _headless(path: Path, columns: tuple[str, ...]) -> Delimited:
    file = read_text(path)
    lines = file.text.split("\n")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise BadInput(f"{path} is empty.")
    separator = separator_of(first, SEPARATORS.get(plain_suffix(path), "\t"))
    rows: dict[int, list[str]] = {}
    try:
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows[reader.line_num] = [cell.strip() for cell in cells]
    except csv.Error as error:
        raise BadInput(f"{path}, row {reader.line_num}: is no row of a table ({error}).") from error
    if not rows:
        raise BadInput(f"{path} holds separators and nothing between them.")
    wrong = next((number for number, cells in rows.items() if len(cells) != len(columns)), None)
    if wrong is not None:
        raise BadInput(
            f"{path}, row {wrong}: has {len(rows[wrong])} columns, the recipe names {len(columns)} in `columns`."
        )
    said = (file.said, cut_off(file.text, list(rows.values())[-1][-1]))
    names = [name.strip() for name in columns]
    table = pd.DataFrame(list(rows.values()), index=list(rows), columns=names, dtype=str)
    return Delimited(table, tuple(sentence for sentence in said if sentence))


def _columns(path: Path, header: list[str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return which column is the word, the onset, the offset and the duration."""
    unknown = [name for name in wanted if name not in _KNOWN_AS]
    if unknown:
        raise BadInput(f"{path}: `columns` says what {some(unknown)} is; it may say {', '.join(_KNOWN_AS)}.")
    found = {}
    for name, others in _KNOWN_AS.items():
        if name in wanted:
            if wanted[name] not in header:
                raise BadInput(f"{path} has no column `{wanted[name]}`; it has {some(header, 8)}.")
            found[name] = wanted[name]
            continue
        could = [column for column in header if column.lower() in others and column not in wanted.values()]
        if len(could) > 1:
            raise BadInput(
                f"{path} has columns {some([f'`{column}`' for column in could])}, each of which may be the {name}; say "
                f"which: `columns: {{{name}: {could[0]}}}`."
            )
        if could:
            found[name] = could[0]
    missing = [name for name in ("word", "onset") if name not in found]
    missing += [] if "offset" in found or "duration" in found else ["duration"]
    if missing:
        raise BadInput(
            f"{path} has no column `{missing[0]}`; it has {some(header, 8)}. Say which it is, as `columns: "
            f"{{{missing[0]}: ...}}`, or name all columns of a table without a header."
        )
    return found


def _seconds(path: Path, cells: pd.Series) -> np.ndarray:
    values = np.full(len(cells), np.nan)
    for place, (row, cell) in enumerate(zip(cells.index, cells.tolist(), strict=True)):
        text = str(cell).strip()
        if text.lower() in _NO_TIME:
            continue
        if not is_plain_number(text) or not np.isfinite(float(text)):
            raise BadInput(f"{path}, row {row}: {text!r:.60} is no time in seconds (column `{cells.name}`).")
        values[place] = float(text)
    return values
