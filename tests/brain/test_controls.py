"""Controls on simulated participants: planted unique variance comes back, neighbourhood leaks where it can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from tuneshift.brain import BrainAlignment, brain_alignment
from tuneshift.brain.nuisance import nuisance_features, oasm
from tuneshift.errors import BadInput
from tuneshift.human import Recording, load_data
from tuneshift.human.simulated.simulation_brain import BrainPlan, VoxelKind, simulate_brain
from tuneshift.models import LanguageModel
from tuneshift.numerics.ridge import ridge_predictivity
from tuneshift.numerics.splits import grouped, shuffled
from tuneshift.result import Result

OVERALL = {"target": "mean", "participant": "mean"}


@pytest.fixture(scope="module")
def controlled(fable_8m: LanguageModel, simulated: Recording) -> Result:
    few = simulated.data[:, np.isin(simulated.data["participant"].values, ["p01", "p02", "p03", "p04"])]
    return brain_alignment(fable_8m, replace(simulated, data=few), controls=True, untrained=1)


def overall(result: Result, metric: str) -> pd.Series:
    table = result.table
    found = table[(table["metric"] == metric) & (table["target"] == "mean") & (table["participant"] == "mean")]
    return found[~found["layer"].str.isdigit().fillna(False)].iloc[0]


def test_planted_unique_variance_is_recovered_within_its_interval(controlled: Result, truth: pd.DataFrame) -> None:
    planted = truth["unique_variance"][:160].mean()
    row = overall(controlled, "unique_r2_extrapolated")
    assert row["ci_low"] < planted < row["ci_high"]
    assert row["value"] == pytest.approx(planted, abs=0.05)
    held_out = overall(controlled, "unique_r2")
    assert held_out["ci_low"] > 0
    assert held_out["value"] < planted  # a mapping learned from few stimuli predicts less than there is


def test_voxels_driven_by_length_or_drift_have_no_unique_variance(controlled: Result, truth: pd.DataFrame) -> None:
    unique = controlled.arrays["unique_r2"].values
    for kind in ("length", "drift", "silent"):
        assert abs(unique[(truth["kind"][:160] == kind).to_numpy()].mean()) < 0.02
    nuisance = controlled.arrays["r_nuisance"].values
    assert nuisance[(truth["kind"][:160] == "length").to_numpy()].mean() > 0.25


def test_permuting_passages_tells_driven_voxels_from_the_others(controlled: Result, truth: pd.DataFrame) -> None:
    assert overall(controlled, "p_permutation")["value"] < 0.01
    found = controlled.arrays["q_permutation"].values < 0.05
    driven = (truth["share_model"][:160] > 0).to_numpy()
    assert found[driven].mean() > 0.9
    nothing = truth["kind"][:160].isin(["drift", "silent"]).to_numpy()  # a model knows sentence length, too
    assert found[nothing].mean() < 0.2
    assert overall(controlled, "share_significant")["value"] == pytest.approx(found.mean())


def test_the_interval_over_stimuli_holds_the_score(controlled: Result) -> None:
    row = overall(controlled, "r_over_stimuli")
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["value"] == pytest.approx(controlled.value(layer="nested", metric="r", **OVERALL), abs=0.01)


def test_neighbourhood_alone_scores_high_where_the_split_leaks_and_not_where_passages_are_held_out(
    simulated: Recording, controlled: Result
) -> None:
    """The published critique of shuffled splits, reproduced on voxels of which drift is the largest part."""
    drifting = simulated.data.values[:, simulated.data["region"].values == "midline"]
    features = oasm(simulated)
    leaking = ridge_predictivity(features, drifting, folds=shuffled(len(drifting))).mean()
    whole = ridge_predictivity(features, drifting, folds=grouped(simulated.data["passage"].values)).mean()
    assert leaking > 0.25
    assert abs(whole) < 0.01
    assert abs(overall(controlled, "r_oasm")["value"]) < 0.01


def test_oasm_knows_positions_within_passages_and_nothing_across_them(simulated: Recording) -> None:
    features = oasm(simulated)
    passages = simulated.data["passage"].values
    assert (features[passages[:, None] != passages[None]] == 0).all()
    assert np.allclose(np.diag(features), 1)
    assert features[0, 1] == pytest.approx(np.exp(-0.5 / 4))


def test_the_surface_of_a_sentence(simulated: Recording) -> None:
    few = Recording("two", simulated.data[:2].assign_coords(text=("stimulus", ["A dog.", "It ran far away."])))
    features = nuisance_features(few)
    assert features[:, 0].tolist() == [2, 4]
    assert features[:, 1].tolist() == [6, 16]
    assert features[0, 4] == 0
    assert features[1, 4] == 1


def test_controls_of_a_geometry_are_refused(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="controls need predictions, which rsa does not make"):
        BrainAlignment(data="simulated_brain", mapping="rsa", controls=True).run(fable_2m)


@pytest.mark.usefixtures("real_data")
def test_on_alice_the_model_scores_above_its_untrained_twin(
    fable_8m: LanguageModel,
) -> None:
    recording = load_data("alice2016")
    assert isinstance(recording, Recording)
    measurement = BrainAlignment(data="alice2016", split="contiguous", controls=True, untrained=1, surrogates=0)
    trained = measurement.measure(fable_8m, recording)
    twin = measurement.model_copy(update={"untrained": 0}).measure(fable_8m.untrained(0), recording)
    assert overall(trained, "unique_r2")["value"] > overall(twin, "unique_r2")["value"]
    assert overall(twin, "unique_r2")["ci_low"] <= 0
    assert trained.value(layer="8", metric="r", **OVERALL) == pytest.approx(0.125, abs=0.005)
    assert trained.value(layer="8", metric="r_untrained", **OVERALL) <= 0.02
    assert twin.value(layer="8", metric="r", **OVERALL) <= 0.02


@pytest.fixture(scope="module")
def drifting(fable_8m: LanguageModel, simulated: Recording) -> tuple[Result, pd.DataFrame]:
    """The planted truth with noise that is slow within every passage: neighbours give each other away."""
    texts, passages = (simulated.data[name].values.tolist() for name in ("text", "passage"))
    documents: dict[str, list[str]] = {}
    for text, passage in zip(texts, passages, strict=True):
        documents.setdefault(passage, []).append(text)
    states = fable_8m.hidden_states(list(documents.values()))[:, 6]
    kinds = {"language": VoxelKind(model=0.42, drift=0.37, spread=0.08), "drift": VoxelKind(drift=0.98)}
    plan = BrainPlan(n_participants=4, regions={"any": ("language",) * 12 + ("drift",) * 12}, kinds=kinds)
    planted = simulate_brain(states, texts, passages, plan, seed=11)
    names = ("text", "passage", "participant", "region", "target_name", "voxel")
    data = planted["responses"].astype("float64").reset_coords(drop=False)["responses"]
    data = data.assign_coords({name: planted[name] for name in names})
    recording = Recording("drifting", data, space="shared")
    result = brain_alignment(fable_8m, recording, controls=True, untrained=1, surrogates=6)
    truth = pd.DataFrame({name: planted[name].values for name in ("kind", "unique_variance", "share_model")})
    return result, truth


def test_planted_variance_is_recovered_where_noise_is_slow_within_passages(
    drifting: tuple[Result, pd.DataFrame],
) -> None:
    result, truth = drifting
    planted = truth["unique_variance"].mean()
    row = overall(result, "unique_r2_extrapolated")
    assert row["ci_low"] < planted < row["ci_high"]
    assert row["value"] == pytest.approx(planted, abs=0.05)
    driven = (truth["kind"] == "language").to_numpy()
    r = result.arrays["r_nested"].values
    assert roc_auc_score(driven, r) >= 0.98


def test_slow_noise_alone_scores_nothing_by_any_number(drifting: tuple[Result, pd.DataFrame]) -> None:
    result, truth = drifting
    drift = (truth["kind"] == "drift").to_numpy()
    for name in ("r_nested", "unique_r2", "r_oasm"):
        found = result.arrays[name].values[drift]
        assert abs(found.mean()) < 2.5 * found.std() / np.sqrt(len(found)) + 0.01, name
    assert (result.arrays["q_permutation"].values[drift] < 0.05).mean() < 0.1
    assert abs(overall(result, "r_surrogate")["value"]) < 0.03
