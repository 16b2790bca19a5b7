"""Whether a data set holds people or what a program made."""

from __future__ import annotations


def is_simulated(dataset: str) -> bool:
    """Whether a data set was made by a program."""
    return dataset.startswith("simulated")
