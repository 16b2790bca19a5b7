"""How a command shows its numbers: a short table for people, one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

_SHOWN = ("model", "dataset", "split", "mapping", "layer", "target", "participant", "metric", "value", "interval", "n")


def show(table: pd.DataFrame, warnings: Iterable[str], *, as_json: bool, summary: pd.DataFrame | None = None) -> None:
    """Print the long table: all rows as JSON, or for people the rows of `summary` (default: all) and the warnings."""
    if as_json:
        sys.stdout.write(json.dumps({"rows": json_rows(table), "warnings": list(warnings)}, allow_nan=False) + "\n")
        return
    print_table(readable(table if summary is None or summary.empty else summary))
    for warning in warnings:
        Console(stderr=True).print(f"note: {warning}", style="yellow", highlight=False, markup=False)


def json_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON-ready dictionaries; missing values become null."""
    return json.loads(table.to_json(orient="records", double_precision=12))  # type: ignore[no-any-return]


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns a person reads, values and intervals rounded, empty columns left out."""
    out = table.copy()
    out["interval"] = [
        "" if pd.isna(low) else f"[{low:.3f}, {high:.3f}]"
        for low, high in zip(out["ci_low"], out["ci_high"], strict=True)
    ]
    out["value"] = ["-" if pd.isna(v) else f"{v:.4g}" if abs(v) >= 100 else f"{v:.3f}" for v in out["value"]]
    out["ceiling"] = ["" if pd.isna(v) else f"{v:.3f}" for v in out["ceiling"]]
    keep = [c for c in (*_SHOWN, "ceiling", "unit") if not (out[c].isna() | (out[c].astype("string") == "")).all()]
    return out[keep]


def print_table(table: pd.DataFrame, columns: Sequence[str] | None = None) -> None:
    """Print a table to standard output, plain where output is piped."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns or table.columns:
        drawn.add_column(str(column), justify="right" if column in ("value", "n", "interval", "ceiling") else "left")
    for row in table.itertuples(index=False):
        drawn.add_row(*("" if pd.isna(cell) else str(cell) for cell in row))
    console = Console()
    if not console.is_terminal:  # a pipe has no width: let every row be one line
        console = Console(width=max(200, console.width), no_color=True)
    console.print(drawn, markup=False, highlight=False)
