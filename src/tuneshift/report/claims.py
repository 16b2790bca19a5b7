"""Claims: the sentences of the summary with links to the rows that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuneshift.report.summary import Sentence
from tuneshift.report.words import metric_name, missing, number, signed, text

MOST_LINKS = 6
"""More rows than this are shown by one link to all of them."""

_SECTIONS = {
    "brain": "brain",
    "reading": "reading",
    "attribution": "prompts",
    "internals": "weights",
    "heads": "weights",
    "concepts": "weights",
    "ability": "abilities",
    "link": "link",
    "failures": "failures",
    "data": "provenance",
}
_BADGES = {
    "warning": ("\u26a0", "read first"),
    "difference": ("\u25c6", "difference"),
    "null": ("\u25cb", "no difference shown"),
    "unknown": ("?", "nothing claimed"),
    "finding": ("\u25a0", "measured"),
}


@dataclass(frozen=True)
class Link:
    """A link to a row: the page's anchor, what is read, and what is said to those who hear the page."""

    anchor: str
    label: str
    spoken: str


@dataclass(frozen=True)
class Claim:
    """A sentence, the sign and word of its kind, the section it is about, and the rows that carry it."""

    sentence: Sentence
    sign: str
    badge: str
    section: str
    links: tuple[Link, ...]


def claims(sentences: list[Sentence], tables: dict[str, pd.DataFrame]) -> list[Claim]:
    """Return the sentences with their links; `tables` are the tables by the first part of their rows' anchors."""
    return [_claim(sentence, tables) for sentence in sentences]


def _claim(sentence: Sentence, tables: dict[str, pd.DataFrame]) -> Claim:
    places = [_place(anchor) for anchor in sentence.rows]
    links = [_link(name, row, tables[name]) for name, row in places] if len(places) <= MOST_LINKS else []
    by_table: dict[str, list[int]] = {}
    for name, row in places:
        by_table.setdefault(name, []).append(row)
    for name, rows in by_table.items():
        if len(rows) > 1:
            anchor = f"{name}-{','.join(str(row) for row in rows)}"
            links.append(Link(anchor, f"all {len(rows)} rows", f"Show the {len(rows)} rows that carry this sentence"))
    sign, badge = _BADGES[sentence.kind]
    badge = "no link shown" if sentence.topic == "link" and sentence.kind == "null" else badge
    return Claim(sentence, sign, badge, _SECTIONS.get(sentence.topic, ""), tuple(links))


def _place(anchor: str) -> tuple[str, int]:
    name, _, row = anchor.rpartition("-")
    return name, int(row)


def _link(name: str, row: int, table: pd.DataFrame) -> Link:
    record: pd.Series[Any] = table.iloc[int(table.index.get_indexer(pd.Index([row]))[0])]
    value = shown_value(name, record)
    model = text(record.get("model"))
    what = metric_name(record["metric"]) if "metric" in record and not missing(record["metric"]) else name
    return Link(f"{name}-{row}", f"{model}: {value}" if model else value, f"Row {row}: {what} of {model}, {value}")


def shown_value(name: str, record: pd.Series) -> str:  # type: ignore[type-arg]
    """Return the number of a row that a sentence is about, as the table shows it."""
    if name == "pair":
        return signed(record["difference"])
    if name == "row":
        return number(record["value"])
    return signed(record["spearman_r" if name == "link" else "pearson_r"])
