"""Numbers as spreadsheets of any country write them: read rightly and said, or refused with the row and the cell.

What a comma or a point means is decided for a column as a whole, by all of its cells: "1,390" beside "915" is one
thousand three hundred and ninety, beside "1091,5" it is 1.39, and where every cell has three digits behind its only
comma nobody can know, so that the column is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tuneshift.human.text.problems import Problem

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", ".", "-", "--")
"""What stands where there is no number, in small letters."""

_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII)
_COMMA_DECIMAL = re.compile(r"[-+]?\d*,\d+(e[-+]?\d+)?", re.ASCII)
_COMMA_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
_POINT_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?", re.ASCII)
_OTHER_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}([ '\u2019\u00a0\u202f\u2009]\d{3})+([.,]\d*)?", re.ASCII)
_INFINITE = re.compile(r"[-+]?(inf|infinity|#div/0!|\u221e)")
_UNIT = re.compile(r"(.*[\d.,])\s*(ms|msec|msecs|msec\.|milliseconds?|s|sec|secs|sec\.|seconds?)", re.DOTALL)
_EITHER = "may be thousands or decimals: write decimals with a point, and thousands without a sign"
_FAR = 100  # times the median of the other cells: nobody's thousands are that far from them


@dataclass(frozen=True)
class NumberColumn:
    """A column as float64 `values` (n,), NaN where `missing` (n,), with what is `said` of it, and what is `wrong`."""

    values: np.ndarray
    missing: np.ndarray
    said: tuple[str, ...] = ()
    wrong: tuple[Problem, ...] = ()


def read_numbers(cells: pd.Series, column: str, unit: str | None = None) -> NumberColumn:
    """Read a column of text cells, whose index holds the rows of the file that they stand in.

    `unit`, "ms" or "s", is what plain numbers are in; cells may then carry a unit of their own ("312 ms", "0.3 s") and
    are brought to it. Numbers are strict: no infinity, no "1_000", no digits of other scripts.
    """
    codes, distinct = pd.factorize(cells)
    texts = [_bare(str(text)) for text in distinct]
    missing = np.array([text in MISSING for text in texts], dtype=bool)
    scale, stripped, said = _without_units(texts, missing, unit)
    reading = _reading(stripped, missing, timed=unit is not None)
    values = np.full(len(texts), np.nan)
    faults: dict[int, str] = {}
    for place, text in enumerate(stripped):
        if missing[place]:
            continue
        number = reading.number(text)
        if number is None:
            faults[place] = reading.fault or ("is infinite" if _INFINITE.fullmatch(text) else "is no number")
        elif not np.isfinite(number * scale[place]):
            faults[place] = "is infinite"
        else:
            values[place] = number * scale[place]
    notes = [*said, *reading.said]
    told = tuple(f"column `{column}`: {what}, as in row {_first(cells, codes, places)}" for what, places in notes)
    return NumberColumn(values[codes], missing[codes], told, _problems(cells, codes, column, faults))


def is_plain_number(text: str) -> bool:
    """Whether a text is a number with a point for decimals and no sign for thousands, infinities left out."""
    return _PLAIN.fullmatch(text.lower()) is not None


def _problems(cells: pd.Series, codes: np.ndarray, column: str, faults: dict[int, str]) -> tuple[Problem, ...]:
    if not faults:
        return ()
    wrong = np.isin(codes, list(faults))
    first = int(np.flatnonzero(wrong)[0])
    cell = str(cells.iloc[first])
    shown = repr(cell if len(cell) <= 60 else f"{cell[:57]}...")
    what = faults[int(codes[first])]
    return (Problem(f"row {cells.index[first]}, column `{column}`: {shown} {what} ({int(wrong.sum())} such rows)"),)


def _first(cells: pd.Series, codes: np.ndarray, places: list[int]) -> str:
    first = int(np.flatnonzero(np.isin(codes, places))[0])
    return f"{cells.index[first]} ({str(cells.iloc[first])!r})"


def _bare(text: str) -> str:
    """Without blanks, quotation marks and large letters; with a hyphen for the minus sign."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return text.replace("\u2212", "-").lower()


def _without_units(
    texts: list[str], missing: np.ndarray, unit: str | None
) -> tuple[np.ndarray, list[str], list[tuple[str, list[int]]]]:
    """Return factors, the texts without their units, and what is to be said of which."""
    scale, stripped = np.ones(len(texts)), list(texts)
    if unit is None:
        return scale, stripped, []
    said: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        found = None if missing[place] else _UNIT.fullmatch(text)
        if found:
            stripped[place] = found.group(1)
            name = "ms" if found.group(2).startswith("m") else "s"
            scale[place] = 1.0 if name == unit else 1000.0 if name == "s" else 0.001
            said.setdefault(name, []).append(place)
    return scale, stripped, [(f"cells with a unit were read as {name}", places) for name, places in said.items()]


@dataclass(frozen=True)
class _Reading:
    """How the cells of a column are to be read: with these group signs taken away, and this sign for decimals."""

    decimal: str = "."
    groups: str = ""
    said: tuple[tuple[str, list[int]], ...] = ()
    fault: str = ""

    def number(self, text: str) -> float | None:
        """Return the number of a cell, None where it is none in this way of writing."""
        if self.fault and ("," in text or "." in text):
            return None
        if _OTHER_GROUPS.fullmatch(text):
            text = re.sub(r"[ '\u2019\u00a0\u202f\u2009]", "", text)
        if self.groups and self.groups in text:
            pattern = _COMMA_GROUPS if self.groups == "," else _POINT_GROUPS
            if not pattern.fullmatch(text):
                return None
            text = text.replace(self.groups, "")
        if self.decimal == ",":
            if "." in text or ("," in text and not _COMMA_DECIMAL.fullmatch(text)):
                return None
            text = text.replace(",", ".")
        return float(text) if _PLAIN.fullmatch(text) else None


