"""A small form of `python -m benchmarks calibration`: over models, pairs and layers, 95% is 95% and .05 is .05."""

from __future__ import annotations

import pandas as pd
import pytest
from benchmarks._calibration_models import cells


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return pd.DataFrame(cells(8, seed=4))


def test_intervals_hold_the_truth_in_about_95_of_100_studies(found: pd.DataFrame) -> None:
    by_number = found.groupby("number")[["studies", "covered"]].sum()
    assert by_number.index.tolist() == [
        "Pearson r over models",
        "Pearson r over stories",
        "Spearman r over models",
        "layer link given depth, over pairs",
        "mean difference over pairs",
        "partial r given size",
    ]
    assert by_number["covered"].sum() / by_number["studies"].sum() > 0.93
    assert (by_number["covered"] / by_number["studies"] > 0.85).all()  # of 48 studies: 95% less 3 standard errors


def test_nothing_is_found_where_nothing_is_in_about_5_of_100_studies(found: pd.DataFrame) -> None:
    nothing = found.dropna(subset=["found_under_null"])
    assert nothing["studies"].sum() > 200
    assert nothing["found_under_null"].sum() / nothing["studies"].sum() < 0.095  # 5% and 3 standard errors
