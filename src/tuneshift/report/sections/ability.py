"""The section on abilities: accuracies and perplexities of every model, side by side."""

from __future__ import annotations

import pandas as pd

from tuneshift.report.blocks.figures import MOST_IN_A_ROW
from tuneshift.report.blocks.section import Section, SmallTable
from tuneshift.vocabulary.selecting import names, overall, rows_of
from tuneshift.vocabulary.words import interval, number, text

_LEAD = "What can the models do? Scores of lm-evaluation-harness."
MOST_TASKS = 100
_CHOSEN = ("accuracy", "perplexity")
_NO_FILTER = ("", "none")


def ability_section(table: pd.DataFrame) -> Section:
    """Return the section on abilities: one line a task and one column a model, or, of many models, the other way round."""
    rows = overall(rows_of(table, measurement="ability"), targets=False)
    if rows.empty:
        return Section(
            "abilities", "Abilities", _LEAD, absent="No ability was measured in this study.", question="across"
        )
    models = names(rows["model"])
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for _, row in rows.iterrows():
        key = (text(row["dataset"]), text(row["target"]), _metric(row))
        bounds = "" if pd.isna(row["ci_low"]) else f" [{interval(row['ci_low'], row['ci_high'])}]"
        lines.setdefault(key, {})[text(row["model"])] = number(row["value"]) + bounds
    ordered = sorted(lines.items(), key=lambda line: line[0][2].partition(" (")[0] not in _CHOSEN)  # those first
    shown = ordered[:MOST_TASKS]
    more = f" The first {MOST_TASKS} of {len(lines)} lines; all are in the table." if len(lines) > MOST_TASKS else ""
    small = SmallTable(f"Abilities by task, with 95% intervals.{more}", *_lines(shown, models))
    return Section("abilities", "Abilities", _LEAD, [small], question="across")


def _lines(
    shown: list[tuple[tuple[str, str, str], dict[str, str]]], models: list[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return columns and rows; more models than tasks go down the page, where there is room for them."""
    if len(models) > MOST_IN_A_ROW and len(models) > len(shown):
        columns = ("model", *(" ".join(part for part in key if part) for key, _ in shown))
        return columns, tuple((model, *(values.get(model, "–") for _, values in shown)) for model in models)
    columns = ("task", "subject", "metric", *models)
    return columns, tuple((*key, *(values.get(model, "–") for model in models)) for key, values in shown)


def _metric(row: pd.Series) -> str:  # type: ignore[type-arg]
    """Return the metric, with the filter of the answers where there is one: two filters are two numbers."""
    kept = text(row["mapping"])
    return text(row["metric"]) if kept in _NO_FILTER else f"{text(row['metric'])} ({kept})"
