"""Reading times of one's own are written, read back as they were, and refused with the row that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import names

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, check_file, load_data, write_reading_times

words_with_traps = names | st.sampled_from(["NA", "null", "None", "nan", "007", "1e5", '"', "it's", "a,b", "-"])
milliseconds = st.floats(1, 5000) | st.just(float("nan"))


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A table of 1 to 3 documents, read by nobody in particular or by named readers."""
    texts = draw(st.dictionaries(names, st.lists(words_with_traps, min_size=1, max_size=6), min_size=1, max_size=3))
    readers = draw(st.lists(names, max_size=3, unique=True))
    start = draw(st.sampled_from([0, 1]))
    rows = [
        {"document": d, "index": i, "word": w, "time": draw(milliseconds)} | ({"participant": r} if r else {})
        for d, text in texts.items() for i, w in enumerate(text, start=start) for r in (readers or [""])
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[0, "time"] = 250.0
    return table


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), suffix=st.sampled_from([".csv", ".tsv", ".parquet"]))
def test_a_table_read_written_and_read_again_is_the_same(tmp_path: Path, table: pd.DataFrame, suffix: str) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    if suffix == ".parquet":
        table.to_parquet(first)
    else:
        table.to_csv(first, sep="\t" if suffix == ".tsv" else ",", index=False)
    given_times = load_data(first)
    assert isinstance(given_times, ReadingTimes)
    assert given_times.words["word"].tolist() == table.drop_duplicates(["document", "index"])["word"].tolist()
    again = load_data(write_reading_times(given_times, second))
    assert isinstance(again, ReadingTimes)
    pd.testing.assert_frame_equal(again.words, given_times.words, check_exact=True)
    assert again.ceiling == given_times.ceiling
    if given_times.by_participant is None:
        assert again.by_participant is None
    else:
        assert again.by_participant is not None
        pd.testing.assert_frame_equal(again.by_participant, given_times.by_participant, check_exact=True)


def table(**changes: Any) -> pd.DataFrame:
    """Two readers of six words in two documents; the second reader skipped a word."""
    words = ["The", "fox", "ran.", "It", "hid.", "Well."]
    base = pd.DataFrame({"document": list("aaaabb"), "index": [1, 2, 3, 4, 1, 2], "word": words})
    both = pd.concat([base.assign(participant=p, time=t) for p, t in (("r1", 200.0), ("r2", 300.0))])
    both["time"] += 10.0 * both["index"]
    both.iloc[7, both.columns.get_loc("time")] = np.nan
    return both.reset_index(drop=True).assign(**changes)


