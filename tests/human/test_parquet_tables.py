"""Tables in parquet as programs write them: nullable types, categories, times, names of rows; any case of suffixes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_own_recordings import table

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, Recording, check_file, load_data

NAMES_OF_ROWS = "warning: a first column without a name (names of rows) was left out"


def recording_of(path: Path) -> Recording:
    held = load_data(path)
    assert isinstance(held, Recording)
    return held


def test_nullable_types_categories_and_times_are_read_and_what_is_missing_is_counted(tmp_path: Path) -> None:
    rows = table()
    typed = rows.assign(
        stimulus=rows["stimulus"].astype("Int64"),
        text=rows["text"].astype("string[pyarrow]"),
        participant=rows["participant"].astype("category"),
        response=rows["response"].astype("Float64"),
        day=pd.Timestamp("2024-05-01") + pd.to_timedelta(rows["stimulus"], unit="D"),
        block=pd.array([int(s) % 2 for s in rows["stimulus"]], dtype="Int64"),
        heard=pd.array([int(s) > 2 for s in rows["stimulus"]], dtype="boolean"),
    )
    typed.loc[3, "response"] = pd.NA
    typed.loc[typed["stimulus"] == 2, "block"] = pd.NA
    typed.to_parquet(tmp_path / "mine.PARQUET")
    recording = recording_of(tmp_path / "mine.PARQUET")
    expected = np.arange(5.0)[:, None] + [0, 1]
    expected[1, 1] = np.nan
    np.testing.assert_array_equal(recording.data.values, expected)
    assert recording.data["text"].values.tolist() == [f"Sentence {n}." for n in range(5)]
    assert recording.data["block"].values.tolist() == ["0", "1", "", "1", "0"]
    assert recording.data["heard"].values.tolist() == ["False", "False", "False", "True", "True"]
    assert recording.data["day"].values[1] == "2024-05-02 00:00:00"
    (problem,) = check_file(tmp_path / "mine.PARQUET")
    assert "1 responses are NaN (first: stimulus 2, target 'p2 IFG')" in problem


@pytest.mark.parametrize("kind", ["Int64", "Float32", "float32", "double[pyarrow]", "string[pyarrow]", "object"])
def test_a_response_of_any_type_is_the_same_number(tmp_path: Path, kind: str) -> None:
    rows = table()
    rows.assign(response=rows["response"].astype(kind)).to_parquet(tmp_path / "mine.parquet")
    np.testing.assert_array_equal(recording_of(tmp_path / "mine.parquet").data.values, np.arange(5.0)[:, None] + [0, 1])


def _inserted(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(rows: pd.DataFrame) -> pd.DataFrame:
        rows.insert(0, name, np.arange(1, len(rows) + 1))
        return rows

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows, []),
        (lambda rows: rows.set_axis(range(1, len(rows) + 1)), []),
        (lambda rows: rows.set_index(["stimulus", "participant"]), []),
        (lambda rows: rows.set_axis([f"row {n}" for n in range(len(rows))]), [NAMES_OF_ROWS]),
        (_inserted(""), [NAMES_OF_ROWS]),
        (_inserted("Unnamed: 0"), [NAMES_OF_ROWS]),
        (_inserted("__index_level_0__"), [NAMES_OF_ROWS]),
        (_inserted("rownames"), ["warning: column `rownames` was left out: it is no label of a stimulus"]),
        (lambda rows: rows.rename(columns={"text": " text", "response": "response "}), []),
    ],
)
def test_names_of_rows_are_left_out_and_said_and_move_no_number(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], told: list[str]
) -> None:
    path = tmp_path / "mine.parquet"
    change(table()).to_parquet(path)
    recording = recording_of(path)
    np.testing.assert_array_equal(recording.data.values, np.arange(5.0)[:, None] + [0, 1])
    assert recording.data["target_name"].values.tolist() == ["p1 IFG", "p2 IFG"]
    problems = check_file(path)
    assert len(problems) == len(told)
    assert all(mine.startswith(theirs) for mine, theirs in zip(problems, told, strict=True))


@pytest.mark.parametrize("name", ["mine.Csv.GZ", "MINE.CSV", "mine.TSV"])
@pytest.mark.parametrize("first", ["", "Unnamed: 0", "rownames"])
def test_names_of_rows_in_text_tables_are_left_out_and_said(tmp_path: Path, name: str, first: str) -> None:
    rows = _inserted(first)(table())
    raw = rows.to_csv(index=False, sep="\t" if name.endswith("TSV") else ",").encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("GZ") else raw)
    np.testing.assert_array_equal(recording_of(tmp_path / name).data.values, np.arange(5.0)[:, None] + [0, 1])
    (problem,) = check_file(tmp_path / name)
    assert "was left out" in problem


def test_reading_times_in_parquet_have_nullable_types_too(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "document": pd.Categorical(["d"] * 5),
            "index": pd.array(range(5), dtype="Int64"),
            "word": pd.array(["Once", "NA", "a", "time", "null"], dtype="string[pyarrow]"),
            "time": pd.array([300, 310, None, 290, 305], dtype="Float64"),
        },
        index=[f"row {n}" for n in range(5)],
    )
    rows.to_parquet(tmp_path / "mine.Parquet")
    times = load_data(tmp_path / "mine.Parquet")
    assert isinstance(times, ReadingTimes)
    assert times.words["word"].tolist() == ["Once", "NA", "a", "time", "null"]
    np.testing.assert_array_equal(times.words["time"], [300, 310, np.nan, 290, 305])
    told = check_file(tmp_path / "mine.Parquet")
    assert NAMES_OF_ROWS in told
    assert any("1 of 5 times are empty (first: row 4)" in problem for problem in told)


def test_a_text_in_parquet_that_is_no_utf8_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    table().to_parquet(path, compression="none", use_dictionary=False)
    raw = path.read_bytes()
    at = raw.index(b"Sentence 3.")
    path.write_bytes(raw[:at] + b"Sentenc\xe9 3." + raw[at + 11 :])
    (problem,) = check_file(path)
    assert "mine.parquet, row 8, column `text`: holds letters that are no UTF-8" in problem
    with pytest.raises(BadInput) as caught:
        load_data(path)
    assert str(caught.value) == problem
    assert "\n" not in problem
