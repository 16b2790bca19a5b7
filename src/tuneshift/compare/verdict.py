"""What a pair's interval and test allow to say."""

from __future__ import annotations

from typing import Any

from tuneshift.vocabulary.words import missing

ALPHA = 0.05
TOO_FEW = 5
"""With so few units no test by flipping signs can be below .05: 2 of 2**5 patterns are .0625."""


def verdict(row: Any) -> str:
    """Return what a row of the table of pairs allows to say: "difference", "unclear", "null" or "unknown".

    A difference needs an interval without 0 and, where there is a test, p below .05; only one of the two is "unclear".
    """
    low, high, p = row["ci_low"], row["ci_high"], row["p"]
    if missing(low) or missing(high):
        return "unknown"
    outside = float(low) > 0 or float(high) < 0
    significant = missing(p) or float(p) < ALPHA
    if outside and significant:
        return "difference"
    return "unclear" if outside or (not missing(p) and significant) else "null"
