"""Words of a difference: what the tuned model's hidden states speak for more, and less, than the base's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tuneshift.findings.source import Cell
from tuneshift.report.blocks.section import SmallTable
from tuneshift.result import Result
from tuneshift.vocabulary.words import listed, number

MOST_PAIRS = 6
_NOTHING = "–"


def lens_blocks(cells: Sequence[tuple[Cell, Result]]) -> Iterator[SmallTable]:
    """Yield a table a pair: by layer, the words whose logit rose and fell most (details `lens`), with the change."""
    mine = [(cell, result.details["lens"]) for cell, result in cells if result.details.get("lens")]
    left = [cell.model for cell, _ in mine[MOST_PAIRS:]]
    more = f" Those of {listed(left)} are in the study's cells." if left else ""
    for cell, layers in mine[:MOST_PAIRS]:
        yield SmallTable(
            f"{cell.model} against {cell.base_model}: words that the difference of hidden states speaks for (logit lens). The states "
            "of both are read out by the base's final norm and output embeddings; numbers are mean changes of a word's logit. A "
            f"readout of early layers is a rough one: they are not made to be read.{more}",
            ("layer", "words that rose", "words that fell"),
            tuple((str(one["layer"]), _told(one["raised"]), _told(one["lowered"])) for one in layers),
            models=(cell.model,) * len(layers),
        )


def _told(words: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"{word} {number(change, 2)}" for word, change in words) or _NOTHING
