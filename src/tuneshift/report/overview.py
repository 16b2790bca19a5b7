"""The overview: one line a tuned model, one column a headline number, each cell a link to the row that carries it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tuneshift.report.summary import headline_pairs, verdict
from tuneshift.report.words import interval, metric_name, missing, p_value, signed, text

_VERDICTS = {
    "difference": ("\u25b2", "\u25bc", "difference"),
    "null": ("\u25cb", "\u25cb", "no difference shown"),
    "unclear": ("\u25cb", "\u25cb", "interval and test disagree"),
    "unknown": ("", "", "no interval is known"),
}


@dataclass(frozen=True)
class Cell:
    """One difference: its row's anchor, its text, and what may be said of it."""

    anchor: str
    kind: str
    sign: str
    difference: str
    bounds: str
    test: str
    verdict: str


@dataclass(frozen=True)
class Overview:
    """Columns as (metric, where), and per tuned model its name, its base, and a cell or None a column."""

    columns: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, str, tuple[Cell | None, ...]], ...]


def overview(pairs: pd.DataFrame) -> Overview | None:
    """Return the overview of a table of pairs; None where no tuned model was compared with its base."""
    headline = headline_pairs(pairs)
    if headline.empty:
        return None
    columns: dict[tuple[str, str], None] = {}
    cells: dict[tuple[str, str], dict[tuple[str, str], Cell]] = {}
    for index, row in headline.iterrows():
        column = (metric_name(row["metric"]), _where(row))
        columns.setdefault(column)
        line = cells.setdefault((text(row["model"]), text(row["base_model"])), {})
        line.setdefault(column, _cell(f"pair-{index}", row))
    lines = tuple((model, base, tuple(line.get(c) for c in columns)) for (model, base), line in cells.items())
    return Overview(tuple(columns), lines)


def _where(row: pd.Series) -> str:  # type: ignore[type-arg]
    form = text(row["mapping"]) if text(row["measurement"]) in ("attribution", "reading") else ""
    parts = [text(row["dataset"]), text(row["split"]) if text(row["measurement"]) == "brain" else form]
    return ", ".join(part for part in parts if part)


def _cell(anchor: str, row: pd.Series) -> Cell:  # type: ignore[type-arg]
    kind = verdict(row)
    up, down, said = _VERDICTS[kind]
    higher = not missing(row["difference"]) and float(row["difference"]) > 0
    if kind == "difference":
        said = "higher than the base" if higher else "lower than the base"
    bounds, test = interval(row["ci_low"], row["ci_high"]), p_value(row["p"])
    return Cell(anchor, kind, up if higher else down, signed(row["difference"]), bounds, test, said)
