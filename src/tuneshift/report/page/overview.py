"""The overview: one line a tuned model, one column a headline number, each cell a link to the row that carries it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tuneshift.compare.verdict import verdict
from tuneshift.findings.of_pairs import headline_groups
from tuneshift.vocabulary import Vocabulary
from tuneshift.vocabulary.words import interval, metric_name, missing, p_value, signed, text

_VERDICTS = {
    "difference": ("\u25b2", "\u25bc", "difference"),
    "null": ("\u25cb", "\u25cb", "no change shown"),
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


def overview(pairs: pd.DataFrame, vocabulary: Vocabulary) -> Overview | None:
    """Return the overview of a table of pairs; None where no tuned model was compared with its base."""
    columns: list[tuple[str, str]] = []
    cells: dict[tuple[str, str], dict[int, Cell]] = {}
    for key, where, part in headline_groups(pairs, vocabulary):
        columns.append((metric_name(key[0], key[4], vocabulary), where))
        for index, row in part.iterrows():
            line = cells.setdefault((text(row["model"]), text(row["base_model"])), {})
            line[len(columns) - 1] = _cell(f"pair-{index}", row)
    if not columns:
        return None
    places = range(len(columns))
    lines = tuple((model, base, tuple(line.get(i) for i in places)) for (model, base), line in cells.items())
    return Overview(tuple(columns), lines)


def _cell(anchor: str, row: pd.Series) -> Cell:  # type: ignore[type-arg]
    kind = verdict(row)
    up, down, said = _VERDICTS[kind]
    higher = not missing(row["difference"]) and float(row["difference"]) > 0
    if kind == "difference":
        said = "higher than the base" if higher else "lower than the base"
    bounds, test = interval(row["ci_low"], row["ci_high"]), p_value(row["p"])
    return Cell(anchor, kind, up if higher else down, signed(row["difference"]), bounds, test, said)
