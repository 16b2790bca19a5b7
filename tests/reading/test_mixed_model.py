"""Every reader's sensitivity to surprisal, found again in a mixed model of crossed readers and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from planted import Planted, plant
from scipy.stats import multivariate_normal

from tuneshift.errors import MeasurementFailed
from tuneshift.reading.contributions import groups_of
from tuneshift.reading.crossed_effects import crossed_fit
from tuneshift.reading.mixed_model import mixed_model
from tuneshift.reading.participants import Readers, over_readers
from tuneshift.reading.predictive_power import design


def _found(made: Planted, wanted: bool | None = None) -> Readers:
    kept = made.times.words["position"].to_numpy() > 0
    plan = design(made.times, kept, spillover=1, folds=10, seed=0)
    return over_readers(made.surprisal, made.times, plan, 1, wanted, groups_of(made.times))


def _row(found: Readers, metric: str) -> dict:
    return next(row for row in found.rows if row["metric"] == metric and "participant" not in row)


def test_the_planted_slopes_are_found_reader_by_reader() -> None:
    made = plant(n_documents=4, n_words=120)
    found = _found(made)
    overall = _row(found, "slope_mixed")
    assert overall["ci_low"] < made.slopes.mean() < overall["ci_high"]
    own = {
        row["participant"]: row["value"]
        for row in found.rows
        if row["metric"] == "slope_mixed" and "participant" in row
    }
    assert np.corrcoef([own[f"reader {i + 1}"] for i in range(8)], made.slopes)[0, 1] > 0.9
    gain = _row(found, "delta_ll_mixed")
    assert gain["value"] > 1
    assert gain["n"] == 4 * 119 * 8


def test_surprisal_that_slows_nobody_gains_nothing() -> None:
    found = _found(plant(slope=0, spillover=0, n_documents=4, n_words=100))
    overall = _row(found, "slope_mixed")
    assert overall["ci_low"] < 0 < overall["ci_high"]
    gain = _row(found, "delta_ll_mixed")
    assert 0 <= gain["value"] * gain["n"] / 1000 < 6  # four parameters, nothing to find: under 2 nats are expected


def test_readers_who_differ_around_no_effect_are_a_gain_over_a_model_without_any_surprisal() -> None:
    """A smaller model that keeps readers' own slopes would say 0: it is no model without surprisal."""
    made = plant(slope=0, spillover=0, n_documents=3, n_words=100)
    readers = made.times.by_participant
    assert readers is not None
    own = np.where(np.arange(8) % 2, 4.0, -4.0)
    number = readers["participant"].str.removeprefix("reader ").astype(int).to_numpy() - 1
    slowed = readers["time"] + own[number] * (made.surprisal[readers["row"]] - 6)
    gain = _row(_found(replace(made, times=replace(made.times, by_participant=readers.assign(time=slowed)))),
                "delta_ll_mixed")  # fmt: skip
    assert gain["value"] * gain["n"] / 1000 > 50


def test_the_worse_the_surprisals_the_less_they_gain() -> None:
    made = plant(n_documents=3, n_words=100, n_readers=6)
    random = np.random.default_rng(0).normal(size=len(made.surprisal))
    gains = [
        _row(_found(replace(made, surprisal=made.surprisal + noise * random)), "delta_ll_mixed")["value"]
        for noise in (0.0, 2.0, 5.0, 12.0)
    ]
    assert gains == sorted(gains, reverse=True)


def test_each_participant_has_a_correlation_and_the_model_can_be_left_out() -> None:
    made = plant(n_documents=3, n_words=60, n_readers=3)
    rows = _found(made, wanted=False).rows
    assert {row["metric"] for row in rows} == {"pearson_r"}
    table = made.times.by_participant
    assert table is not None
    mine = table[(table["participant"] == "reader 2") & (table["row"] % 60 > 0)]
    expected = np.corrcoef(made.surprisal[mine["row"]], mine["time"])[0, 1]
    assert rows[1]["value"] == pytest.approx(expected)


