"""Sentences on size: do larger models predict reading better or worse, over other models and over other stories?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from tuneshift.report.selecting import HEADLINE_SURPRISALS, rows_of
from tuneshift.report.words import interval, metric_name, missing, number, text

SIZE = "log10 parameters"
FEWEST_MODELS = 10
_DIGITS = 2


def size_sentences(correlations: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield (sentence, kind, anchor) for every reading score of at least 10 models whose sizes are known.

    `kind` is "finding" where neither the interval over models nor the one over stories holds 0, else "null".
    """
    if correlations.empty or "pearson_r" not in correlations:
        return
    rows = rows_of(correlations, measurement="reading", property=SIZE, metric=("pearson_r", "delta_ll"))
    for index, row in rows_of(rows, mapping=HEADLINE_SURPRISALS).iterrows():
        if not missing(row["pearson_r"]) and int(row["n"]) >= FEWEST_MODELS:
            yield _sentence(row), "finding" if _beyond_zero(row) else "null", f"correlation-{index}"


def _sentence(row: Any) -> str:
    split = f", {text(row['split'])} split" if text(row["split"]) else ""
    told = [f"95% interval over models {interval(row['pearson_low'], row['pearson_high'], _DIGITS)}"]
    if not missing(row.get("over_stories_low")):
        drawn = interval(row["over_stories_low"], row["over_stories_high"], _DIGITS)
        told.append(f"over {int(row['n_stories'])} stories {drawn}")
    if not missing(row.get("without_family_low")):
        told.append(
            f"without any one family {interval(row['without_family_low'], row['without_family_high'], _DIGITS)}"
        )
    conclusion = "no evidence that size matters"
    if _beyond_zero(row):
        conclusion = f"larger models score {'higher' if float(row['pearson_r']) > 0 else 'lower'}"
    return (
        f"Size, {metric_name(row['metric'])} ({text(row['dataset'])}{split}, {text(row['mapping'])} surprisal): over "
        f"{int(row['n'])} models r = {number(row['pearson_r'], _DIGITS)} with the logarithm of the number of parameters "
        f"({'; '.join(told)}): {conclusion}."
    )


def _beyond_zero(row: Any) -> bool:
    bounds = [(row["pearson_low"], row["pearson_high"])]
    if not missing(row.get("over_stories_low")):
        bounds.append((row["over_stories_low"], row["over_stories_high"]))
    return all(not missing(low) and (float(low) > 0 or float(high) < 0) for low, high in bounds)
