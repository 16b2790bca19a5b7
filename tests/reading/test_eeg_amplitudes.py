"""Brain responses to words, such as the N400, are the same table with a column `amplitude` in place of `time`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted import plant

from tuneshift.errors import BadInput
from tuneshift.human import ReadingTimes, check_file, load_data, write_reading_times
from tuneshift.reading import SurprisalFile, reading_alignment

N400 = -0.3  # µV a bit: the more surprising a word, the more negative the response to it


def _table(**changes: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """Amplitudes of six participants at every word, and the surprisal behind them."""
    made = plant(n_documents=6, n_words=100, n_readers=1)
    words = made.times.words
    random = np.random.default_rng(1)
    parts = []
    for participant in range(6):
        amplitude = 2 + N400 * made.surprisal + random.normal(0, 1) + random.normal(0, 2, len(words))
        parts.append(words[["document", "word"]].assign(
            index=words["position"], frequency=np.exp(words["log_frequency"]), participant=f"p{participant}",
            amplitude=amplitude,
        ))  # fmt: skip
    return pd.concat(parts).assign(**changes), made.surprisal


def _written(folder: Path, table: pd.DataFrame) -> Path:
    table.to_csv(folder / "n400.csv", index=False)
    return folder / "n400.csv"


def test_an_n400_is_found_with_its_sign_its_unit_and_its_ceiling(tmp_path: Path) -> None:
    table, surprisal = _table()
    times = load_data(_written(tmp_path, table))
    assert isinstance(times, ReadingTimes)
    assert times.unit == "µV"
    assert times.words["time"].min() < 0
    file = tmp_path / "surprisals.csv"
    times.words[["document", "position", "word"]].assign(surprisal=surprisal).to_csv(file, index=False)
    result = reading_alignment(SurprisalFile("a model", file), times, n_boot=200)
    rows = result.table.set_index(["metric", "target", "participant"])
    r = result.table.iloc[0]
    assert r["metric"] == "pearson_r"
    assert r["ci_high"] < 0
    means = table.groupby(["document", "index"], sort=False)["amplitude"].mean().to_numpy()
    kept = times.words["position"] > 0
    assert r["value"] == pytest.approx(np.corrcoef(surprisal[kept], means[kept])[0, 1])
    assert r["ceiling"] == pytest.approx(times.ceiling)
    assert result.value(metric="slope", target="word") == pytest.approx(N400, abs=0.05)
    assert result.value(metric="delta_ll") > 5
    mixed = rows.xs(("slope_mixed", "word"), level=(0, 1))
    overall = mixed[mixed.index.isna()].iloc[0]
    assert overall["unit"] == "µV per bit"
    assert overall["ci_low"] < N400 < overall["ci_high"]
    assert result.arrays["binned_time"].attrs["unit"] == "µV"
    assert not any("one word out of step" in warning for warning in result.warnings)


def test_surprisal_that_no_brain_answers_to_predicts_nothing(tmp_path: Path) -> None:
    table, surprisal = _table()
    table["amplitude"] = np.random.default_rng(2).normal(0, 3, len(table))
    times = load_data(_written(tmp_path, table))
    assert isinstance(times, ReadingTimes)
    file = tmp_path / "surprisals.csv"
    times.words[["document", "position", "word"]].assign(surprisal=surprisal).to_csv(file, index=False)
    result = reading_alignment(SurprisalFile("a model", file), times, n_boot=200, mixed_model=False)
    r = result.table.iloc[0]
    assert r["ci_low"] < 0 < r["ci_high"]
    assert result.value(metric="delta_ll") < 2


def test_amplitudes_are_read_as_they_were_written(tmp_path: Path) -> None:
    given = load_data(_written(tmp_path, _table(unit="uV")[0]))
    assert isinstance(given, ReadingTimes)
    again = load_data(write_reading_times(given, tmp_path / "again.parquet"))
    assert isinstance(again, ReadingTimes)
    assert again.unit == "uV"
    pd.testing.assert_frame_equal(again.words, given.words, check_exact=True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time": 300.0}, "has both `time` and `amplitude`; leave only the one to be measured"),
        ({"amplitude": np.nan}, "column `amplitude` is empty throughout"),
        ({"amplitude": "low"}, "row 2, column `amplitude`: 'low' is no number"),
        ({"amplitude": -1.5}, "every amplitude is -1.5: nothing can be predicted"),
        ({"unit": " "}, "row 2, column `unit` is empty"),
        ({"length": 0}, "row 2, column `length`: must be above 0 for every word"),
    ],
)
def test_faults_of_a_table_of_amplitudes_are_named(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    path = _written(tmp_path, _table(**changes)[0])
    assert any(said in problem for problem in check_file(path))
    with pytest.raises(BadInput, match=said.replace("(", "[(]")):
        load_data(path)


def test_lengths_of_the_table_go_before_numbers_of_characters(tmp_path: Path) -> None:
    from tuneshift.reading.predictors import predictors

    times = load_data(_written(tmp_path, _table(length=lambda t: t["word"].str.len() * 12.5)[0]))
    assert isinstance(times, ReadingTimes)
    np.testing.assert_allclose(predictors(times)["length"], times.words["word"].str.len() * 12.5)