def _observations(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fixed and random columns, times, readers and words, of which not every reader met every one."""
    random = np.random.default_rng(seed)
    met = random.random((40, 6)) < 0.8
    words, readers = np.nonzero(met)
    s, other = random.normal(size=40)[words], random.normal(size=40)[words]
    times = 300 + 4 * s + 2 * other + random.normal(0, 10, 40)[words] + random.normal(0, 15, 6)[readers]
    times = times + random.normal(0, 5, 6)[readers] * s + random.normal(0, 15, len(s))
    ones = np.ones(len(s))
    return np.column_stack([ones, s, other]), np.column_stack([ones, s]), times, readers, words


def test_the_likelihood_is_the_normal_density_of_all_observations_and_no_variances_near_are_better() -> None:
    fixed, random, times, readers, words = _observations()
    fit = crossed_fit(fixed, random, times, readers, words)

    def density(scales: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        own = np.zeros((2, 2))
        own[np.tril_indices(2)] = fit._variances[:3] * scales[:3] * fit.noise
        V = np.eye(len(times)) * fit.noise**2
        V += (words[:, None] == words) * (fit.word_deviation * scales[3]) ** 2
        V += (readers[:, None] == readers) * (random @ own @ own.T @ random.T)
        inverse = np.linalg.inv(V)
        covariance = np.linalg.inv(fixed.T @ inverse @ fixed)
        beta = covariance @ fixed.T @ inverse @ times
        return float(multivariate_normal(fixed @ beta, V).logpdf(times)), beta, covariance

    here, beta, covariance = density(np.ones(4))
    assert fit.log_likelihood == pytest.approx(here, abs=1e-6)
    np.testing.assert_allclose(fit.coefficients, beta, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-6)
    np.testing.assert_allclose(fit.weights(1) @ np.column_stack([times, fixed]), [beta[1], 0, 1, 0], atol=1e-8)
    for i in range(4):
        for factor in (0.9, 1.1):
            assert density(np.where(np.arange(4) == i, factor, 1.0))[0] < here + 1e-6


def test_readers_and_words_crossed_are_fitted_as_statsmodels_fits_them_in_one_group() -> None:
    fixed, random, times, readers, words = _observations(1)
    ours = crossed_fit(fixed, random[:, :1], times, readers, words)
    table = pd.DataFrame({"time": times, "s": fixed[:, 1], "other": fixed[:, 2], "reader": readers, "word": words})
    crossed = {"reader": "0 + C(reader)", "word": "0 + C(word)"}
    model = smf.mixedlm("time ~ s + other", table, groups=np.ones(len(table)), re_formula="0", vc_formula=crossed)
    theirs = model.fit(reml=False)
    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, rtol=1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse_fe, rtol=0.01)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=0.01)
    assert ours.log_likelihood > theirs.llf - 1e-4


def test_the_slope_is_in_ms_per_bit_and_its_influences_add_up_to_nothing() -> None:
    fixed, _, times, readers, words = _observations(2)
    names = np.array([f"r{number}" for number in readers])
    nothing = np.zeros((len(times), 0))
    ours = mixed_model(fixed[:, 1], nothing, fixed[:, 2:], times, names, words)
    halved = mixed_model(fixed[:, 1] * 2, nothing, fixed[:, 2:], times, names, words)
    assert halved.slope == pytest.approx(ours.slope / 2, rel=1e-3)
    assert halved.delta_ll == pytest.approx(ours.delta_ll, abs=1e-3)
    assert ours.influence.sum() == pytest.approx(0, abs=1e-8)
    assert np.mean(list(ours.slope_by_participant.values())) == pytest.approx(ours.slope, abs=0.5)


def test_a_fit_that_fails_is_a_note_and_costs_no_other_row() -> None:
    made = plant(n_documents=3, n_words=60, n_readers=3)
    length = made.times.words["word"].str.len().to_numpy(float)
    found = _found(replace(made, surprisal=length))
    assert {row["metric"] for row in found.rows} == {"pearson_r"}
    (note,) = found.notes
    assert "one predictor repeats what the others say" in note
    assert "slope_mixed and delta_ll_mixed are left out" in note
    with pytest.raises(MeasurementFailed):
        mixed_model(length, length[:, None] * 2, length[:, None] ** 2, length, np.tile(["a", "b"], 90), np.arange(180))


def test_one_reader_alone_has_no_mixed_model_and_a_note_says_so() -> None:
    found = _found(plant(n_documents=3, n_words=60, n_readers=1))
    assert {row["metric"] for row in found.rows} == {"pearson_r"}
    assert "one reader only" in found.notes[0]
