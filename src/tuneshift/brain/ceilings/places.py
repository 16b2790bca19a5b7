"""Which targets of different people are the same place, and their responses side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tuneshift.brain.partition import Part, Partition

_MILLIMETRES = 1  # decimals by which places in MNI space are told apart


@dataclass(frozen=True)
class Places:
    """`column` (S, P) is the target of participant s at place p, -1 where the participant has none there."""

    column: np.ndarray

    def responses(self, values: np.ndarray, cut: Partition, part: Part) -> np.ndarray:
        """Return responses (S, n, P) at the rows of a part, cleaned and z-scored by participant; NaN where missing.

        Without z-scores, whoever has the largest numbers would be the mean of the others.
        """
        out = np.full((len(self.column), len(part.rows), self.column.shape[1]), np.nan)
        for person, columns in enumerate(self.column):
            there = columns >= 0
            mine = cut.cleaned(values[:, columns[there]], part)
            mean, spread = _moments(mine)
            out[person][:, there] = (mine - mean) / np.where(spread > 0, spread, np.nan)
        return out

    def by_target(self, by_place: np.ndarray, n_targets: int) -> np.ndarray:
        """Return values (S, P) of places as those of targets (v,)."""
        out = np.full(n_targets, np.nan)
        there = self.column >= 0
        out[self.column[there]] = by_place[there]
        return out


def shared_places(data: xr.DataArray, common: bool) -> Places | None:
    """Return the places that targets share between participants; None where nobody can say.

    The region, where every participant has one target a region; else region and place in MNI space (`mni_x`, `mni_y`,
    `mni_z`, in mm); else region and the number `voxel`, where the recording is in a `common` space: voxel 12 of one
    native brain has nothing to do with voxel 12 of another. Where more than half of all targets are alone at their
    place, as on grids of different spacing, places are no guide.
    """
    participants = data["participant"].values.astype(str)
    regions = data["region"].values.astype(str)
    if len(set(zip(participants, regions, strict=True))) == len(regions):
        return _table(participants, list(regions))
    if all(f"mni_{axis}" in data.coords for axis in "xyz"):
        at = np.column_stack([np.round(data[f"mni_{axis}"].values, _MILLIMETRES) + 0.0 for axis in "xyz"])
        keys = [f"{region}\n{x} {y} {z}" for region, (x, y, z) in zip(regions, at, strict=True)]
    elif common and "voxel" in data.coords:
        keys = [f"{region}\n{voxel}" for region, voxel in zip(regions, data["voxel"].values, strict=True)]
    else:
        return None
    if len(set(zip(participants, keys, strict=True))) < len(keys):
        return None
    found = _table(participants, keys)
    shared = (found.column >= 0).sum(axis=0)
    return found if shared[shared >= 2].sum() * 2 >= len(keys) else None


def _table(participants: np.ndarray, keys: list[str]) -> Places:
    people, who = np.unique(participants, return_inverse=True)
    names, where = np.unique(np.array(keys), return_inverse=True)
    column = np.full((len(people), len(names)), -1)
    column[who, where] = np.arange(len(keys))
    return Places(column)


def _moments(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0).sum(axis=0) / count
    return mean, np.sqrt(np.square(np.where(known, columns - mean, 0)).sum(axis=0) / count)


def columnwise_r(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson r (P,) of two (n, P) arrays over the rows that both have; NaN for fewer than three, constants."""
    known = np.isfinite(a) & np.isfinite(b)
    count = np.maximum(known.sum(axis=0), 1)
    a, b = (np.where(known, side, 0.0) for side in (a, b))
    a, b = (np.where(known, side - side.sum(axis=0) / count, 0.0) for side in (a, b))
    size = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    return np.where((count > 2) & (size > 1e-12), (a * b).sum(axis=0) / np.where(size > 0, size, 1), np.nan)


def mean_of(responses: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the mean (n, P) over the participants `chosen` (S, P) of responses (S, n, P) that exist; else NaN."""
    known = np.isfinite(responses) & chosen[:, None, :]
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, responses, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
