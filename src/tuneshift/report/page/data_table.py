"""Tables that the page sorts and filters: columns as compact JSON."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd

from tuneshift.vocabulary.words import listed

MOST_ROWS = 40_000
"""More rows than this would make the page too heavy for a mail; what is left out then, `light` says."""

_LABELS = {
    "base_model": "base model",
    "ci_low": "95% low",
    "ci_high": "95% high",
    "n_up": "n higher",
    "p_wilcoxon": "p (Wilcoxon)",
    "dataset": "data set",
    "spearman_r": "Spearman r",
    "pearson_r": "Pearson r",
}

CITED = {"pair": "difference", "row": "value", "link": "partial_r", "correlation": "pearson_r"}
"""The column that a sentence of the summary cites, by the anchor of the table's rows."""
_FIRST = (
    "model", "dataset", "metric", "inside", "property", "layer", "target", "participant", "n_layers", "base", "tuned",
    "difference", "value", "spearman_r", "pearson_r", "ci_low", "ci_high", "pearson_low", "pearson_high", "p", "q", "partial_r",
    "partial_low", "partial_high", "partial_p", "partial_q", "n", "ceiling", "unit",
)  # fmt: skip
"""Columns that stand first, so that a row's number is seen without scrolling; the others follow in their own order."""


def data_table(key: str, anchor: str, caption: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as JSON-ready columns; row i has the anchor `<anchor>-<i>` of its index i.

    Text columns are a list of different words and, per row, the place of its word (-1: missing); numbers keep 7
    significant digits. Columns that hold nothing are left out.
    """
    table = table.dropna(axis="columns", how="all")
    order = [*(name for name in _FIRST if name in table), *(name for name in table.columns if name not in _FIRST)]
    columns = [_column(str(name), table[name]) for name in order]
    ids = [int(i) for i in table.index]
    return {
        "key": key,
        "anchor": anchor,
        "caption": caption,
        "columns": columns,
        "ids": ids,
        "cited": CITED.get(anchor, ""),
    }


def light(table: pd.DataFrame, cited: Collection[int], elsewhere: str) -> tuple[pd.DataFrame, str]:
    """Return the table as the page holds it, and a sentence about what was left out and where it is ("" for nothing).

    `cited` are places (of the index) that some sentence leads to: those always stay. Single participants go first, then
    single regions of single layers, then the last rows.
    """
    if len(table) <= MOST_ROWS:
        return table, ""
    always = table.index.isin(list(cited))
    left: list[str] = []
    kept = np.ones(len(table), dtype=bool)
    rules: tuple[tuple[str, Callable[[pd.DataFrame], np.ndarray]], ...] = (
        ("single participants", _single_participant),
        ("single regions of single layers", _region_of_a_layer),
    )
    for what, rule in rules:
        if kept.sum() > MOST_ROWS and (going := kept & rule(table) & ~always).any():
            kept &= ~going
            left.append(what)
    if kept.sum() > MOST_ROWS:
        kept &= (np.cumsum(kept) <= MOST_ROWS) | always
        left.append("the last rows")
    n = len(table) - int(kept.sum())
    return table[kept], f"{n:,} of {len(table):,} rows ({listed(left)}) are in {elsewhere} only."


def _single_participant(table: pd.DataFrame) -> np.ndarray:
    if "participant" not in table:
        return np.zeros(len(table), dtype=bool)
    people = table["participant"].astype("string").fillna("")
    return ~people.isin(("", "mean", "median")).to_numpy(dtype=bool)


def _region_of_a_layer(table: pd.DataFrame) -> np.ndarray:
    if not {"layer", "target"} <= set(table.columns):
        return np.zeros(len(table), dtype=bool)
    layer, target = (table[name].astype("string").fillna("") for name in ("layer", "target"))
    return (layer.str.fullmatch(r"\d+") & ~target.isin(("", "mean"))).to_numpy(dtype=bool)


def _column(name: str, values: pd.Series) -> dict[str, Any]:  # type: ignore[type-arg]
    label = _LABELS.get(name, name.replace("_", " "))
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        numbers = [None if pd.isna(v) else float(f"{float(v):.7g}") for v in values]
        return {
            "name": name,
            "label": label,
            "numbers": [int(v) if v is not None and v.is_integer() else v for v in numbers],
        }
    texts = [None if pd.isna(v) else _text(v) for v in values]
    words = list(dict.fromkeys(t for t in texts if t is not None))
    places = {word: place for place, word in enumerate(words)}
    return {"name": name, "label": label, "words": words, "codes": [-1 if t is None else places[t] for t in texts]}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
