"""Reading on log times, and on the words that somebody chose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import plant
from pydantic import ValidationError

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, check_file, load_data, write_reading_times
from tuneshift.reading import ReadingAlignment, SurprisalFile, reading_alignment
from tuneshift.reading.log_times import log_times
from tuneshift.result import Result

MADE = plant(n_documents=6, n_words=100, n_readers=4)
QUICK = {"n_boot": 0, "mixed_model": False}


def source(folder: Path) -> SurprisalFile:
    file = folder / "surprisals.csv"
    MADE.times.words[["document", "position", "word"]].assign(surprisal=MADE.surprisal).to_csv(file, index=False)
    return SurprisalFile("a model", file)


def measured(folder: Path, times: ReadingTimes = MADE.times, **options: bool) -> Result:
    return reading_alignment(source(folder), times, **QUICK, **options)


def test_log_scores_the_logarithm_of_mean_times_and_says_so(tmp_path: Path) -> None:
    words = MADE.times.words
    kept = words["position"] > 0
    result = measured(tmp_path, log=True)
    expected = np.corrcoef(MADE.surprisal[kept], np.log(words["time"][kept]))[0, 1]
    overall = result.table[result.table["participant"].isna() & (result.table["metric"] == "pearson_r")]
    assert overall["value"].iloc[0] == pytest.approx(expected)
    slopes = result.table[result.table["metric"] == "slope"]
    assert set(slopes["unit"]) == {"log ms per bit"}
    # d log(t) = dt / t: the mean slope that was planted, over the mean time
    assert slopes["value"].iloc[0] == pytest.approx(MADE.slopes.mean() / words["time"].mean(), rel=0.1)
    assert "planted: scored are the natural logarithms of mean times (log ms)." in result.warnings
    assert result.arrays["time"].attrs["unit"] == "log ms"


def test_without_log_nothing_changes_not_even_the_name_of_a_stored_cell() -> None:
    assert "log" not in ReadingAlignment().settings()
    assert ReadingAlignment(log=True).settings()["log"] is True
    assert ReadingAlignment().fingerprint("m") != ReadingAlignment(log=True).fingerprint("m")


def test_the_ceiling_of_log_times_is_that_of_the_readers_log_times_or_unknown() -> None:
    given = replace(MADE.times, ceiling=0.9, ceiling_source="of times")
    logged = log_times(given)
    assert logged.ceiling is not None
    assert logged.ceiling != 0.9
    assert logged.ceiling_source.endswith("of log times")
    means_only = log_times(replace(given, by_participant=None))
    assert means_only.ceiling is None
    assert "could be computed" in means_only.ceiling_source


def test_amplitudes_and_the_published_regression_have_no_logarithms() -> None:
    with pytest.raises(BadInput, match="amplitudes in µV, which have no logarithm"):
        log_times(replace(MADE.times, unit="µV"))
    with pytest.raises(ValidationError, match="the published regression is of times"):
        ReadingAlignment(log=True, regression="published")


def table(include: object) -> pd.DataFrame:
    words = MADE.times.words
    return words[["document", "word", "time", "n", "log_frequency"]].assign(
        index=words["position"], include=include, frequency=None
    ).drop(columns="frequency")  # fmt: skip


def written(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "mine.csv", index=False)
    return folder / "mine.csv"


def test_words_that_are_not_included_are_read_but_not_scored(tmp_path: Path) -> None:
    even = MADE.times.words["position"] % 2 == 0
    path = written(tmp_path, table(even.map({True: "true", False: "False"})))
    times = load_data(path)
    assert isinstance(times, ReadingTimes)
    assert times.words["include"].tolist() == even.tolist()
    assert len(times.words) == 600  # the model reads them all
    result = measured(tmp_path, times)
    overall = result.table[result.table["metric"] == "pearson_r"].iloc[0]
    kept = (even & (MADE.times.words["position"] > 0)).to_numpy()
    assert overall["n"] == kept.sum() == 294
    expected = np.corrcoef(MADE.surprisal[kept], times.words["time"].to_numpy()[kept])[0, 1]
    assert overall["value"] == pytest.approx(expected)
    # The word before is never scored here, and its surprisal counts all the same: 2 ms a bit were planted.
    before = result.table[(result.table["metric"] == "slope") & (result.table["target"] == "previous word")]
    assert before["value"].iloc[0] == pytest.approx(2.0, abs=1.0)
    said = "mine.csv: 300 of 600 words are marked as not to be scored (`include`); they are read"
    assert said in result.warnings


def test_chosen_words_survive_being_written_and_read_again(tmp_path: Path) -> None:
    times = load_data(written(tmp_path, table([1, 0] * 300)))
    assert isinstance(times, ReadingTimes)
    again = load_data(write_reading_times(times, tmp_path / "again.csv"))
    assert isinstance(again, ReadingTimes)
    assert again.words["include"].tolist() == [True, False] * 300


@pytest.mark.parametrize(
    ("include", "sentence"),
    [
        (["1"] * 599 + ["perhaps"], "row 601, column `include`: 'perhaps' is neither 1 (true) nor 0 (false)"),
        ([""] + ["1"] * 599, "row 2, column `include`: '' is neither"),
        (0, "column `include` is 0 throughout: no word is left to score"),
    ],
)  # fmt: skip
def test_a_choice_that_is_none_is_refused_with_its_row(tmp_path: Path, include: object, sentence: str) -> None:
    problems = check_file(written(tmp_path, table(include)))
    assert any(sentence in problem and not problem.startswith("warning") for problem in problems), problems


def test_a_column_that_includes_every_word_needs_no_word(tmp_path: Path) -> None:
    assert [p for p in check_file(written(tmp_path, table(1))) if "include" in p] == []
