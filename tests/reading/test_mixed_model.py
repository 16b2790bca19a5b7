"""Every reader's sensitivity to surprisal, found again in the mixed model."""

from __future__ import annotations

import numpy as np
import pytest
from planted import Planted, plant

from tuneshift.reading.participants import participant_rows
from tuneshift.reading.predictive_power import design


def _rows(made: Planted, **options: bool | None) -> list[dict]:
    kept = made.times.words["position"].to_numpy() > 0
    plan = design(made.times, kept, spillover=1, folds=10, seed=0)
    return participant_rows(made.surprisal, made.times, plan, 1, options.get("wanted"))[0]


def test_the_planted_slopes_are_found_reader_by_reader() -> None:
    made = plant(n_documents=4, n_words=120)
    rows = _rows(made)
    overall = next(row for row in rows if row["metric"] == "slope_mixed" and "participant" not in row)
    assert overall["ci_low"] < made.slopes.mean() < overall["ci_high"]
    own = {row["participant"]: row["value"] for row in rows if row["metric"] == "slope_mixed" and "participant" in row}
    assert np.corrcoef([own[f"reader {i + 1}"] for i in range(8)], made.slopes)[0, 1] > 0.9
    gain = next(row for row in rows if row["metric"] == "delta_ll_mixed")
    assert gain["value"] > 1
    assert gain["n"] == 4 * 119 * 8


def test_surprisal_that_slows_nobody_gains_nothing() -> None:
    rows = _rows(plant(slope=0, spillover=0, n_documents=3, n_words=100))
    overall = next(row for row in rows if row["metric"] == "slope_mixed" and "participant" not in row)
    assert overall["ci_low"] < 0 < overall["ci_high"]
    gain = next(row for row in rows if row["metric"] == "delta_ll_mixed")
    assert gain["value"] * gain["n"] / 1000 < 6  # two parameters, nothing to find: 1 nat is expected


def test_each_participant_has_a_correlation_and_the_model_can_be_left_out() -> None:
    made = plant(n_documents=3, n_words=60, n_readers=3)
    rows = _rows(made, wanted=False)
    assert {row["metric"] for row in rows} == {"pearson_r"}
    table = made.times.by_participant
    assert table is not None
    mine = table[(table["participant"] == "reader 2") & (table["row"] % 60 > 0)]
    expected = np.corrcoef(made.surprisal[mine["row"]], mine["time"])[0, 1]
    assert rows[1]["value"] == pytest.approx(expected)
