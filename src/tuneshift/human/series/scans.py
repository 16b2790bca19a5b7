"""Files of scans: NIfTI, GIFTI, npz, npy, HDF5 and tables, each as numbers (scans, targets)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tuneshift.errors import BadInput, MissingExtra
from tuneshift.human.problems import some
from tuneshift.human.series.missing import varies
from tuneshift.human.series.numeric_table import read_numeric_table
from tuneshift.human.series.region_means import region_means

IMAGES = (".nii", ".nii.gz")
SURFACES = (".gii",)
ARRAYS = (".npz", ".npy")
HDF5 = (".hf5", ".h5", ".hdf5")
TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Scans:
    """`values` (scans, targets); `regions` (targets,) or None; `along` holds further coordinates along targets.

    `repetition_time` in seconds where the file says it; `notes` say what of the file was left out.
    """

    values: np.ndarray
    regions: np.ndarray | None = None
    along: dict[str, np.ndarray] = field(default_factory=dict)
    repetition_time: float | None = None
    n_constant: int = 0
    notes: tuple[str, ...] = ()


def read_scans(
    path: Path,
    array: str | None = None,
    mask: Path | None = None,
    atlas: Path | None = None,
    names: dict[int, str] | None = None,
) -> Scans:
    """Read one file of scans; voxels outside `mask` are left out, and those of one label of `atlas` are averaged.

    Raises BadInput where the file is damaged, of an unknown kind, or does not fit mask or atlas.
    """
    kind = path.name.lower()
    if kind.endswith(IMAGES):
        return _image(path, mask, atlas, names or {})
    if kind.endswith(SURFACES):
        return _surface(path, mask, atlas, names or {})
    if mask is not None or atlas is not None:
        raise BadInput(f"{path}: mask and atlas go with NIfTI and GIFTI files only; leave them out for {path.suffix}.")
    if kind.endswith(ARRAYS):
        return Scans(_two_dimensions(path, _numpy_array(path, array)))
    if kind.endswith(HDF5):
        return Scans(_two_dimensions(path, _hdf5_array(path, array)))
    if kind.endswith(TABLES):
        values, header = read_numeric_table(path)
        return Scans(values, None if header is None else np.array(header))
    raise BadInput(f"{path}: scans must be {', '.join((*IMAGES, *SURFACES, *ARRAYS, *HDF5, *TABLES))}.")


def _two_dimensions(path: Path, values: np.ndarray) -> np.ndarray:
    if values.ndim != 2 or values.dtype.kind not in "fiu" or 0 in values.shape:
        raise BadInput(f"{path}: scans must be numbers (scans, targets), not {values.dtype} {values.shape}.")
    return values.astype(np.float64)


def _numpy_array(path: Path, name: str | None) -> np.ndarray:
    try:
        held = np.load(path, allow_pickle=False)
        if isinstance(held, np.ndarray):
            return held
        with held:
            return np.asarray(held[_one(path, list(held.files), name)])
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read as a numpy file of plain numbers ({error}).") from error


def _hdf5_array(path: Path, name: str | None) -> np.ndarray:
    import h5py

    try:
        with h5py.File(path, "r") as held:
            keys = [key for key in held if isinstance(held[key], h5py.Dataset)]
            return np.asarray(held[_one(path, keys, name)])
    except (OSError, KeyError) as error:
        raise BadInput(f"{path} cannot be read as HDF5 ({error}).") from error


def _one(path: Path, keys: list[str], name: str | None) -> str:
    if name is None and len(keys) == 1:
        return keys[0]
    if name is None or name not in keys:
        wanted = "several arrays" if name is None else f"no array {name!r}"
        raise BadInput(f"{path} holds {wanted}: name one of {some(keys, 8) or 'none'} in the recipe's `array`.")
    return name


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtra("nibabel", "surface") from error
    return nibabel


def _load(path: Path) -> Any:
    nibabel = _nibabel()
    try:
        return nibabel.load(path)
    except Exception as error:  # nibabel raises its own errors, zlib's, and those of XML parsers
        raise BadInput(f"{path} cannot be read as an image ({type(error).__name__}: {error}).") from error


def _numbers(path: Path, image: Any) -> np.ndarray:
    try:
        return np.asanyarray(image.dataobj, dtype=np.float32)
    except Exception as error:  # a cut-off file: EOFError, OSError, zlib.error
        raise BadInput(f"{path} is cut off or damaged ({type(error).__name__}: {error}).") from error


def _image(path: Path, mask: Path | None, atlas: Path | None, names: dict[int, str]) -> Scans:
    image = _load(path)
    values = _numbers(path, image)
    if values.ndim != 4:
        raise BadInput(f"{path}: an image of scans has 4 dimensions (x, y, z, time), not {values.ndim}.")
    grid = values.reshape(-1, values.shape[3]).T
    repetition_time = _seconds(image)
    inside = np.ones(grid.shape[1], dtype=bool)
    notes: tuple[str, ...] = ()
    if mask is not None:
        inside, notes = _inside(_labels(mask, path, image), mask)
    if atlas is not None:
        labels, more = _whole_numbers(_labels(atlas, path, image), atlas)
        return _of_regions(grid, labels * inside, names, atlas, repetition_time, notes + more)
    lost = 0
    if mask is None:
        inside = varies(grid)
        lost = int((~inside).sum())
    index = np.column_stack(np.unravel_index(np.flatnonzero(inside), values.shape[:3]))
    place = index @ image.affine[:3, :3].T + image.affine[:3, 3]
    along = {f"{axis}_mm": place[:, i] for i, axis in enumerate("xyz")}
    along["voxel"] = np.flatnonzero(inside)
    return Scans(grid[:, inside].astype(np.float64), None, along, repetition_time, lost, notes)


def _labels(labels: Path, path: Path, image: Any) -> np.ndarray:
    held = _load(labels)
    values = _numbers(labels, held)
    if values.shape != image.shape[:3]:
        raise BadInput(f"{labels} has {values.shape} voxels, {path} {image.shape[:3]}; resample it to the scans first.")
    if not np.allclose(held.affine, image.affine, atol=1e-3):
        raise BadInput(f"{labels} lies elsewhere than {path} (their affines differ); resample it to the scans first.")
    return values.ravel()


def _inside(values: np.ndarray, mask: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which voxels are inside a mask; NaN is outside, and counted."""
    labels, notes = _whole_numbers(values, mask)
    if (labels < 0).any():
        raise BadInput(f"mask {mask} has negative values; voxels to keep must be 1, all others 0.")
    if not labels.any():
        raise BadInput(f"mask {mask} is zero everywhere.")
    return labels > 0, notes


