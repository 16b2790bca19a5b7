"""Finding: one sentence of a study's answer, with what a picture, a table and a link need to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuneshift.vocabulary.words import missing

MOST_WORDS = 40
"""A sentence that is longer is not read."""


@dataclass(frozen=True)
class Bar:
    """One line of a finding's picture: a number with its interval (None where none is known)."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_row(cls, label: str, row: Any, column: str) -> Bar:
        """Return the bar of a row's number, with the row's interval where it has one."""
        low, high = (None if missing(row[name]) else float(row[name]) for name in ("ci_low", "ci_high"))
        return cls(label, float(row[column]), low, high)

    @property
    def holds(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Finding:
    """What changed, by how much, how sure, compared with what.

    `sentence` has at most `MOST_WORDS` words; `kind` is "difference", "null" or "unknown"; `question` one of
    `tuneshift.vocabulary.QUESTIONS`; `what` names the number and the data; `amount` gives the difference with its
    interval; `sign` is "higher", "lower", "mixed" or "". `rows` are the anchors of the rows that carry it ("pair-3":
    row 3 of the table of pairs; "row-12": row 12 of the long table). `bars` are its picture, around `zero`; `each` says
    what they are ("models", "checkpoints").
    """

    sentence: str
    kind: str
    question: str
    what: str
    amount: str
    sign: str = ""
    rows: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    zero: float = 0.0
    simulated: bool = False
    each: str = "models"

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Sentence:
    """One sentence of a section.

    `kind` is "warning", "difference", "null", "unknown" or "finding"; `rows` as in `Finding`; `topic` the section.
    """

    text: str
    kind: str
    rows: tuple[str, ...] = ()
    topic: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Findings:
    """What a study found: `first` stand on the first screen, `all` in their questions; `count` says how many tests."""

    first: tuple[Finding, ...]
    all: tuple[Finding, ...]
    count: str = ""
