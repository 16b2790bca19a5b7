"""Every reader's sensitivity to surprisal, found again in the mixed model."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf
from planted import Planted, plant

from tuneshift.reading.mixed_model import mixed_model
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


def test_slope_error_and_gain_are_those_of_statsmodels_with_the_columns_as_they_are() -> None:
    made = plant(n_documents=3, n_words=80, n_readers=5)
    words, readers = made.times.words, made.times.by_participant
    assert readers is not None
    at = readers["row"].to_numpy()
    length = words["word"].str.len().to_numpy(float)
    controls = np.column_stack([length, words["log_frequency"], words["sentence_final"].astype(float)])
    before = words.assign(s=made.surprisal).groupby("document", sort=False)["s"].shift(1).to_numpy()
    kept = np.isfinite(before[at])
    table = readers[kept].assign(
        s=made.surprisal[at][kept], s_1=before[at][kept], length=length[at][kept],
        frequency=words["log_frequency"].to_numpy()[at][kept], last=words["sentence_final"].to_numpy(float)[at][kept],
    )  # fmt: skip
    ours = mixed_model(
        table["s"].to_numpy(), table[["s_1"]].to_numpy(), controls[at][kept], table["time"].to_numpy(),
        table["participant"].to_numpy(str),
    )  # fmt: skip
    table["c"] = table["s"] - table["s"].mean()
    fits = [
        smf.mixedlm(f"time ~ {fixed} length + frequency + last", table, groups="participant", re_formula="~c").fit(
            reml=False, method=["lbfgs", "powell"]
        )
        for fixed in ("c + s_1 +", "")
    ]
    assert ours.slope == pytest.approx(fits[0].fe_params["c"], rel=1e-3)
    assert ours.standard_error == pytest.approx(fits[0].bse_fe["c"], rel=0.02)
    assert ours.delta_ll == pytest.approx(fits[0].llf - fits[1].llf, abs=0.05)
    own = {name: fits[0].fe_params["c"] + effects["c"] for name, effects in fits[0].random_effects.items()}
    for name, slope in ours.slope_by_participant.items():
        assert slope == pytest.approx(own[name], abs=0.05)
