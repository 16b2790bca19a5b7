"""A recording given from Python is brought into the house's order, or refused in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human import Recording, WordTrack, checked, load_data, repetition_time_of

TIMES = 2.0 * np.arange(20)


def recording(times: np.ndarray = TIMES, high_pass: float | None = 128.0) -> Recording:
    """Two runs of ten scans, two participants."""
    coords = {
        "time": ("stimulus", times),
        "passage": ("stimulus", ["one"] * 10 + ["two"] * 10),
        "participant": ("target", ["p1", "p1", "p2"]),
    }
    data = xr.DataArray(np.random.default_rng(0).normal(size=(20, 3)), dims=("stimulus", "target"), coords=coords)
    words = WordTrack(("Once", "upon"), np.array([0.1, 0.5]), np.array([0.4, 0.9]), ("one", "one"))
    return Recording("mine", data, words=words, high_pass=high_pass)


def test_order_names_and_repetition_time_are_filled_in() -> None:
    given = recording(np.r_[TIMES[:10], TIMES[10:] + 60])
    found = checked(replace(given, data=given.data.transpose("target", "stimulus")))
    assert found.data.dims == ("stimulus", "target")
    assert found.data["target_name"].values.tolist() == ["p1 1", "p1 2", "p2 1"]
    assert found.repetition_time == repetition_time_of(given) == 2.0
    np.testing.assert_array_equal(found.data.values, given.data.values)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (recording(np.r_[TIMES[:10], TIMES[:10]]), "restarts at row 11 .0 s., in passage 'two'; put runs one after"),
        (recording(TIMES[::-1]), "row 2 .* does not come after row 1"),
        (recording(1000 * TIMES), "times look like milliseconds"),
        (recording((TIMES * 1e9).astype("m8[ns]")), "`time` holds durations"),
        (recording((TIMES * 1e9).astype("M8[ns]")), "`time` holds dates"),
        (recording(np.cumsum(np.r_[0, np.tile([2, 2.5], 10)])[:20]), "does not go in equal steps"),
        (recording(high_pass=0.008), "it is the cut-off in seconds"),
        (replace(recording(), data=recording().data.drop_vars("participant")), "has no `participant`"),
        (replace(recording(), data=recording().data.drop_vars("time")), "has no `time`"),
        (replace(recording(), data=recording().data.rename(target="voxel")), r"must be \(stimulus, target\)"),
        (replace(recording(), data=recording().data[:0]), "holds no stimulus"),
        (
            replace(recording(), data=recording().data.assign_coords(target_name=("target", list("aab")))),
            "`target_name` must be unique",
        ),
        (replace(recording(), words=None, data=recording().data.drop_vars("time")), "neither a `text`"),
    ],
)
def test_each_fault_is_said_in_one_sentence(given: Recording, sentence: str) -> None:
    with pytest.raises(BadInput, match=f"mine: .*{sentence}") as caught:
        checked(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["simulated_brain", "alice2016"])
def test_data_sets_stay_as_they_are(real_data: object, name: str) -> None:
    known = load_data(name)
    assert isinstance(known, Recording)
    found = checked(known)
    xr.testing.assert_identical(found.data, known.data)
    assert found.repetition_time == known.repetition_time
