"""Ceiling: what each target could be predicted by at most, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from tuneshift.brain.ceilings import same_place
from tuneshift.brain.ceilings.no_place import extrapolated_by_others, predicted_by_others, shared_geometry
from tuneshift.brain.ceilings.places import Places, shared_places
from tuneshift.brain.mappings import GEOMETRIES, Mapping
from tuneshift.brain.partition import Partition
from tuneshift.brain.targets import never_varies
from tuneshift.errors import BadInput
from tuneshift.numerics.ridge import column_blocks

CeilingEstimate = Literal["leave_one_out", "split_half", "extrapolated"]

_MOST_GROUPS = 20  # of participants that are left out in turn
_PLACES = 2_048  # that are worked on at once

_WORDS = {
    "leave_one_out": "root of the reliability, from the correlation of a person with the mean of the others",
    "split_half": "root of the reliability, from random halves of the people (Spearman-Brown)",
    "extrapolated": "what ever more others would predict of a person (Brain-Score's curve)",
}
_ESTIMATES: dict[str, tuple[Callable[[Sequence[np.ndarray], int], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "leave_one_out": (lambda responses, seed: same_place.leave_one_out_r(responses), same_place.leave_one_out),
    "split_half": (same_place.split_half, lambda both: both[0]),
    "extrapolated": (same_place.extrapolated, lambda both: both[0]),
}
_FROM_ALL = (
    "what ridge regression from all targets of the others predicts of a person: at most the root of the reliability"
)


@dataclass(frozen=True)
class Ceiling:
    """`values` (v,); `without` (g, v) are those estimated without each group of participants, NaN for its own targets.

    Up to 20 participants are groups of one. `meaning` says in words what the number is. `shares` says whether scores
    may be divided by it.
    """

    values: np.ndarray
    without: np.ndarray
    meaning: str
    shares: bool = True

    @classmethod
    def unknown(cls, n_targets: int) -> Ceiling:
        """Return the ceiling of a recording in which nobody can be compared."""
        return cls(np.full(n_targets, np.nan), np.empty((0, n_targets)), "unknown")


def noise_ceiling(
    estimate: CeilingEstimate,
    data: xr.DataArray,
    cut: Partition,
    mapping: Mapping = "ridge",
    seed: int = 0,
    device: str = "cpu",
) -> Ceiling:
    """Return the ceiling of each target by one of the three estimates; NaN where it cannot be known.

    Computed on the test rows of each split, filtered and z-scored as the scores' are. A target that never varies says
    nothing about others and has no ceiling. Where targets do not correspond, only whose score is counted varies in
    `without`: to predict everybody anew without each participant in turn would take too long.

    Raises BadInput for one participant, for split halves of targets that do not correspond between participants, and
    for RSA or CKA with anything but leave-one-out.
    """
    name = cut.recording.name
    participants = data["participant"].values.astype(str)
    if len(set(participants.tolist())) < 2:
        raise BadInput(f"{name} has one participant, and a noise ceiling needs at least two; leave the ceiling out.")
    data = _without_constant(data)
    group = _groups(participants)
    if mapping in GEOMETRIES:
        if estimate != "leave_one_out":
            raise BadInput(f"the ceiling of {mapping} is the leave-one-out one; {estimate} is for ridge and linear.")
        values = shared_geometry(data, cut, mapping)
        return Ceiling(
            values, _own_left_out(values, group), "how alike the geometry of a person is to that of the others"
        )
    places = shared_places(data, cut.recording.space != "native")
    if places is not None:
        return _at_places(estimate, data, cut, places, group, seed)
    if estimate == "split_half":
        raise BadInput(
            f"{name}: split halves need targets that correspond between participants, and these are voxels without "
            "a place in a common space; use the leave-one-out or extrapolated ceiling."
        )
    if estimate == "leave_one_out":
        values = predicted_by_others(data, cut, device=device)
    else:
        values = extrapolated_by_others(data, cut, seed, device)
    return Ceiling(values, _own_left_out(values, group), _FROM_ALL)


def _at_places(
    estimate: CeilingEstimate, data: xr.DataArray, cut: Partition, places: Places, group: np.ndarray, seed: int
) -> Ceiling:
    """Estimate from everybody, and without each group in turn, a block of places in memory at a time."""
    compute, finish = _ESTIMATES[estimate]
    owner = np.array([group[row[row >= 0][0]] for row in places.column])
    kept = [np.ones(len(owner), dtype=bool), *(owner != number for number in range(int(group.max()) + 1))]
    # The leave-one-out estimate has two numbers a place, and finishes with a look at all of them; others have one.
    found = [np.full((2, *places.column.shape), np.nan) for _ in kept]
    for block in column_blocks(places.column.shape[1], _PLACES):
        here = Places(places.column[:, block])
        responses = [here.responses(data.values, cut, split.test) for split in cut.splits]
        for estimates, people in zip(found, kept, strict=True):
            if people.sum() >= 2:
                estimates[:, people, block] = compute([each[people] for each in responses], seed)
    values, *without = (places.by_target(finish(each), data.shape[1]) for each in found)
    return Ceiling(values, np.stack(without), _WORDS[estimate])


def _groups(participants: np.ndarray) -> np.ndarray:
    """Number (v,) of the group of participants that each target's owner belongs to."""
    _, number = np.unique(participants, return_inverse=True)
    return number % _MOST_GROUPS


def _own_left_out(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.stack([np.where(group == number, np.nan, values) for number in range(int(group.max()) + 1)])


def _without_constant(data: xr.DataArray) -> xr.DataArray:
    constant = never_varies(data.values)
    return data.copy(data=np.where(constant, np.nan, data.values)) if constant.any() else data
