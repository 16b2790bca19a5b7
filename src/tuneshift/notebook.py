"""Objects in a notebook: small HTML, in which every name, token and text of others stays text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 30
_LONGEST = 300


def facts(title: str, rows: Mapping[str, Any]) -> str:
    """Return a heading and a small table of facts; empty ones are left out, long ones cut."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(str(name))}</th><td style='text-align:left'>{_short(value)}</td></tr>"
        for name, value in rows.items()
        if value not in (None, "", ())
    )
    return f"<p><b>{escape(title)}</b></p><table>{cells}</table>"


def table(frame: pd.DataFrame) -> str:
    """Return the first rows of a table, columns without any value left out, and how many rows there are besides."""
    shown = frame.dropna(axis="columns", how="all")
    html = str(shown.head(MOST_ROWS).to_html(index=False, escape=True, na_rep="", max_cols=None, border=0))
    left = len(frame) - MOST_ROWS
    return html + (f"<p>and {left:,} more rows</p>" if left > 0 else "")


def notes(sentences: Iterable[str]) -> str:
    """Return sentences as a list, "" where there are none."""
    items = "".join(f"<li>{_short(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def listed(values: Iterable[Any], most: int = 8) -> str:
    """Return the different values in a line, the first few of many; "-" where there are none."""
    found = list(dict.fromkeys(map(str, values)))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more if found else "-"


def shaded(tokens: Iterable[str], strength: Iterable[float]) -> str:
    """Return tokens on a ground as dark as their strength (0 to 1), which a pointer held over them shows."""
    spans = (
        f"<span style='background:rgba(214,120,40,{min(max(value, 0.0), 1.0):.2f})' title='{value:.2f}'>"
        f"{escape(token)}</span>"
        for token, value in zip(tokens, strength, strict=True)
    )
    return f"<span style='white-space:pre-wrap'>{''.join(spans)}</span>"


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return escape(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ...")