def test_means_counts_sentences_and_ceiling_come_from_the_readers(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    table().to_csv(path, index=False)
    times = load_data(str(path))
    assert isinstance(times, ReadingTimes)
    assert times.words["time"].tolist() == [260.0, 220.0, 280.0, 290.0, 260.0, 270.0]
    assert times.words["n"].tolist() == [2, 1, 2, 2, 2, 2]
    assert times.words["position"].tolist() == [0, 1, 2, 3, 0, 1]
    assert times.words["sentence"].tolist() == [0, 0, 0, 1, 0, 1]
    assert times.ceiling == pytest.approx(1.0)  # both readers slow down by 10 ms a word
    assert times.documents == {"a": ["The", "fox", "ran.", "It"], "b": ["hid.", "Well."]}
    assert times.warnings == ("mine.csv: 1 of 12 times are empty (first: row 9); those words are read but not scored",)


def test_seconds_and_frequencies_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    seconds = table(time=lambda t: t["time"] / 1000, unit="s", frequency=100.0)
    seconds.to_csv(path, sep="\t", index=False)
    times = load_data(path)
    assert isinstance(times, ReadingTimes)
    assert times.words["time"].tolist() == pytest.approx([260.0, 220.0, 280.0, 290.0, 260.0, 270.0])
    assert times.words["log_frequency"].tolist() == pytest.approx([np.log(100)] * 6)


@pytest.mark.parametrize(
    ("known", "written"),
    [("index", "wordnum"), ("index", "word.id"), ("time", "meanRT"), ("document", "Story"), ("word", "wrod")],
)
def test_a_column_under_another_name_or_misspelt_is_recognised_and_said(
    tmp_path: Path, known: str, written: str
) -> None:
    table().rename(columns={known: written}).to_csv(tmp_path / "mine.csv", index=False)
    problems = check_file(tmp_path / "mine.csv")
    assert any(f"no column `{known}` (is it `{written}`? rename it)" in problem for problem in problems), problems


def test_readers_under_another_name_are_named_where_words_seem_to_stand_twice(tmp_path: Path) -> None:
    table().rename(columns={"participant": "subj"}).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(
        BadInput, match=r"is there already \(6 such rows\); is column `subj` the `participant`\? rename it"
    ):
        load_data(tmp_path / "mine.csv")
    once = table().query("participant == 'r1'").drop(columns="participant")
    pd.concat([once, once]).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(BadInput, match=r"is there already \(6 such rows\)(?!; is column)"):
        load_data(tmp_path / "mine.csv")


def changed(row: int, column: str, value: Any) -> pd.DataFrame:
    out = table().astype(object)
    out.loc[row, column] = value
    return out


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (table().rename(columns={"index": "position"}), "no column `index` .is it `position`. rename it"),
        (table().drop(columns="time"), "has no column `time`"),
        (changed(3, "time", "fast"), "row 5, column `time`: 'fast' is no number"),
        (changed(3, "time", 0), "row 5: time 0 is not positive; leave it empty where the word was skipped"),
        (changed(1, "word", "red fox"), "row 3: column `word` holds several words"),
        (changed(1, "word", ""), "row 3: column `word` is empty"),
        (changed(7, "word", "dog"), "row 9, column `word`: word 2 of document 'a' is 'dog' here and another one above"),
        (changed(1, "index", 1), "row 3: word 1 .'fox'. of document 'a' of participant 'r1' is there already"),
        (changed(1, "index", 2.5), "row 3: column `index` must be a whole number"),
        (changed(2, "participant", ""), "row 4: column `participant` is empty"),
        (table().query("index != 2"), "document 'a' jumps from word 1 to word 3"),
        (table().assign(index=lambda t: t["index"] + 4), "document 'a' begins with word 5, not 0 or 1"),
        (table().assign(unit="minutes"), "column `unit`: 'minutes' is neither 'ms' nor 's'"),
        (table().assign(time=lambda t: t["time"] / 1000), "warning: the median time is 0.2.* ms: if these are seconds"),
        (table().assign(time=250.0), "every time is 250"),
        (table().assign(time=np.nan), "column `time` is empty throughout"),
        (table().assign(frequency=0.0), "row 2, column `frequency`: must be occurrences per million, above 0"),
        (table().query("participant == 'r1'"), "warning: holds one participant .r1."),
    ],
)
def test_each_fault_is_named_with_its_row(tmp_path: Path, frame: pd.DataFrame, sentence: str) -> None:
    path = tmp_path / "mine.csv"
    frame.to_csv(path, index=False)
    matching = [p for p in check_file(path) if pd.Series(p).str.contains(sentence).item()]
    assert matching, check_file(path)
    if not matching[0].startswith("warning"):
        with pytest.raises(BadInput, match=sentence):
            load_data(path)


def test_a_model_can_be_measured_against_ones_own_table(tmp_path: Path) -> None:
    from tuneshift.reading.predictors import checked_words, predictors

    path = tmp_path / "mine.csv"
    table(frequency=7.0, length=3).to_csv(path, index=False)
    times = load_data(path)
    assert isinstance(times, ReadingTimes)
    assert len(checked_words(times)) == 6
    assert predictors(times)["log_frequency"].tolist() == pytest.approx([np.log(7)] * 6)
