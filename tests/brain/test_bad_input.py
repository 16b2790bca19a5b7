"""What cannot be measured is answered with one sentence that says what to do, before any model is read."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tuneshift.brain import BrainAlignment, brain_alignment
from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.models import LanguageModel


def recording(n_stimuli: int = 40, n_participants: int = 2, passages: bool = True, n_targets: int = 3) -> Recording:
    rng = np.random.default_rng(0)
    names = [f"p{i}" for i in range(n_participants) for _ in range(n_targets)]
    coords = {
        "text": ("stimulus", [f"Sentence number {i} is about a boat." for i in range(n_stimuli)]),
        "participant": ("target", names),
        "region": ("target", ["roi"] * len(names)),
        "target_name": ("target", [f"{name}_{i}" for i, name in enumerate(names)]),
    }
    if passages:
        coords["passage"] = ("stimulus", [f"passage {i // 4}" for i in range(n_stimuli)])
    values = rng.standard_normal((n_stimuli, len(names)))
    return Recording("mine", xr.DataArray(values, dims=("stimulus", "target"), coords=coords))


def test_no_passage_labels_for_grouped_splits(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match=r"mine has no `passage` labels.*contiguous"):
        brain_alignment(fable_2m, recording(passages=False), split="grouped")


def test_without_passage_labels_the_default_split_is_contiguous(fable_2m: LanguageModel) -> None:
    result = brain_alignment(fable_2m, recording(passages=False))
    assert set(result.table["split"]) == {"contiguous"}


def test_fewer_passages_than_folds(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="at least 5 groups to hold out, and there are 3"):
        brain_alignment(fable_2m, recording(n_stimuli=12), split="grouped", folds=5)
    asked_for_none = brain_alignment(fable_2m, recording(n_stimuli=12), split="grouped")
    assert asked_for_none.details["folds"] == 3  # as many as there are
    with pytest.raises(BadInput, match="all stimuli share one `passage`, so that none can be held out"):
        brain_alignment(fable_2m, recording(n_stimuli=4), split="grouped")


def test_fewer_stimuli_than_folds(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="8 stimuli are too few for 5 contiguous folds"):
        brain_alignment(fable_2m, recording(n_stimuli=8), split="contiguous")
    with pytest.raises(BadInput, match="8 stimuli are too few for random splits"):
        brain_alignment(fable_2m, recording(n_stimuli=8), split="shuffled")


def test_two_stimuli_a_fold_are_no_correlation(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="one of 5 folds holds out 2 stimuli, too few for a correlation"):
        brain_alignment(fable_2m, recording(n_stimuli=10), split="contiguous")


def test_one_participant_has_a_score_and_no_ceiling_and_is_told_so(fable_2m: LanguageModel) -> None:
    result = brain_alignment(fable_2m, recording(n_participants=1))
    assert result.table["ceiling"].isna().all()
    assert "r_normalised" not in set(result.table["metric"])
    assert any("no noise ceiling" in warning for warning in result.warnings)


def test_missing_responses_are_left_out_and_counted(fable_2m: LanguageModel) -> None:
    full = recording()
    data = full.data.copy()
    data[:8, 0] = np.nan
    data[:, 1] = 2.0
    data[:, 2] = np.nan
    result = brain_alignment(fable_2m, Recording("mine", data))
    told = " ".join(result.warnings)
    assert "8 responses" in told
    assert "1 of 6 targets never vary" in told
    assert "1 of 6 targets hold no response at all" in told
    r = result.arrays["r"].values
    assert np.isfinite(r[:, 0]).all()
    assert np.isnan(r[:, 1:3]).all()
    untouched = brain_alignment(fable_2m, full).arrays["r"].values
    assert np.allclose(r[:, 3:], untouched[:, 3:], atol=1e-5)  # nobody else's score changes


def test_a_recording_in_which_nothing_varies(fable_2m: LanguageModel) -> None:
    data = recording().data * 0
    with pytest.raises(BadInput, match="no target varies"):
        brain_alignment(fable_2m, Recording("mine", data))


def test_a_recording_without_texts(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="neither a `text`"):
        brain_alignment(fable_2m, Recording("mine", recording().data.drop_vars("text")))


def test_a_data_set_of_another_kind(fable_2m: LanguageModel) -> None:
    with pytest.raises(BadInput, match="simulated_reading is no brain recording"):
        BrainAlignment(data="simulated_reading").run(fable_2m)


def test_responses_that_are_counts_are_scored_like_any_numbers(fable_2m: LanguageModel) -> None:
    data = recording().data
    counts = data.copy(data=np.random.default_rng(1).integers(0, 9, data.shape))
    first, second = (
        brain_alignment(fable_2m, Recording("mine", d)).arrays["r"] for d in (counts, counts.astype(float))
    )
    assert np.allclose(first, second)
