"""Findings on models alone, where no pair has the number: how high it is, and whether it leaves out chance."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tuneshift.findings.finding import Bar, Finding
from tuneshift.findings.people import is_simulated
from tuneshift.vocabulary import Metric, Vocabulary
from tuneshift.vocabulary.rows import headline
from tuneshift.vocabulary.selecting import extreme, groups
from tuneshift.vocabulary.words import capitalised, interval, missing, number, text

_KEYS = ("measurement", "dataset", "split", "mapping", "metric")


def model_findings(table: pd.DataFrame, paired: pd.DataFrame, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Yield a finding for every headline number of the long table that no row of `paired` (headline pairs) has."""
    rows = table[headline(table, vocabulary)] if len(table) else table
    rows = rows.dropna(subset=["value"])
    known = {key for key, _ in groups(paired, *_KEYS)} if len(paired) else set()
    for key, part in groups(rows, *_KEYS):
        if key in known:
            continue
        metric = vocabulary.metric(key[0], key[4])
        where = ", ".join(word for word in (key[1], key[3] if key[0] == key[4] else "") if word)
        sentence, kind, amount = _said(part, metric, where or "all data")
        yield Finding(
            sentence,
            kind,
            vocabulary.kind(key[0]).question,
            f"{metric.label} ({where})" if where else metric.label,
            amount,
            rows=tuple(f"row-{index}" for index in part.index),
            bars=tuple(Bar.of_row(text(row["model"]), row, "value") for _, row in part.iterrows()),
            zero=metric.chance or 0.0,
            simulated=is_simulated(key[1]),
        )


def _said(part: pd.DataFrame, metric: Metric, where: str) -> tuple[str, str, str]:
    top, low = extreme(part), extreme(part, lowest=True)
    ceiling = "" if missing(top["ceiling"]) else f"; noise ceiling {number(top['ceiling'])}"
    chance = metric.chance
    above = [
        chance is not None and not missing(row["ci_low"]) and float(row["ci_low"]) > chance
        for _, row in part.iterrows()
    ]
    if len(part) == 1:
        bounds = interval(top["ci_low"], top["ci_high"])
        amount = number(top["value"]) + ("" if bounds == "–" else f" [{bounds}]")
        if chance is None or bounds == "–":
            return f"{capitalised(metric.label)} of {top['model']} on {where}: {amount}{ceiling}.", "unknown", amount
        sure = f"the interval lies above {chance:g}" if above[0] else f"the interval holds {chance:g}"
        said = f"{capitalised(metric.label)} of {top['model']} on {where}: {amount}; {sure}{ceiling}."
        return said, "difference" if above[0] else "null", amount
    amount = f"{number(low['value'])} to {number(top['value'])}"
    said = (
        f"{capitalised(metric.label)} on {where}: from {number(low['value'])} ({low['model']}) to {number(top['value'])} "
        f"({top['model']}) over {len(part)} models"
    )
    if chance is not None:
        said += f"; {sum(above)} of {len(part)} intervals lie above {chance:g}"
    return f"{said}{ceiling}.", "difference" if any(above) else "unknown" if chance is None else "null", amount
