"""The second half of a sentence on a pair: by how much, and over what it was tested."""

from __future__ import annotations

from typing import Any

from tuneshift.vocabulary.words import interval, missing, signed, text


def amount_of(row: Any) -> str:
    """Return the difference of a pair, with its interval where it has one."""
    bounds = interval(row["ci_low"], row["ci_high"])
    return signed(row["difference"]) + ("" if bounds == "–" else f" [{bounds}]")


def sampled(row: Any) -> str:
    """Return over how many participants, stories or prompts a difference was tested, behind a comma; "" for none."""
    return "" if missing(row["n"]) else f", {int(row['n'])} {text(row.get('over')) or 'units'}"
