"""Claims: findings and sentences with links to the rows that carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tuneshift.findings.finding import Finding, Sentence
from tuneshift.report.page.finding_picture import finding_picture
from tuneshift.vocabulary import Vocabulary
from tuneshift.vocabulary.words import metric_name, missing, number, signed, text

MOST_LINKS = 6
"""More rows than this are shown by one link to all of them."""

_BADGES = {
    "warning": ("\u26a0", "read first"),
    "difference": ("\u25c6", "difference"),
    "null": ("\u25cb", "no change shown"),
    "unknown": ("?", "nothing claimed"),
    "finding": ("\u25a0", "measured"),
}
_SIGNS = {"higher": ("\u25b2", "higher"), "lower": ("\u25bc", "lower"), "mixed": ("\u25c6", "both ways")}


@dataclass(frozen=True)
class Link:
    """A link to a row: the page's anchor, what is read, and what is said to those who hear the page."""

    anchor: str
    label: str
    spoken: str


@dataclass(frozen=True)
class Claim:
    """A sentence, its kind, the sign and word of it, the place it is about, the rows that carry it, and its picture."""

    text: str
    kind: str
    sign: str
    badge: str
    place: str
    links: tuple[Link, ...]
    picture: str = ""


Tables = dict[str, pd.DataFrame]
"""The tables by the first part of their rows' anchors."""


def finding_claims(findings: Iterable[Finding], tables: Tables, vocabulary: Vocabulary) -> list[Claim]:
    """Return findings with their pictures and links."""
    made = []
    for finding in findings:
        sign, badge = _SIGNS.get(finding.sign, _BADGES[finding.kind])
        links = _links(finding.rows, tables, vocabulary)
        made.append(
            Claim(finding.sentence, finding.kind, sign, badge, finding.question, links, finding_picture(finding))
        )
    return made


def claims(sentences: Iterable[Sentence], tables: Tables, vocabulary: Vocabulary) -> list[Claim]:
    """Return the sentences of a section with their links."""
    return [
        Claim(said.text, said.kind, *_BADGES[said.kind], "", _links(said.rows, tables, vocabulary))
        for said in sentences
    ]


def _links(anchors: tuple[str, ...], tables: Tables, vocabulary: Vocabulary) -> tuple[Link, ...]:
    places = [_place(anchor) for anchor in anchors]
    links = [_link(name, row, tables[name], vocabulary) for name, row in places] if len(places) <= MOST_LINKS else []
    by_table: dict[str, list[int]] = {}
    for name, row in places:
        by_table.setdefault(name, []).append(row)
    for name, rows in by_table.items():
        if len(rows) > 1:
            anchor = f"{name}-{','.join(str(row) for row in rows)}"
            links.append(Link(anchor, f"all {len(rows)} rows", f"Show the {len(rows)} rows that carry this sentence"))
    return tuple(links)


def _place(anchor: str) -> tuple[str, int]:
    name, _, row = anchor.rpartition("-")
    return name, int(row)


def _link(name: str, row: int, table: pd.DataFrame, vocabulary: Vocabulary) -> Link:
    record: pd.Series[Any] = table.iloc[int(table.index.get_indexer(pd.Index([row]))[0])]
    value = shown_value(name, record)
    model = text(record.get("model"))
    what = name
    if "metric" in record and not missing(record["metric"]):
        what = metric_name(record["measurement"], record["metric"], vocabulary)
    return Link(f"{name}-{row}", f"{model}: {value}" if model else value, f"Row {row}: {what} of {model}, {value}")


def shown_value(name: str, record: pd.Series) -> str:  # type: ignore[type-arg]
    """Return the number of a row that a sentence is about, as the table shows it."""
    if name == "pair":
        return signed(record["difference"])
    if name == "row":
        return number(record["value"])
    return signed(record["partial_r" if name == "link" else "pearson_r"])
