"""Scans in NIfTI images: voxels with their places, under a mask or averaged over the regions of an atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.labels import inside_of, regions_of
from tuneshift.human.recordings.series.missing import varies
from tuneshift.human.recordings.series.nibabel_files import is_cifti, load_volume
from tuneshift.human.recordings.series.region_means import scans_of_regions
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.stated_time import StatedTime

_MILLIMETRES = {"meter": 1e3, "micron": 1e-3}


def read_volumes(path: Path, mask: Path | None, atlas: Path | None, names: dict[int, str]) -> Scans:
    """Read an image (x, y, z, time); without mask and atlas, voxels that never vary are left out and counted.

    Raises BadInput where the file is damaged, no series of scans, or lies elsewhere than mask or atlas.
    """
    image, values = load_volume(path)
    if is_cifti(image):
        raise BadInput(
            f"{path} is a CIFTI file: call it .dtseries.nii or .ptseries.nii, so that it is read with its structures."
        )
    values = _without_single(values, 4)
    if values.ndim != 4:
        raise BadInput(f"{path}: an image of scans has 4 dimensions (x, y, z, time), not {values.ndim}.")
    if 0 in values.shape:
        raise BadInput(f"{path}: the image is empty {values.shape}.")
    affine, notes = _affine(path, image)
    shape = values.shape[:3]
    grid = values.reshape(-1, values.shape[3]).T
    inside = np.ones(grid.shape[1], dtype=bool)
    if mask is not None:
        inside, more = inside_of(_labels(mask, path, shape, affine), mask)
        notes += more
    stated = _stated(image)
    if atlas is not None:
        labels, more = regions_of(_labels(atlas, path, shape, affine), atlas)
        return scans_of_regions(grid, labels * inside, names, atlas, stated, notes + more)
    lost = 0
    if mask is None:
        inside = varies(grid)
        lost = int((~inside).sum())
    along = {"voxel": np.flatnonzero(inside)}
    if image.header["qform_code"] or image.header["sform_code"]:
        index = np.column_stack(np.unravel_index(np.flatnonzero(inside), shape))
        place = index @ affine[:3, :3].T + affine[:3, 3]
        along |= {f"{axis}_mm": place[:, i] for i, axis in enumerate("xyz")}
    else:
        notes += ("the header says no place of the voxels (qform and sform code 0), so they have no coordinates",)
    where = f"{shape} voxels at {np.array2string(affine, precision=2, suppress_small=True)}"
    return Scans(grid[:, inside].astype(np.float64), None, along, stated, lost, notes, " ".join(where.split()))


def _affine(path: Path, image: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the affine (4, 4) to millimetres, and what is to be said of its unit."""
    affine = np.array(image.affine, dtype=float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise BadInput(f"{path}: the affine of its header places no voxels; it is damaged, or was never written.")
    unit = _units(image)[0]
    if unit not in _MILLIMETRES:
        return affine, ()
    affine[:3] *= _MILLIMETRES[unit]
    return affine, (f"the header gives places in {unit}; they were turned into millimetres",)


def _stated(image: Any) -> StatedTime | None:
    zooms = image.header.get_zooms()
    return None if len(zooms) < 4 else StatedTime(float(zooms[3]), _units(image)[1])


def _units(image: Any) -> tuple[str, str]:
    """Return the units of places and times; codes that the standard does not know are as good as none."""
    try:
        space, time = image.header.get_xyzt_units()
    except KeyError:
        return "unknown", "unknown"
    return str(space), str(time)


def _labels(labels: Path, path: Path, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    held, values = load_volume(labels)
    if is_cifti(held):
        raise BadInput(f"{labels} is a CIFTI file, {path} an image of voxels; give a mask or atlas of the same kind.")
    values = _without_single(values, 3)
    if values.shape != shape:
        raise BadInput(f"{labels} has {values.shape} voxels, {path} {shape}; resample it to the scans first.")
    if not np.allclose(_affine(labels, held)[0], affine, atol=1e-3):
        raise BadInput(f"{labels} lies elsewhere than {path} (their affines differ); resample it to the scans first.")
    return values.ravel()


def _without_single(values: np.ndarray, n_dimensions: int) -> np.ndarray:
    """FSL and AFNI write further dimensions of length 1."""
    while values.ndim > n_dimensions and values.shape[-1] == 1:
        values = values[..., 0]
    return values
