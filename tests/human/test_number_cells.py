"""Numbers of any country are read rightly and said, or refused with the row and the cell: never taken for missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.human.text.number_cells import read_numbers


def column(*cells: str) -> pd.Series:
    return pd.Series(list(cells), index=range(2, 2 + len(cells)), dtype=str)


@pytest.mark.parametrize(
    ("cells", "values", "said"),
    [
        (["1,390", "915", "577"], [1390, 915, 577], "commas were read as thousands separators, as in row 2"),
        (["1,390.5", "915", "0.5"], [1390.5, 915, 0.5], "commas were read as thousands separators"),
        (["1390", "1091,5", "915"], [1390, 1091.5, 915], r"commas were read as decimal commas, as in row 3 \('1091,5'"),
        (["1.390,5", "577,5", "915"], [1390.5, 577.5, 915], "commas were read as decimal commas"),
        (["1390", "250,125"], [1390, 250.125], "commas were read as decimal commas"),
        (["1.390", "915", "577"], [1390, 915, 577], "points were read as thousands separators"),
        (["1 390", "1'390", "1\u202f390", "915"], [1390, 1390, 1390, 915], "thousands set apart were read as one"),
        (["312 ms", "300msec"], [312, 300], "cells with a unit were read as ms"),
        (["0.3 s", "0,25 sec"], [300, 250], None),
        (['"1,390"', "915"], [1390, 915], "commas were read as thousands"),
        (["250.125", "260", "\u22123", "2E2"], [250.125, 260, -3, 200], ""),
        (["", " ", "NA", "n/a", "NaN", "null", ".", "#N/A"], [np.nan] * 8, ""),
    ],
)  # fmt: skip
def test_what_a_column_means_is_decided_by_all_of_its_cells(
    cells: list[str], values: list[float], said: str | None
) -> None:
    found = read_numbers(column(*cells), "time", "ms")
    if said is None:  # "0.3 s" beside "0,25 sec": a point and a comma that both divide decimals
        assert "has a comma where other cells of the column have a point" in found.wrong[0].sentence
        return
    assert not found.wrong
    np.testing.assert_allclose(found.values, values)
    assert found.missing.sum() == sum(np.isnan(values))
    assert bool(said) == bool(found.said)
    if said:
        assert pd.Series(found.said).str.contains(f"column `time`: {said}").any(), found.said


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["915", "fast"], "row 3, column `time`: 'fast' is no number"),
        (["915", "inf"], "row 3, column `time`: 'inf' is infinite"),
        (["915", "-Infinity"], "row 3, column `time`: '-Infinity' is infinite"),
        (["915", "1e999"], "row 3, column `time`: '1e999' is infinite"),
        (["915", "1_000"], "'1_000' is no number"),
        (["915", "\uff11\uff12"], "is no number"),
        (["915", "TRUE"], "'TRUE' is no number"),
        (["915", "1,390,5"], "'1,390,5' is no number"),
        (["915", "3,"], "is no number"),
        (["250,125", "300,500"], "row 2, column `time`: '250,125' may be thousands or decimals: write decimals with a"),
        (["250,125", "260"], "may be thousands or decimals"),
        (["1,390", "1091,5"], "row 2, column `time`: '1,390' may be thousands or decimals"),
        (["341.500", "143,260", "222.250"], "may be thousands or decimals"),  # 143,260 ms would be minutes
        (["1200.5", "1,390", "915.5"], "may be thousands or decimals"),  # thousands are not divided above
        (["1.124,142", "143.260", "480,372"], "may be thousands or decimals"),
        (["1,124.142", "143,260", "480.372"], "may be thousands or decimals"),
        (["1205", "1,252", "356", "432"], "'1,252' may be thousands or decimals"),
        (["12.5", "12,5"], "has a comma where other cells of the column have a point"),
        (["915", "312 apples"], "is no number"),
    ],
)
def test_what_cannot_be_known_is_refused_with_row_and_cell(cells: list[str], sentence: str) -> None:
    found = read_numbers(column(*cells), "time", "ms")
    assert sentence in found.wrong[0].sentence


def test_units_are_no_numbers_where_no_time_is_wanted() -> None:
    assert "'3 s' is no number" in read_numbers(column("3 s"), "index").wrong[0].sentence
    frequencies = read_numbers(column("1.250", "500", "800"), "frequency")  # nothing says that these are thousands
    assert frequencies.values.tolist() == [1.25, 500, 800]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_numbers_as_python_writes_them_are_read_back(values: list[float]) -> None:
    found = read_numbers(column(*map(repr, values)), "response")
    assert not found.wrong
    assert found.values.tolist() == values


whole = st.integers(150, 9_999)


@given(st.lists(whole, min_size=2, max_size=30))
def test_the_same_times_are_read_or_refused_however_thousands_are_written(times: list[int]) -> None:
    times = [*times, 500]
    for style in ("{:,}", "{:_}", "{}"):
        cells = [style.format(t).replace("_", ".") for t in times]
        found = read_numbers(column(*cells), "time", "ms")
        assert found.wrong or found.values.tolist() == times, cells
        assert not found.missing.any()


@given(st.lists(st.integers(200, 99_999), min_size=2, max_size=30))
def test_the_same_decimals_are_read_or_refused_however_they_are_written(tenths: list[int]) -> None:
    cells = [f"{t / 10:.1f}".replace(".", ",") for t in tenths]
    found = read_numbers(column(*cells), "time", "ms")
    assert found.values.tolist() == [t / 10 for t in tenths]


def test_a_cell_that_shows_what_points_are_settles_it_for_the_column() -> None:
    found = read_numbers(pd.Series(["1.125", "250.0", "577"], index=[2, 3, 4]), "time", "ms")
    assert found.values.tolist() == [1.125, 250.0, 577.0]
    assert found.wrong == ()