def _reading(texts: Sequence[str], missing: np.ndarray, timed: bool) -> _Reading:
    there = [(place, text) for place, text in enumerate(texts) if not missing[place]]
    told = [place for place, text in there if _OTHER_GROUPS.fullmatch(text)]
    blanks: tuple[tuple[str, list[int]], ...] = (("thousands set apart were read as one number", told),) if told else ()
    commas = [(place, text) for place, text in there if "," in text]
    points = [(place, text) for place, text in there if "." in text and "," not in text and _PLAIN.fullmatch(text)]
    if not commas:
        dotted = [(p, t) for p, t in there if "." in t]
        return _points(there, dotted, blanks, timed)
    both = [text for _, text in commas if "." in text]
    places = [place for place, _ in commas]
    thousands = (*blanks, ("commas were read as thousands separators", places))
    decimals = (*blanks, ("commas were read as decimal commas", places))
    grouped = all(_COMMA_GROUPS.fullmatch(text) for _, text in commas)
    if both:
        if grouped:
            return _Reading(fault=_EITHER) if _far_above(there, ",") else _Reading(groups=",", said=thousands)
        if all(_POINT_GROUPS.fullmatch(text) for text in both):
            far = _far_above(there, ".")
            return _Reading(fault=_EITHER) if far else _Reading(decimal=",", groups=".", said=decimals)
        return _Reading(fault="is written otherwise than other numbers of the column: points and commas both divide")
    whole = [float(text) for _, text in there if re.fullmatch(r"[-+]?\d+", text, re.ASCII)]
    if not grouped:
        if points:
            return _Reading(fault="has a comma where other cells of the column have a point")
        if timed and _far_below(there, commas, _COMMA_GROUPS):
            return _Reading(fault=_EITHER)
        return _Reading(decimal=",", said=decimals)
    if any(text.count(",") > 1 for _, text in commas):
        return _Reading(groups=",", said=thousands)
    # "1200.5" shows that thousands are not divided, and that decimals have a point: then nobody knows what a comma is.
    whole += [float(text) for _, text in points]
    if any(abs(number) >= 1000 for number in whole):
        unclear = points or (timed and _far_below(there, commas, _COMMA_GROUPS))
        return _Reading(fault=_EITHER) if unclear else _Reading(decimal=",", said=decimals)
    largest = max(abs(float(text.replace(",", ""))) for _, text in commas)
    if whole and largest <= _FAR * max(float(np.median(np.abs(whole))), 1.0):
        return _Reading(groups=",", said=thousands)
    return _Reading(fault=_EITHER)


def _points(
    there: Sequence[tuple[int, str]],
    dotted: Sequence[tuple[int, str]],
    said: tuple[tuple[str, list[int]], ...],
    timed: bool,
) -> _Reading:
    """Points divide thousands where a cell has several, or where times, as decimals, would be far below the others."""
    grouped = all(_POINT_GROUPS.fullmatch(text) for _, text in dotted)
    thousands = _Reading(
        decimal=",", groups=".", said=(*said, ("points were read as thousands separators", [p for p, _ in dotted]))
    )
    if grouped and any(text.count(".") > 1 for _, text in dotted):
        return thousands
    whole = [float(text) for _, text in there if "." not in text and _PLAIN.fullmatch(text)]
    # A cell such as "250.0" shows what points are in this column: then none divides thousands.
    if not timed or not grouped or not _far_below(there, dotted, _POINT_GROUPS, 10):
        return _Reading(said=said)
    sure = all(abs(number) < 1000 for number in whole) and _far_below(there, dotted, _POINT_GROUPS)
    return thousands if sure else _Reading(fault=_EITHER)


def _far_above(there: Sequence[tuple[int, str]], groups: str) -> bool:
    """Whether a cell with this sign alone would, as thousands, be far above the median of those that have the other."""
    decimal = "." if groups == "," else ","
    divided = [float(text.replace(groups, "")) for _, text in there if re.fullmatch(rf"[-+]?\d+(\{groups}\d+)+", text)]
    others = [text.replace(groups, "").replace(decimal, ".") for _, text in there if decimal in text]
    known = [abs(float(text)) for text in others if _PLAIN.fullmatch(text)]
    return bool(divided and known) and max(map(abs, divided)) > _FAR * max(float(np.median(known)), 1.0)


def _far_below(
    there: Sequence[tuple[int, str]], divided: Sequence[tuple[int, str]], groups: re.Pattern[str], far: float = _FAR
) -> bool:
    """Whether a cell that could be thousands would, as a decimal, be `far` times below the median of the others."""
    values = {place: text.replace(",", ".") for place, text in there}
    could = {place for place, text in divided if groups.fullmatch(text)}
    known = [abs(float(text)) for place, text in values.items() if place not in could and _PLAIN.fullmatch(text)]
    small = [abs(float(values[place])) for place in could if _PLAIN.fullmatch(values[place])]
    return bool(known and small) and float(np.median(known)) >= far * min(small)