def _whole_numbers(values: np.ndarray, file: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels of a mask or atlas; a value that is not finite is no label, 0, and counted.

    Raises BadInput for fractions: probabilities need a threshold, and interpolated labels are others' labels.
    """
    finite = np.isfinite(values)
    labels = np.round(np.where(finite, values, 0)).astype(int)
    off = np.flatnonzero(finite & (np.abs(np.where(finite, values, 0) - labels) > 1e-3))
    if len(off):
        raise BadInput(
            f"{file} holds {values[off[0]]:g} ({len(off)} such): a mask or atlas holds whole numbers; put a threshold "
            "on probabilities, and resample labels by nearest neighbour."
        )
    lost = int((~finite).sum())
    return labels, (f"{lost} voxels of {file.name} hold no finite number and were taken as outside",) if lost else ()


def _seconds(image: Any) -> float | None:
    zooms = image.header.get_zooms()
    if len(zooms) < 4 or not zooms[3] > 0:
        return None
    unit = image.header.get_xyzt_units()[1]
    return float(zooms[3]) / {"msec": 1e3, "usec": 1e6}.get(unit, 1.0)


def _surface(path: Path, mask: Path | None, atlas: Path | None, names: dict[int, str]) -> Scans:
    image = _load(path)
    values = _time_series(path, image)
    n_vertices = values.shape[1]
    inside = np.ones(n_vertices, dtype=bool)
    notes: tuple[str, ...] = ()
    if mask is not None:
        inside, notes = _inside(_vertex_labels(mask, path, n_vertices)[0], mask)
    if atlas is not None:
        found, table = _vertex_labels(atlas, path, n_vertices)
        labels, more = _whole_numbers(found, atlas)
        return _of_regions(values, labels * inside, {**table, **names}, atlas, None, notes + more)
    lost = 0
    if mask is None:
        inside = varies(values)
        lost = int((~inside).sum())
    along = {"voxel": np.flatnonzero(inside)}
    return Scans(values[:, inside].astype(np.float64), None, along, None, lost, notes)


def _time_series(path: Path, image: Any) -> np.ndarray:
    arrays = [np.asarray(array.data) for array in getattr(image, "darrays", [])]
    if not arrays or len({array.shape for array in arrays}) > 1:
        raise BadInput(f"{path} holds no time series: its arrays have different lengths, or there are none.")
    if len(arrays) == 1 and arrays[0].ndim == 2:
        return arrays[0].T.astype(np.float32)
    if arrays[0].ndim != 1 or len(arrays) < 2:
        raise BadInput(f"{path} holds no time series: a .func.gii has one array a scan.")
    return np.stack(arrays).astype(np.float32)


def _vertex_labels(labels: Path, path: Path, n_vertices: int) -> tuple[np.ndarray, dict[int, str]]:
    held = _load(labels)
    arrays = getattr(held, "darrays", [])
    if len(arrays) != 1 or np.asarray(arrays[0].data).shape != (n_vertices,):
        raise BadInput(f"{labels} must hold one label for each of the {n_vertices} vertices of {path}.")
    table = {int(key): str(name) for key, name in held.labeltable.get_labels_as_dict().items()}
    return np.asarray(arrays[0].data, dtype=np.float64), table


def _of_regions(
    values: np.ndarray,
    labels: np.ndarray,
    names: dict[int, str],
    atlas: Path,
    repetition_time: float | None,
    notes: tuple[str, ...],
) -> Scans:
    found = region_means(values, labels, names, atlas)
    return Scans(
        found.values, found.regions, {"n_voxels": found.n_voxels}, repetition_time, notes=(*notes, *found.notes)
    )
