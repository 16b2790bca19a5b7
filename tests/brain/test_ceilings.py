"""Three noise ceilings on recordings whose ceiling is known: where each is right, and which way it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit

from tuneshift.brain import brain_alignment
from tuneshift.brain.ceiling_estimates import extrapolated, noise_ceiling, saturation, split_half
from tuneshift.brain.ceilings import leave_one_out
from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.human.simulation_brain import leave_one_out_ceiling
from tuneshift.models import LanguageModel
from tuneshift.numerics.splits import contiguous


def people(
    share: float, n_participants: int = 12, n_stimuli: int = 1000, n_places: int = 4, seed: int = 0
) -> xr.DataArray:
    """Regions of interest of which `share` of the variance is common: the best possible r is its root."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_stimuli, 1, n_places))
    own = rng.standard_normal((n_stimuli, n_participants, n_places))
    values = (np.sqrt(share) * common + np.sqrt(1 - share) * own).reshape(n_stimuli, -1)
    names = [f"p{i}" for i in range(n_participants) for _ in range(n_places)]
    regions = [f"r{i}" for _ in range(n_participants) for i in range(n_places)]
    coords = {
        "participant": ("target", names),
        "region": ("target", regions),
        "target_name": ("target", [f"{a} {b}" for a, b in zip(names, regions, strict=True)]),
        "text": ("stimulus", [f"Sentence {i}." for i in range(n_stimuli)]),
    }
    return xr.DataArray(values, dims=("stimulus", "target"), coords=coords)


FOLDS = contiguous(1000, 5)


@pytest.mark.parametrize("estimate", ["leave_one_out", "split_half", "extrapolated"])
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_with_12_participants_and_1000_stimuli_every_estimate_is_within_005(estimate: str, share: float) -> None:
    found = noise_ceiling(estimate, people(share), FOLDS, "planted")  # type: ignore[arg-type]
    assert found.mean() == pytest.approx(np.sqrt(share), abs=0.05)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_leave_one_out_is_low_by_what_theory_says_and_split_halves_are_not(share: float) -> None:
    data = people(share, n_participants=6)
    expected = leave_one_out_ceiling(np.array(share), 6)
    assert leave_one_out(data, FOLDS).mean() == pytest.approx(expected, abs=0.02)
    assert expected < np.sqrt(share)
    assert split_half(data, FOLDS, "planted").mean() == pytest.approx(np.sqrt(share), abs=0.03)


def test_extrapolation_is_low_as_its_curve_levels_off_sooner_than_the_truth() -> None:
    data = people(0.3, n_participants=8)
    counts = np.arange(2.0, 8.0)
    truth = 0.3 / np.sqrt(0.3 + 0.7 / counts)
    expected = saturation(counts, truth[:, None])[0]
    assert extrapolated(data, FOLDS).mean() == pytest.approx(expected, abs=0.02)
    assert expected < np.sqrt(0.3) - 0.05


def test_a_region_that_few_participants_have_is_extrapolated_from_those_few() -> None:
    """Draws of participants without the region once counted as r = 0, and bent the curve."""
    data = people(0.7, n_participants=8, n_places=2)
    few = np.isin(data["participant"].values, ["p0", "p1", "p2"])
    sparse = data[:, few | (data["region"].values == "r0")]
    rare = sparse["region"].values == "r1"
    alone = extrapolated(data[:, few & (data["region"].values == "r1")], FOLDS)
    assert extrapolated(sparse, FOLDS)[rare].mean() == pytest.approx(alone.mean(), abs=0.02)


def test_the_curve_that_levels_off_is_scipys_least_squares_fit() -> None:
    rng = np.random.default_rng(0)
    counts = np.arange(1.0, 12.0)
    scores = 0.6 * (1 - np.exp(-counts[:, None] / rng.uniform(0.5, 5, 20))) + 0.02 * rng.standard_normal((11, 20))
    ours = saturation(counts, scores)
    for column in range(20):
        fit, _ = curve_fit(lambda k, v0, tau: v0 * (1 - np.exp(-k / tau)), counts, scores[:, column],
                           p0=[0.5, 1.0], bounds=([0, 1e-3], [1, 1e3]))  # fmt: skip
        assert ours[column] == pytest.approx(fit[0], abs=5e-3)


def test_voxels_without_correspondence_are_predicted_from_all_of_the_others(simulated: Recording) -> None:
    data = simulated.data.drop_vars("voxel")
    few = data[:, np.isin(data["participant"].values, ["p01", "p02", "p03"])]
    folds = contiguous(len(few), 3)
    found = extrapolated(few, folds, n_draws=1)
    three = leave_one_out(few, folds)
    assert np.corrcoef(found, three)[0, 1] > 0.7
    with pytest.raises(BadInput, match="correspond between participants"):
        split_half(few, folds, "mine")


def test_where_nothing_is_common_no_estimate_finds_a_ceiling() -> None:
    data = people(0.0)
    assert abs(leave_one_out(data, FOLDS).mean()) < 0.03
    assert extrapolated(data, FOLDS).mean() < 0.05
    assert split_half(data, FOLDS, "planted").mean() < 0.1


def test_one_participant_asked_for_a_ceiling(fable_2m: LanguageModel) -> None:
    recording = Recording("alone", people(0.5, n_participants=1, n_stimuli=40))
    with pytest.raises(BadInput, match="alone has one participant, and a noise ceiling needs at least two"):
        brain_alignment(fable_2m, recording, split="contiguous", ceiling="leave_one_out")


def test_the_ceiling_of_a_geometry_is_how_alike_people_are() -> None:
    few = [people(share, n_participants=4, n_places=8, n_stimuli=100) for share in (0.0, 0.4, 0.9)]
    alike = [leave_one_out(data, contiguous(100, 2), "rsa").mean() for data in few]
    assert abs(alike[0]) < 0.05
    assert alike[0] < alike[1] < alike[2]
    with pytest.raises(BadInput, match="leave-one-out"):
        noise_ceiling("split_half", few[0], contiguous(100, 2), "mine", mapping="rsa")
