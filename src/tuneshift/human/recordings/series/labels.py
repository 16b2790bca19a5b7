"""Numbers of masks and atlases: which voxels are inside, and which region each belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput

_LARGEST = 2**31


def inside_of(values: np.ndarray, mask: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which voxels (v,) are inside a mask, and what is to be said of it; NaN is outside, and counted.

    Raises BadInput for fractions, negative values, and a mask that is zero everywhere.
    """
    labels, notes = _whole_numbers(values, mask)
    if (labels < 0).any():
        raise BadInput(f"mask {mask} has negative values; voxels to keep must be 1, all others 0.")
    if not labels.any():
        raise BadInput(f"mask {mask} is zero everywhere.")
    return labels > 0, notes


def regions_of(values: np.ndarray, atlas: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the region's number of each voxel (v,), 0 outside, and what is to be said of the atlas.

    Values that are not finite, and negative ones, are outside and counted. Raises BadInput for fractions.
    """
    labels, notes = _whole_numbers(values, atlas)
    n_negative = int((labels < 0).sum())
    if n_negative:
        notes += (f"{n_negative} voxels of {atlas.name} have negative numbers and were taken as outside",)
    return np.maximum(labels, 0), notes


def _whole_numbers(values: np.ndarray, file: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels of a mask or atlas; a value that is not finite is no label, 0, and counted.

    Raises BadInput for fractions: probabilities need a threshold, and interpolated labels are others' labels.
    """
    finite = np.isfinite(values)
    filled = np.where(finite, values, 0)
    labels = np.clip(np.round(filled), -_LARGEST, _LARGEST).astype(int)
    off = np.flatnonzero(np.abs(filled - labels) > 1e-3)
    if len(off):
        raise BadInput(
            f"{file} holds {values[off[0]]:g} ({len(off)} such): a mask or atlas holds whole numbers; put a threshold "
            "on probabilities, and resample labels by nearest neighbour."
        )
    lost = int((~finite).sum())
    return labels, (f"{lost} voxels of {file.name} hold no finite number and were taken as outside",) if lost else ()
