"""Names of the layer link: the score, the inside measure, and whether a link is over all pairs."""

from __future__ import annotations

import pandas as pd

from tuneshift.compare.layer_link import POOLED
from tuneshift.vocabulary import Vocabulary, ours
from tuneshift.vocabulary.words import MINUS, text

ALPHA = 0.05


def measure_name(inside: object, vocabulary: Vocabulary | None = None) -> str:
    """Return an inside measure of the layer link in words; similarities stand as 1 minus themselves."""
    unmoved, minus, name = text(inside).rpartition(" - ")
    mapping, _, metric = name.rpartition(" ")
    known = (vocabulary or ours()).movement(metric)
    label = known.label if known else metric.replace("_", " ")
    return f"{unmoved} {MINUS} {label}" if minus else label + (f" ({mapping})" if mapping else "")


def is_pooled(links: pd.DataFrame) -> pd.Series:  # type: ignore[type-arg]
    """Whether each link is of all pairs together."""
    return links["model"] == POOLED


def score_name(parts: tuple[str, ...]) -> str:
    """Return data set, split and mapping of a brain score as one text."""
    return ", ".join(part for part in parts[1:4] if part)
