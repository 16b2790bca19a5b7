"""A recording of one's own counts by its content: measured anew when it changes, and not when it only moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneshift.brain import BrainAlignment
from tuneshift.measurement import Measurement
from tuneshift.reading import ReadingAlignment

HEADS = {
    BrainAlignment: "stimulus,text,participant,response",
    ReadingAlignment: "document,index,word,time",
}


@pytest.mark.parametrize("kind", HEADS, ids=["brain", "reading"])
def test_a_changed_file_is_another_measurement_and_a_moved_one_is_not(kind: type[Measurement], tmp_path: Path) -> None:
    def fingerprint(folder: str, row: str) -> str:
        path = tmp_path / folder / "mine.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEADS[kind]}\n{row}\n")
        return kind(data=str(path)).fingerprint("model")

    before = fingerprint("here", "1,A,fox,1.5")
    assert fingerprint("there", "1,A,fox,1.5") == before
    assert fingerprint("here", "1,A,fox,2.5") != before
