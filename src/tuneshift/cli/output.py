"""How a command shows its numbers: a short table for people, one JSON object for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuneshift.cli.printable import printable

if TYPE_CHECKING:  # imported where it is used: `--help` and completion must stay quick
    import pandas as pd

    from tuneshift.measurement import Specification

_SHOWN = ("model", "dataset", "split", "mapping", "layer", "target", "participant", "metric", "value", "interval", "n")


def show(
    table: pd.DataFrame,
    warnings: Iterable[str],
    measurement: Specification,
    *,
    as_json: bool,
    summary: pd.DataFrame | None = None,
) -> None:
    """Print the long table: all rows as JSON, or for people the rows of `summary` (default: all) and the warnings.

    As in a study's table each JSON row says `measurement` in a few words, in the last key `specification`.
    """
    if as_json:
        from tuneshift.study.description import describe

        print_json(json_rows(table.assign(specification=describe(measurement))), warnings)
        return
    print_table(readable(table if summary is None or summary.empty else summary))
    for warning in warnings:
        tell(f"note: {warning}", style="yellow")


def print_json(rows: Iterable[Mapping[str, Any]], warnings: Iterable[str] = ()) -> None:
    """Print the one JSON object of `--json` on the standard output that the command was given."""
    document = {"rows": list(rows), "warnings": list(warnings)}
    out = _machines or sys.stdout
    out.write(json.dumps(document, allow_nan=False, default=str) + "\n")
    out.flush()


_machines: TextIO | None = None
"""Where JSON goes while everything else that is printed goes to standard error."""


@contextmanager
def only_json() -> Iterator[None]:
    """Keep standard output for `print_json`: what Python code or a library prints meanwhile goes to standard error."""
    global _machines
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # standard output is closed
        yield
        return
    before, python_level = _machines, sys.stdout
    redirected = _is_standard_output(python_level)
    try:
        os.dup2(2, 1)
        with os.fdopen(os.dup(kept), "w", encoding="utf-8") as machines:
            _machines = machines if redirected else python_level
            sys.stdout = sys.stderr
            yield
    finally:
        sys.stdout, _machines = python_level, before
        with suppress(OSError):
            os.dup2(kept, 1)
        os.close(kept)


def _is_standard_output(stream: Any) -> bool:
    """Whether a stream writes to file descriptor 1 (a test may have put another in its place)."""
    try:
        return bool(stream.fileno() == 1)
    except (OSError, ValueError, AttributeError):
        return False


def tell(text: str, style: str = "") -> None:
    """Print one line for people on standard error, coloured on a terminal only."""
    console = Console(stderr=True)
    if console.is_terminal:
        console.print(Text(printable(text), style=style))
    else:
        sys.stderr.write(f"{printable(text)}\n")


def json_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON-ready dictionaries; missing values become null."""
    return json.loads(table.to_json(orient="records", double_precision=12))  # type: ignore[no-any-return]


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns a person reads, values and intervals rounded, empty columns left out."""
    import pandas as pd

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
    import pandas as pd

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns or table.columns:
        right = column in ("value", "n", "interval", "ceiling")
        drawn.add_column(Text(printable(column)), justify="right" if right else "left")
    for row in table.itertuples(index=False):
        drawn.add_row(*(Text("" if pd.isna(cell) else printable(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:  # a pipe has no width: let every row be one line
        console = Console(width=_NO_WIDTH, no_color=True)
    console.print(drawn)


_NO_WIDTH = 100_000
