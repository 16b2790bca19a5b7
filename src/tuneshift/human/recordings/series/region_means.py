"""Scans averaged over the voxels of each region of an atlas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.missing import LEAST_SHARE, region_mean
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.stated_time import StatedTime
from tuneshift.human.text.problems import some


@dataclass(frozen=True)
class RegionMeans:
    """`values` (scans, regions), `regions` and `n_voxels` (regions,); `notes` say which voxels count for nothing."""

    values: np.ndarray
    regions: np.ndarray
    n_voxels: np.ndarray
    notes: tuple[str, ...]


def scans_of_regions(
    values: np.ndarray,
    labels: np.ndarray,
    names: dict[int, str],
    atlas: Path,
    stated: StatedTime | None,
    notes: tuple[str, ...],
) -> Scans:
    """Return scans (n, v) averaged over the regions (errors as `region_means`), with what is said of file and atlas."""
    found = region_means(values, labels, names, atlas)
    told = (*notes, *found.notes)
    return Scans(found.values, found.regions, {"n_voxels": found.n_voxels}, stated, notes=told)


def region_means(values: np.ndarray, labels: np.ndarray, names: dict[int, str], atlas: Path) -> RegionMeans:
    """Average the voxels (scans, voxels) of each label over those that are finite in each scan.

    A voxel counts where it is finite in at least half of the scans that hold any number; the others are counted, and
    regions without any named. Raises BadInput where no label lies on the scans.
    """
    numbers = [number for number in np.unique(labels).tolist() if number > 0]
    if not numbers:
        raise BadInput(f"atlas {atlas} has no label above 0 where the scans are.")
    under = labels > 0
    known = np.isfinite(values)
    recorded = known[:, under].any(axis=1)
    count = known.sum(axis=0)
    enough = under & (count >= max(1.0, LEAST_SHARE * recorded.sum()))
    if not recorded.any():
        nothing = (f"none of the {int(under.sum())} voxels under {atlas.name} holds a number in any scan",)
        empty = np.full((len(values), len(numbers)), np.nan)
        return RegionMeans(empty, _names(numbers, names), np.zeros(len(numbers), dtype=int), nothing)
    means = np.full((len(values), len(numbers)), np.nan)
    regions = _names(numbers, names)
    size = np.zeros(len(numbers), dtype=int)
    notes: tuple[str, ...] = ()
    for column, number in enumerate(numbers):
        mine = enough & (labels == number)
        size[column] = int(mine.sum())
        if size[column]:
            means[:, column] = region_mean(values[:, mine], known[:, mine])
            continue
        whole = labels == number
        why = "is finite" if not count[whole].any() else "is finite in half of the scans"
        notes += (f"region {str(regions[column])!r} was left out: none of its {int(whole.sum())} voxels {why}",)
    told = (*notes, *_about_names(numbers, names, atlas))
    return RegionMeans(means, regions, size, (*told, *_about_voxels(values, known, under, enough, recorded, atlas)))


def _names(numbers: list[int], names: dict[int, str]) -> np.ndarray:
    return np.array([names.get(number, f"region {number}") for number in numbers])


def _about_names(numbers: list[int], names: dict[int, str], atlas: Path) -> list[str]:
    """Regions that have a name and no voxel; numbers of an atlas without a name among others that have one."""
    told = []
    empty = [f"{name!r} ({number})" for number, name in names.items() if number > 0 and number not in set(numbers)]
    if empty:
        told.append(f"{len(empty)} of {len(names)} names have no voxel in {atlas.name}: {some(empty)}")
    nameless = [number for number in numbers if number not in names]
    if names and nameless:
        told.append(f"{len(nameless)} of {len(numbers)} regions of {atlas.name} have no name: {some(nameless)}")
    return told


def _about_voxels(
    values: np.ndarray, known: np.ndarray, under: np.ndarray, enough: np.ndarray, recorded: np.ndarray, atlas: Path
) -> list[str]:
    told = []
    n_infinite = int(np.isinf(values[:, under]).sum())
    if n_infinite:
        told.append(f"{n_infinite} values under {atlas.name} are infinite and count as missing")
    lost = int((under & ~enough).sum())
    if lost:
        told.append(
            f"{lost} of {int(under.sum())} voxels under {atlas.name} are finite in fewer than half of the scans and "
            "count in no region's mean"
        )
    gaps = int((~known[np.ix_(recorded, enough)]).any(axis=0).sum())
    if gaps:
        told.append(
            f"{gaps} of {int(under.sum())} voxels under {atlas.name} are missing in some scans, where the others of "
            "their region make up its mean"
        )
    return told
