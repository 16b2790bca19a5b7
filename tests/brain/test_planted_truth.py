"""On simulated participants: voxels that the model drives are found, no others, and the layer that drives them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from tuneshift.brain import BrainAlignment, brain_alignment
from tuneshift.human import Recording
from tuneshift.human.simulated.simulation_brain import BrainPlan, VoxelKind, simulate_brain
from tuneshift.models import LanguageModel
from tuneshift.result import Result

LAYER = 6  # whose states drive the simulated voxels (docs/simulated_data.md)


def test_voxels_that_the_model_drives_are_told_from_all_others(simulated_result: Result, truth: pd.DataFrame) -> None:
    r = simulated_result.arrays["r"].sel(layer=LAYER).values
    assert roc_auc_score(truth["share_model"] > 0, r) >= 0.9


def test_the_more_of_a_voxel_the_model_drives_the_higher_it_scores(
    simulated_result: Result, truth: pd.DataFrame
) -> None:
    r = simulated_result.arrays["r"].sel(layer=LAYER).values
    driven = truth["share_model"] > 0
    assert stats.spearmanr(r[driven], truth["share_model"][driven])[0] > 0.3
    assert r[driven].mean() == pytest.approx(truth["max_r"][driven].mean(), abs=0.12)
    assert r[driven].mean() < truth["max_r"][driven].mean()  # what is held out is never predicted perfectly


def test_nothing_is_found_where_nothing_was_planted(simulated_result: Result, truth: pd.DataFrame) -> None:
    r = simulated_result.arrays["r"].sel(layer=LAYER).values
    for kind in ("silent", "drift"):
        silent = r[(truth["kind"] == kind).to_numpy()]
        assert abs(silent.mean()) < 2.5 * silent.std() / np.sqrt(len(silent)) + 0.02


def test_the_layer_that_drives_the_voxels_is_chosen_in_every_fold(simulated_result: Result) -> None:
    assert simulated_result.details["layers_chosen"] == [LAYER] * 5
    by_layer = {
        layer: simulated_result.value(layer=layer, target="mean", participant="mean", metric="r")
        for layer in ("0", str(LAYER), "8", "nested", "best")
    }
    assert abs(by_layer["0"]) < 0.03
    assert by_layer["nested"] == pytest.approx(by_layer[str(LAYER)], abs=1e-9)
    assert by_layer["best"] >= max(by_layer.values()) - 1e-12


def test_every_participant_region_and_mean_has_its_row(simulated_result: Result, simulated: Recording) -> None:
    nested = simulated_result.table[simulated_result.table["layer"] == "nested"]
    raw = nested[nested["metric"] == "r"]
    regions = set(simulated.data["region"].values.tolist())
    assert set(raw["target"]) == regions | {"mean", "median"}
    assert set(raw["participant"]) == set(simulated.participants) | {"mean"}
    means = raw[raw["participant"] == "mean"].set_index("target")
    assert (means["ci_low"] < means["value"]).all()
    assert (means["value"] < means["ci_high"]).all()
    assert (means["n"] == 12).all()
    temporal = raw[(raw["target"] == "temporal") & (raw["participant"] != "mean")]["value"]
    assert means.loc["temporal", "value"] == pytest.approx(temporal.mean(), abs=1e-9)
    assert means.loc["temporal", "value"] > means.loc["occipital", "value"]


def test_a_score_divided_by_its_ceiling_is_never_clipped(simulated_result: Result) -> None:
    where = {"layer": "nested", "target": "mean", "participant": "mean"}
    table = simulated_result.table
    ceiling = table.query("layer == 'nested' and target == 'mean' and participant == 'mean' and metric == 'r'")[
        "ceiling"
    ].iloc[0]
    assert simulated_result.value(**where, metric="r_normalised") == pytest.approx(
        simulated_result.value(**where, metric="r") / ceiling
    )


def test_shares_of_the_ceiling_carry_their_unit(simulated_result: Result) -> None:
    table = simulated_result.table
    assert set(table[table["metric"] == "r_normalised"]["unit"]) == {"share of ceiling"}
    assert set(table[table["metric"] == "r"]["unit"]) == {"r"}


def test_two_equal_models_differ_by_nothing(fable_2m: LanguageModel, simulated: Recording) -> None:
    few = Recording(simulated.name, simulated.data[:, :40])
    measurement = BrainAlignment(data="simulated_brain", folds=3)
    first, second = (measurement.measure(fable_2m, few).table["value"] for _ in range(2))
    assert first.equals(second)


def test_a_model_that_drives_nothing_scores_nothing(fable_2m: LanguageModel, simulated: Recording) -> None:
    texts, passages = (simulated.data[name].values.tolist() for name in ("text", "passage"))
    plan = BrainPlan(n_participants=3, regions={"any": ("silent",) * 20}, kinds={"silent": VoxelKind(drift=0.3)})
    features = np.random.default_rng(0).standard_normal((len(texts), 30))
    planted = simulate_brain(features, texts, passages, plan, seed=3)
    names = ("text", "passage", "participant", "region", "target_name")
    data = planted["responses"].astype("float64").reset_coords(drop=False)["responses"]
    data = data.assign_coords({name: planted[name] for name in names})
    result = brain_alignment(fable_2m, Recording("nothing", data))
    nested = result.table.query("layer == 'nested' and target == 'mean' and metric == 'r' and participant == 'mean'")
    assert abs(nested["value"].iloc[0]) < 0.04
    assert nested["ci_low"].iloc[0] < 0.02


def test_an_untrained_twin_is_measured_beside_the_model(fable_2m: LanguageModel, simulated: Recording) -> None:
    few = Recording(simulated.name, simulated.data[:, :40])
    result = BrainAlignment(data="simulated_brain", folds=3, untrained=2).measure(fable_2m, few)
    where = {"layer": "4", "target": "mean", "participant": "mean"}
    assert result.value(**where, metric="r") > result.value(**where, metric="r_untrained") + 0.05
