"""What a section of the report is made of: paragraphs, figures, small tables, and pictures with their own script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tuneshift.report.blocks.figures import Figure


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str
    kind: str = "paragraph"


@dataclass(frozen=True)
class SmallTable:
    """A table that is read whole: caption, names of columns, rows of texts; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = "table"
    models: tuple[str, ...] = ()
    """The model of each row, for the page's model filter; empty where rows are of no model."""
    dataset: str = ""
    """The one data set that it shows, for the page's filter; empty where there are several or none."""


@dataclass(frozen=True)
class Picture:
    """A picture that the page's own script draws from `data` (heat maps, browsers): `viewer` names the script."""

    key: str
    viewer: str
    caption: str
    data: Any
    kind: str = "picture"


@dataclass(frozen=True)
class Image:
    """A still picture: `source` is a data URI, `description` says in words what it shows."""

    key: str
    caption: str
    description: str
    source: str
    kind: str = "image"
    model: str = ""
    dataset: str = ""


Block = Paragraph | Figure | SmallTable | Picture | Image


@dataclass(frozen=True)
class Section:
    """A section: title, one opening sentence, blocks; where there are no blocks `absent` says why.

    `question` is the question of the report under which it stands (`tuneshift.vocabulary.QUESTIONS`).
    """

    key: str
    title: str
    lead: str
    blocks: list[Block] = field(default_factory=list)
    absent: str = ""
    question: str = "other"
