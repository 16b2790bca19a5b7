"""Three noise ceilings on recordings whose reliability is known: where each is right, and which way it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import curve_fit

from tuneshift.brain import brain_alignment
from tuneshift.brain.ceilings import Ceiling, CeilingEstimate, noise_ceiling
from tuneshift.brain.ceilings.places import shared_places
from tuneshift.brain.ceilings.same_place import reliability, saturation
from tuneshift.brain.mappings import Mapping
from tuneshift.brain.partition import partition
from tuneshift.brain.summary import Setting, ceiling_row, reliable, score_rows
from tuneshift.errors import BadInput
from tuneshift.human import Recording
from tuneshift.human.recordings.recording import Space
from tuneshift.human.simulated.simulation_brain import leave_one_out_ceiling
from tuneshift.models import LanguageModel

ESTIMATES: tuple[CeilingEstimate, ...] = ("leave_one_out", "split_half", "extrapolated")


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


def ceiling_of(
    data: xr.DataArray,
    estimate: CeilingEstimate = "leave_one_out",
    folds: int = 5,
    mapping: Mapping = "ridge",
    space: Space = "native",
) -> Ceiling:
    cut = partition(Recording("planted", data, space=space), "contiguous", folds)
    return noise_ceiling(estimate, data, cut, mapping)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_with_12_participants_and_1000_stimuli_every_estimate_is_within_005(
    estimate: CeilingEstimate, share: float
) -> None:
    assert ceiling_of(people(share), estimate).values.mean() == pytest.approx(np.sqrt(share), abs=0.05)


@pytest.mark.parametrize("n_participants", [2, 3, 6, 12])
@pytest.mark.parametrize("share", [0.1, 0.4])
def test_leave_one_out_and_split_halves_are_the_root_of_the_reliability_for_few_people_too(
    share: float, n_participants: int
) -> None:
    """The correlation with the others itself is lower: their mean is noisy."""
    data = people(share, n_participants=n_participants)
    for estimate in ("leave_one_out", "split_half"):
        assert ceiling_of(data, estimate).values.mean() == pytest.approx(np.sqrt(share), abs=0.05)
    assert leave_one_out_ceiling(np.array(share), n_participants) < np.sqrt(share)


@pytest.mark.parametrize(("n_participants", "share_seen"), [(10, 0.5), (10, 0.25), (20, 0.25), (5, 0.5)])
def test_people_who_missed_runs_do_not_lower_the_ceiling(n_participants: int, share_seen: float) -> None:
    """Who was there counts stimulus by stimulus: ten people with a quarter of the stimuli each had .39 for .63."""
    data = people(0.4, n_participants=n_participants, n_stimuli=1600)
    rng = np.random.default_rng(3)
    missed = rng.random((40, n_participants)) > share_seen  # in runs of 40 stimuli
    values = data.values.copy()
    values[np.repeat(np.repeat(missed, 40, axis=0), 4, axis=1)] = np.nan
    for estimate in ("leave_one_out", "split_half"):
        found = ceiling_of(data.copy(data=values), estimate)
        assert np.nanmean(found.values) == pytest.approx(np.sqrt(0.4), abs=0.03)


@pytest.mark.parametrize("others", [1, 3, 26])
def test_the_reliability_is_what_gives_the_correlation_with_the_mean_of_the_others(others: int) -> None:
    share = np.linspace(0.01, 0.99, 50)
    r = share / np.sqrt(share + (1 - share) / others)
    assert np.allclose(reliability(r, np.array(others)), share)
    assert np.allclose(reliability(-r, np.array(others)), -share)  # no reliability is 0 on average, not above


def test_who_has_the_largest_numbers_has_no_more_say_than_others() -> None:
    """Averaged without z-scores, one participant in other units was the mean of all."""
    data = people(0.5, n_participants=8)
    loud = data.copy()
    loud[:, data["participant"].values == "p0"] *= 1000
    for estimate in ESTIMATES:
        assert np.allclose(ceiling_of(loud, estimate).values, ceiling_of(data, estimate).values)


def test_a_participant_with_a_cleaner_recording_has_a_higher_ceiling() -> None:
    rng = np.random.default_rng(3)
    data = people(0.5, n_participants=8)
    clean = data["participant"].values == "p0"
    noisy = data.copy()
    noisy[:, ~clean] += rng.standard_normal(noisy[:, ~clean].shape)
    found = ceiling_of(noisy).values
    assert found[clean].mean() == pytest.approx(np.sqrt(0.5), abs=0.06)
    assert found[~clean].mean() == pytest.approx(np.sqrt(0.25), abs=0.05)


def test_extrapolation_is_low_as_its_curve_levels_off_sooner_than_the_truth() -> None:
    data = people(0.3, n_participants=8)
    counts = np.arange(2.0, 8.0)
    truth = 0.3 / np.sqrt(0.3 + 0.7 / counts)
    expected = saturation(counts, truth[:, None])[0]
    assert ceiling_of(data, "extrapolated").values.mean() == pytest.approx(expected, abs=0.02)
    assert expected < np.sqrt(0.3) - 0.05


def test_a_region_that_few_participants_have_is_extrapolated_from_those_few() -> None:
    """Draws of participants without the region once counted as r = 0, and bent the curve."""
    data = people(0.7, n_participants=8, n_places=2)
    few = np.isin(data["participant"].values, ["p0", "p1", "p2"])
    sparse = data[:, few | (data["region"].values == "r0")]
    rare = sparse["region"].values == "r1"
    alone = ceiling_of(data[:, few & (data["region"].values == "r1")], "extrapolated").values
    assert ceiling_of(sparse, "extrapolated").values[rare].mean() == pytest.approx(alone.mean(), abs=0.02)


def test_the_curve_that_levels_off_is_scipys_least_squares_fit() -> None:
    rng = np.random.default_rng(0)
    counts = np.arange(1.0, 12.0)
    scores = 0.6 * (1 - np.exp(-counts[:, None] / rng.uniform(0.5, 5, 20))) + 0.02 * rng.standard_normal((11, 20))
    ours = saturation(counts, scores)
    for column in range(20):
        fit, _ = curve_fit(lambda k, v0, tau: v0 * (1 - np.exp(-k / tau)), counts, scores[:, column],
                           p0=[0.5, 1.0], bounds=([0, 1e-3], [1, 1e3]))  # fmt: skip
        assert ours[column] == pytest.approx(fit[0], abs=5e-3)


def voxels(share: float = 0.5, shuffled: bool = False) -> xr.DataArray:
    """Thirty voxels a participant, the same in everybody unless each brain numbers its own in an order of its own."""
    data = people(share, n_participants=5, n_stimuli=300, n_places=30)
    number = np.tile(np.arange(30), 5)
    if shuffled:
        rng = np.random.default_rng(0)
        order = np.concatenate([30 * person + rng.permutation(30) for person in range(5)])
        data = data[:, order]
    return data.assign_coords(region=("target", [""] * 150), voxel=("target", number))


def test_voxels_are_matched_between_people_in_a_common_space_only() -> None:
    """Native voxel 12 of one brain has nothing to do with voxel 12 of another: matched, they hide the ceiling."""
    assert ceiling_of(voxels(), space="shared").values.mean() == pytest.approx(np.sqrt(0.5), abs=0.05)
    native = ceiling_of(voxels(shuffled=True))
    assert ceiling_of(voxels(shuffled=True), space="shared").values.mean() < 0.2  # what matching by number gave
    assert native.values.mean() > 0.5
    assert "at most the root of the reliability" in native.meaning
    with pytest.raises(BadInput, match="place in a common space"):
        ceiling_of(voxels(), "split_half")


def test_places_in_mni_space_are_matched_whatever_the_order_and_number_of_voxels() -> None:
    data = voxels()
    at = np.tile(np.arange(30) * 2.0, 5)
    places = {f"mni_{axis}": ("target", at if axis == "x" else np.zeros(150)) for axis in "xyz"}
    mixed = data.assign_coords(places)[:, np.random.default_rng(1).permutation(150)[:140]]
    assert ceiling_of(mixed).values.mean() == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_grids_that_do_not_meet_are_no_guide_to_places() -> None:
    data = voxels()
    at = np.arange(150) * 2.0  # everybody's voxels lie beside everybody else's
    places = {f"mni_{axis}": ("target", at if axis == "x" else np.zeros(150)) for axis in "xyz"}
    assert shared_places(data.assign_coords(places), common=True) is None


def test_voxels_without_correspondence_are_predicted_from_all_of_the_others(simulated: Recording) -> None:
    data = simulated.data.drop_vars("voxel")
    few = data[:, np.isin(data["participant"].values, ["p01", "p02", "p03"])]
    cut = partition(Recording("mine", few), "grouped", 3)
    found = noise_ceiling("extrapolated", few, cut).values
    three = noise_ceiling("leave_one_out", few, cut).values
    assert np.corrcoef(found, three)[0, 1] > 0.7
    with pytest.raises(BadInput, match="correspond between participants"):
        noise_ceiling("split_half", few, cut)


def test_where_nothing_is_common_the_ceiling_is_0_on_average_and_known_not_to_be_more() -> None:
    found: dict[str, list[float]] = {estimate: [] for estimate in ESTIMATES}
    claimed = 0
    for seed in range(30):
        data = people(0.0, n_participants=6, n_stimuli=200, seed=seed)
        for estimate in ESTIMATES:
            ceiling = ceiling_of(data, estimate)
            found[estimate].append(float(np.nanmean(ceiling.values)))
            claimed += reliable(data, ceiling)
    for values in found.values():
        assert abs(np.mean(values)) < 2.5 * np.std(values, ddof=1) / np.sqrt(len(values))
    assert claimed <= 9  # of 90; one side of a 95% interval


def test_the_share_of_the_ceiling_and_its_interval_hold_the_truth() -> None:
    """Score and ceiling are both estimated, from the same people: the interval of their ratio counts both."""
    truth, held, width = 0.5, 0, []
    for seed in range(40):
        data = people(0.3, n_participants=8, n_stimuli=400, n_places=2, seed=seed)
        rng = np.random.default_rng(1000 + seed)
        ceiling = ceiling_of(data)
        quality = np.repeat(rng.normal(1.0, 0.2, 8), 2)  # people differ in how well they are predicted
        scores = truth * np.sqrt(0.3) * quality + rng.normal(0, 0.02, 16)
        rows = score_rows(Setting("d", "s", "m"), data, scores[None], ceiling)
        (share,) = [r for r in rows if r["metric"] == "r_normalised" and r["participant"] == r["target"] == "mean"]
        held += share["ci_low"] <= truth <= share["ci_high"]
        width.append(share["ci_high"] - share["ci_low"])
    assert held >= 34
    assert np.mean(width) < 0.35


def test_the_ceiling_has_a_row_of_its_own_with_an_interval() -> None:
    data = people(0.4, n_participants=6)
    row = ceiling_row(Setting("d", "s", "m"), data, ceiling_of(data))
    assert row["metric"] == "ceiling"
    assert row["ci_low"] < np.sqrt(0.4) < row["ci_high"]
    assert row["n"] == 6


def test_one_participant_asked_for_a_ceiling(fable_2m: LanguageModel) -> None:
    recording = Recording("alone", people(0.5, n_participants=1, n_stimuli=40))
    with pytest.raises(BadInput, match="alone has one participant, and a noise ceiling needs at least two"):
        brain_alignment(fable_2m, recording, split="contiguous", ceiling="leave_one_out")


def test_the_ceiling_of_a_geometry_is_how_alike_people_are() -> None:
    few = [people(share, n_participants=4, n_places=8, n_stimuli=100) for share in (0.0, 0.4, 0.9)]
    alike = [ceiling_of(data, folds=2, mapping="rsa").values.mean() for data in few]
    assert abs(alike[0]) < 0.05
    assert alike[0] < alike[1] < alike[2]
    with pytest.raises(BadInput, match="leave-one-out"):
        ceiling_of(few[0], "split_half", folds=2, mapping="rsa")
