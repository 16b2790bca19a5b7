"""What a section of the report is made of: paragraphs, figures, small tables, and pictures with their own script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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


Leaf = Paragraph | Figure | SmallTable | Picture | Image


@dataclass(frozen=True)
class Fold:
    """Blocks behind one line, for a section that would otherwise be many screens tall; `opened` when the page opens."""

    key: str
    title: str
    blocks: tuple[Leaf, ...]
    opened: bool = False
    kind: str = "fold"
    dataset: str = ""
    """The one data set that it is about: the page's filter unfolds it."""

    @property
    def holds(self) -> str:
        """What is behind the line, in words: "3 figures, 1 table"."""
        figures = sum(block.kind in ("figure", "picture", "image") for block in self.blocks)
        tables = sum(block.kind == "table" for block in self.blocks)
        counted = ((figures, "figure"), (tables, "table"))
        return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counted if n)


Block = Leaf | Fold
MOST_UNFOLDED = 3
"""More data sets or settings than this are folded, each behind a line of its own, but for the first."""


def folded(parts: Sequence[Fold], *, crowded: bool) -> list[Block]:
    """Return the blocks of `parts` one after another, or folded where there are many parts or each is `crowded`.

    One part alone is never folded: there is nothing to choose from.
    """
    kept = [part for part in map(_filled, parts) if part.blocks]
    if len(kept) < 2 or not (crowded or len(kept) > MOST_UNFOLDED):
        return [block for part in kept for block in part.blocks]
    return [replace(part, opened=place == 0) for place, part in enumerate(kept)]


def without_empty(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without tables of no row, figures of no mark, and folds that hold nothing else.

    A heading over nothing is read as an answer.
    """
    filled = [_filled(block) if isinstance(block, Fold) else block for block in blocks]
    return [block for block in filled if not (isinstance(block, Fold) and not block.blocks) and not _empty(block)]


def _filled(fold: Fold) -> Fold:
    return replace(fold, blocks=tuple(block for block in fold.blocks if not _empty(block)))


def _empty(block: Block) -> bool:
    return (isinstance(block, SmallTable) and not block.rows) or (isinstance(block, Figure) and not block.data)


def unfolded(blocks: Sequence[Block]) -> Iterator[Leaf]:
    """Yield every block, those inside folds too."""
    for block in blocks:
        if isinstance(block, Fold):
            yield from block.blocks
        else:
            yield block


def redrawn(block: Block, draw: Callable[[Figure], Figure]) -> Block:
    """Return the block with `draw` done to the figure it is, or to every figure behind its line."""
    if isinstance(block, Fold):
        inside = tuple(draw(one) if isinstance(one, Figure) else one for one in block.blocks)
        return replace(block, blocks=inside)
    return draw(block) if isinstance(block, Figure) else block


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
