"""Published files of surprisals often have none for a first word: it is left out, and so is what needs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tuneshift.human import load_data
from tuneshift.models import LanguageModel
from tuneshift.reading import SurprisalFile, reading_alignment
from tuneshift.result import Result


@pytest.fixture(scope="module")
def surprisals(fable_2m: LanguageModel) -> pd.DataFrame:
    times = load_data("simulated_reading")
    table = fable_2m.surprisals(list(times.documents.values()))  # type: ignore[union-attr]
    words = times.words[["document", "position", "word"]].reset_index(drop=True)  # type: ignore[union-attr]
    return words.assign(surprisal=table["surprisal_plain"].to_numpy())


def measured(path: Path, table: pd.DataFrame, **options: str) -> Result:
    table.to_csv(path, index=False)
    source = SurprisalFile("x", path)
    return reading_alignment(source, "simulated_reading", n_boot=0, mixed_model=False, **options)  # type: ignore[arg-type]


def score(result: Result, metric: str) -> tuple[float, int]:
    row = result.table[(result.table["metric"] == metric) & result.table["participant"].isna()].iloc[0]
    return float(row["value"]), int(row["n"])


@pytest.mark.parametrize("regression", ["cross_validated", "published"])
def test_what_stands_for_an_unknown_first_word_changes_no_number(
    tmp_path: Path, surprisals: pd.DataFrame, regression: str
) -> None:
    first = surprisals["position"] == 0
    gap = surprisals.assign(surprisal=surprisals["surprisal"].where(~first))
    found = measured(tmp_path / "gap.csv", gap, regression=regression)
    assert found.details["n_without_surprisal"] == int(first.sum())
    whole = measured(tmp_path / "whole.csv", surprisals, regression=regression)
    assert score(found, "pearson_r") == score(whole, "pearson_r")  # first words are left out of it anyway
    assert score(found, "delta_ll")[1] < score(whole, "delta_ll")[1]
    # Neither the mean of what is known nor anything else is put in its place: the words behind it are left out too.
    behind = surprisals["position"].isin([1, 2])
    assert score(whole, "delta_ll")[1] - score(found, "delta_ll")[1] <= int(behind.sum())
    assert np.isfinite(score(found, "delta_ll")[0])
