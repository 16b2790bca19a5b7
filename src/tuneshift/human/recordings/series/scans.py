"""Files of scans: NIfTI, GIFTI, CIFTI, npz, npy, HDF5 and tables, each as numbers (scans, targets)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import plain_name
from tuneshift.human.recordings.series.arrays import read_hdf5, read_numpy
from tuneshift.human.recordings.series.grayordinates import read_grayordinates
from tuneshift.human.recordings.series.numeric_table import read_numeric_table
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.surfaces import read_surface
from tuneshift.human.recordings.series.volumes import read_volumes

CIFTI = (".dtseries.nii", ".ptseries.nii")
OTHER_CIFTI = (".dscalar.nii", ".dlabel.nii", ".dconn.nii", ".pconn.nii", ".pscalar.nii", ".plabel.nii")
IMAGES = (".nii",)
SURFACES = (".gii",)
ARRAYS = (".npz", ".npy")
HDF5 = (".hf5", ".h5", ".hdf5")
TABLES = (".csv", ".tsv", ".txt")


def read_scans(
    path: Path,
    array: str | None = None,
    mask: Path | None = None,
    atlas: Path | None = None,
    names: dict[int, str] | None = None,
) -> Scans:
    """Read one file of scans; voxels outside `mask` are left out, and those of one label of `atlas` are averaged.

    Suffixes count in any case, with `.gz` behind them or not. Raises BadInput where the file is damaged, of an unknown
    kind, or does not fit mask or atlas.
    """
    kind = plain_name(path)
    if kind.endswith((*CIFTI, *OTHER_CIFTI)):
        return read_grayordinates(path, mask, atlas, names or {})
    if kind.endswith(IMAGES):
        return read_volumes(path, mask, atlas, names or {})
    if kind.endswith(SURFACES):
        return read_surface(path, mask, atlas, names or {})
    if mask is not None or atlas is not None:
        raise BadInput(f"{path}: mask and atlas go with NIfTI and GIFTI files only; leave them out for {path.suffix}.")
    if kind.endswith(ARRAYS):
        return Scans(read_numpy(path, array))
    if kind.endswith(HDF5):
        return Scans(read_hdf5(path, array))
    if kind.endswith(TABLES):
        table = read_numeric_table(path)
        return Scans(table.values, None if table.header is None else np.array(table.header), notes=table.said)
    raise BadInput(
        f"{path}: scans must be {', '.join((*CIFTI, *IMAGES, *SURFACES, *ARRAYS, *HDF5, *TABLES))}, or one of them "
        "with .gz behind it."
    )
