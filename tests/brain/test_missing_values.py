"""What is missing costs what is missing and no more: a scan, a participant, a label of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tuneshift.brain import brain_alignment
from tuneshift.brain.ceilings import CeilingEstimate, noise_ceiling
from tuneshift.brain.partition import partition
from tuneshift.human import Recording
from tuneshift.human.recordings.recording import WordTrack
from tuneshift.models import LanguageModel
from tuneshift.numerics.haemodynamics import cleaned_stretch

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


def test_a_missing_scan_does_not_take_its_whole_stretch_away() -> None:
    recording = story()
    cut = partition(recording, "contiguous")
    part = cut.splits[0].test  # one of two runs, whole
    holes = recording.data.values.copy()
    holes[part.rows[10], 1] = np.nan
    filtered, whole = (cut.cleaned(values, part) for values in (holes, recording.data.values))
    assert np.isnan(filtered).sum() == 1
    assert np.allclose(filtered[:, [0, 2, 3]], whole[:, [0, 2, 3]])
    kept = np.isfinite(filtered[:, 1])
    assert np.corrcoef(filtered[kept, 1], whole[kept, 1])[0, 1] > 0.99
    basis = np.cos(np.pi * np.outer(np.arange(60) + 0.5, np.arange(1)) / 60)[kept]
    assert np.allclose(basis.T @ filtered[kept, 1], 0, atol=1e-9)  # no mean is left in the scans that exist


def test_a_story_without_names_of_runs_is_filtered_as_one_run(fable_2m: LanguageModel) -> None:
    recording = story(n_scans=200, runs=1)
    bare = replace(recording, data=recording.data.drop_vars("passage"))
    cut = partition(bare, "contiguous", 3)
    (stretch,) = cut.splits[0].test.stretches
    expected = cleaned_stretch(bare.data.values[stretch], 2.0, 128.0)
    assert np.allclose(cut.cleaned(bare.data.values, cut.splits[0].test), expected)
    named = brain_alignment(fable_2m, recording, split="contiguous", folds=3)
    unnamed = brain_alignment(fable_2m, bare, split="contiguous", folds=3)
    assert np.allclose(named.arrays["r"].values, unnamed.arrays["r"].values)


def test_a_participant_who_missed_a_run_is_scored_on_the_others_and_changes_nobody_elses_score(
    fable_2m: LanguageModel,
) -> None:
    recording = story(n_scans=240, runs=4)
    full = brain_alignment(fable_2m, recording, split="contiguous", folds=4)
    values = recording.data.values.copy()
    values[60:120, [0, 2]] = np.nan  # participant p0 did not hear run 1
    holes = brain_alignment(
        fable_2m, replace(recording, data=recording.data.copy(data=values)), split="contiguous", folds=4
    )
    r = holes.arrays["r"].values
    assert np.isfinite(r).all()
    assert np.allclose(r[:, [1, 3]], full.arrays["r"].values[:, [1, 3]])
    assert any("120 responses (12.5%) are missing" in warning for warning in holes.warnings)


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
def test_a_participant_whose_responses_never_vary_lowers_nobodys_ceiling(estimate: CeilingEstimate) -> None:
    rng = np.random.default_rng(1)
    values = np.sqrt(0.5) * (rng.standard_normal((600, 1)) + rng.standard_normal((600, 8)))
    names = [f"p{i}" for i in range(8)]
    coords = {"participant": ("target", names), "region": ("target", ["roi"] * 8), "target_name": ("target", names)}
    constant = values.copy()
    constant[:, 4:] = 2.0
    made = [xr.DataArray(v, dims=("stimulus", "target"), coords=coords) for v in (constant, values)]
    found, alone = (
        noise_ceiling(estimate, data, partition(Recording("mine", data), "contiguous")).values
        for data in (made[0], made[1][:, :4])
    )
    assert np.isnan(found[4:]).all()
    assert found[:4].mean() == pytest.approx(alone.mean(), abs=0.02)
