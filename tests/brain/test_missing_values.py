"""What is missing costs what is missing and no more: a scan, a participant, a label of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tuneshift.brain import brain_alignment
from tuneshift.brain.ceiling_estimates import noise_ceiling
from tuneshift.brain.stimulus_features import cleaned
from tuneshift.human import Recording
from tuneshift.human.recording import WordTrack
from tuneshift.models import LanguageModel
from tuneshift.numerics.haemodynamics import high_pass
from tuneshift.numerics.splits import contiguous

WORDS = ("The", "old", "boat", "lay", "on", "the", "shore", "and", "nobody", "knew", "whose", "it", "was")


def story(n_scans: int = 120, runs: int = 2, n_targets: int = 4) -> Recording:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((n_scans, n_targets)) + np.linspace(-3, 3, n_scans)[:, None]
    coords = {
        "time": ("stimulus", 2.0 * np.arange(n_scans)),
        "passage": ("stimulus", [f"run {row * runs // n_scans}" for row in range(n_scans)]),
        "participant": ("target", [f"p{i % 2}" for i in range(n_targets)]),
        "region": ("target", [f"r{i // 2}" for i in range(n_targets)]),
        "target_name": ("target", [f"t{i}" for i in range(n_targets)]),
    }
    onset = np.arange(0.5, 2.0 * n_scans - 4, 1.5)
    words = tuple(WORDS[i % len(WORDS)] for i in range(len(onset)))
    passage = tuple(f"run {int(at // 2.0) * runs // n_scans}" for at in onset)
    data = xr.DataArray(values, dims=("stimulus", "target"), coords=coords)
    track = WordTrack(words, onset, onset + 0.4, passage)
    return Recording("story", data, words=track, repetition_time=2.0, high_pass=128.0)


def test_a_missing_scan_does_not_take_its_whole_run_away() -> None:
    recording = story()
    holes = recording.data.values.copy()
    holes[10, 1] = np.nan
    filtered = cleaned(holes, recording)
    assert np.isnan(filtered).sum() == 1
    whole = cleaned(recording.data.values, recording)
    assert np.allclose(filtered[:, [0, 2, 3]], whole[:, [0, 2, 3]])
    kept = np.isfinite(filtered[:60, 1])
    assert np.corrcoef(filtered[:60, 1][kept], whole[:60, 1][kept])[0, 1] > 0.99
    basis = np.cos(np.pi * np.outer(np.arange(60) + 0.5, np.arange(2)) / 60)[kept]
    assert np.allclose(basis.T @ filtered[:60, 1][kept], 0, atol=1e-9)  # no drift is left in the scans that exist


def test_a_story_without_names_of_runs_is_filtered_as_one_run(fable_2m: LanguageModel) -> None:
    recording = story(runs=1)
    bare = replace(recording, data=recording.data.drop_vars("passage"))
    assert np.allclose(cleaned(bare.data.values, bare), high_pass(bare.data.values, 2.0, 128.0))
    named = brain_alignment(fable_2m, recording, split="contiguous", folds=3)
    unnamed = brain_alignment(fable_2m, bare, split="contiguous", folds=3)
    assert np.allclose(named.arrays["r"].values, unnamed.arrays["r"].values)


def test_a_participant_without_a_usable_target_does_not_decide_which_layer_is_best(
    fable_2m: LanguageModel, simulated: Recording
) -> None:
    few = simulated.data[:, np.isin(simulated.data["participant"].values, ["p01", "p02", "p03"])].copy()
    people = few["participant"].values
    few[:, people == "p03"] = 1.0
    where = {"target": "mean", "participant": "mean", "metric": "r"}
    result = brain_alignment(fable_2m, Recording("mine", few), folds=3)
    of_layer = [result.value(layer=str(layer), **where) for layer in range(fable_2m.n_layers + 1)]
    assert result.value(layer="best", **where) == max(of_layer) > of_layer[0]


@pytest.mark.parametrize("estimate", ["leave_one_out", "split_half", "extrapolated"])
def test_a_participant_whose_responses_never_vary_lowers_nobodys_ceiling(estimate: str) -> None:
    rng = np.random.default_rng(1)
    values = np.sqrt(0.5) * (rng.standard_normal((600, 1)) + rng.standard_normal((600, 8)))
    names = [f"p{i}" for i in range(8)]
    coords = {"participant": ("target", names), "region": ("target", ["roi"] * 8), "target_name": ("target", names)}
    constant = values.copy()
    constant[:, 4:] = 2.0
    made = [xr.DataArray(v, dims=("stimulus", "target"), coords=coords) for v in (constant, values)]
    folds = contiguous(600, 5)
    found = noise_ceiling(estimate, made[0], folds, "mine")  # type: ignore[arg-type]
    alone = noise_ceiling(estimate, made[1][:, :4], folds, "mine")  # type: ignore[arg-type]
    assert np.isnan(found[4:]).all()
    assert found[:4].mean() == pytest.approx(alone.mean(), abs=0.02)
