"""Browsers of attention heads and feed-forward concepts: what the page's own script needs to draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneshift.report.section import Picture
from tuneshift.report.source import Cell
from tuneshift.result import Result


def browsers(cells: Sequence[tuple[Cell, Result]]) -> Iterator[Picture]:
    """Yield the pictures of heads and concepts, where the results hold any."""
    return iter(())
