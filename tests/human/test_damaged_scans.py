"""Damaged copies of good scans and recordings are refused in a sentence, or say what is missing; check = reader."""

from __future__ import annotations

import pytest
from benchmarks.scans import IMPORTED, OWN, damaged_copies


@pytest.mark.parametrize("kind", [*IMPORTED, *OWN])
def test_a_damaged_copy_is_refused_or_says_the_difference(kind: str) -> None:
    found, faults = damaged_copies(kind, 12, seed=1)
    assert not faults
    assert sum(found.values()) == 12
