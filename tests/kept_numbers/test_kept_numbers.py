"""A change that means to change no number changes none: a small study's table is kept, and compared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.kept_numbers.kept_study import KEYS, VALUES, Kept, complaints, measure, read_kept


def test_the_numbers_of_a_small_study_are_those_that_are_kept(tmp_path: Path) -> None:
    said = complaints(read_kept(), measure(tmp_path))
    assert not said, "\n".join(said)


def table(*rows: tuple[str, str, float]) -> pd.DataFrame:
    empty = {**dict.fromkeys(KEYS, ""), **dict.fromkeys(VALUES, float("nan"))}
    return pd.DataFrame([{**empty, "measurement": kind, "metric": metric, "value": v} for kind, metric, v in rows])


KEPT: Kept = (table(("brain", "r", 0.25), ("brain", "ceiling", 0.5), ("heads", "pairs", 3.0)), {"brain": 6, "heads": 1})


def test_the_same_numbers_are_no_complaint_nor_is_what_a_processor_makes_of_them() -> None:
    assert complaints(KEPT, KEPT) == []
    other = table(("brain", "r", 0.25 + 1e-6), ("brain", "ceiling", 0.5), ("heads", "pairs", 3.0))
    assert complaints(KEPT, (other, KEPT[1])) == []


@pytest.mark.parametrize("value", [0.2501, float("nan")])
def test_a_number_that_changes_without_a_raised_code_version_is_named_with_what_to_do(value: float) -> None:
    other = table(("brain", "r", value), ("brain", "ceiling", 0.5), ("heads", "pairs", 3.0))
    [said] = complaints(KEPT, (other, KEPT[1]))
    assert said.startswith(
        f"brain: 1 numbers changed and code_version is still 6 (first: brain r: value was 0.25, is {value:.9g}); "
        "a change of numbers raises code_version, so that stored cells are measured again; then renew: python -m"
    )


def test_a_raised_code_version_asks_for_new_numbers_of_that_kind_alone() -> None:
    other = table(("brain", "r", 0.3), ("brain", "ceiling", 0.5), ("heads", "pairs", 3.0))
    [said] = complaints(KEPT, (other, {"brain": 7, "heads": 1}))
    assert said.startswith("brain: code_version is 7, the kept numbers are those of 6; renew them: python -m")


def test_rows_that_go_or_come_and_kinds_that_nobody_keeps_are_told_apart_from_changes() -> None:
    other = table(("brain", "r", 0.25), ("brain", "unique_r2", 0.1), ("heads", "pairs", 3.0), ("lens", "x", 1.0))
    [brain, lens] = complaints(KEPT, (other, {"brain": 6, "heads": 1, "lens": 1}))
    assert brain.startswith("brain: 1 rows are gone and 1 are new (first: brain ceiling); where that is meant, renew:")
    assert lens.startswith("lens: it is not kept yet; renew:")
