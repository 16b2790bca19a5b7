"""Numbers as a reader wants them: three decimals, a real minus sign, p as p."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tuneshift.vocabulary.vocabulary import Vocabulary, ours

MINUS = "\u2212"


def metric_name(measurement: Any, metric: Any, vocabulary: Vocabulary | None = None) -> str:
    """Return a metric in running text, as the vocabulary (ours where none is given) calls it."""
    return (vocabulary or ours()).label(measurement, metric)


def missing(value: Any) -> bool:
    """Whether a table's cell holds nothing."""
    return value is None or bool(pd.isna(value))


def number(value: Any, digits: int = 3) -> str:
    """Return a number with so many decimals and a real minus sign; an en dash where there is none.

    Numbers of 1,000 and more lose their decimals, and numbers that the decimals would round to 0 get two significant
    digits instead.
    """
    if missing(value):
        return "–"
    value = float(value)
    if abs(value) >= 1000:
        text = f"{value:,.0f}"
    elif value != 0 and abs(value) < 0.5 * 10**-digits:
        text = f"{value:.1e}"
    else:
        text = f"{value:.{digits}f}"
    return text.replace("-", MINUS)


def signed(value: Any, digits: int = 3) -> str:
    """Return a number with its sign."""
    text = number(value, digits)
    return f"+{text}" if not missing(value) and float(value) > 0 else text


def interval(low: Any, high: Any, digits: int = 3) -> str:
    """Return "low to high", or an en dash where there is no interval."""
    if missing(low) or missing(high):
        return "–"
    return f"{number(low, digits)} to {number(high, digits)}"


def p_value(p: Any) -> str:
    """Return "p = 0.021" or "p < 0.001"; "" where there is no test."""
    if missing(p):
        return ""
    return "p < 0.001" if float(p) < 0.001 else f"p = {float(p):.3f}"


def capitalised(label: str) -> str:
    """Return a label as the beginning of a sentence, its other letters as they are."""
    return label[:1].upper() + label[1:]


def listed(names: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def text(value: Any) -> str:
    """Return a cell's text, "" where it holds nothing."""
    return "" if missing(value) else str(value)
