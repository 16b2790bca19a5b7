"""Scans on a surface (GIFTI): vertices of one hemisphere, under a mask or averaged over the labels of an annotation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.human.recordings.series.labels import inside_of, regions_of
from tuneshift.human.recordings.series.missing import varies
from tuneshift.human.recordings.series.nibabel_files import load_surface
from tuneshift.human.recordings.series.region_means import scans_of_regions
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.stated_time import StatedTime

_STRUCTURE = "AnatomicalStructurePrimary"
_NO_SERIES = {1002: "labels", 1008: "places of vertices", 1009: "triangles"}  # NIfTI intents


def read_surface(path: Path, mask: Path | None, atlas: Path | None, names: dict[int, str]) -> Scans:
    """Read a .func.gii (time, vertices); without mask and atlas, vertices that never vary are left out and counted.

    Raises BadInput where the file is damaged, no series of scans, or does not fit mask or atlas.
    """
    image = load_surface(path)
    values = _time_series(path, image)
    n_vertices, structure = values.shape[1], structure_of(image)
    stated = _stated(path, image)
    inside = np.ones(n_vertices, dtype=bool)
    notes: tuple[str, ...] = ()
    if mask is not None:
        inside, notes = inside_of(vertex_labels(mask, path, n_vertices, structure)[0], mask)
    if atlas is not None:
        found, table = vertex_labels(atlas, path, n_vertices, structure)
        labels, more = regions_of(found, atlas)
        return scans_of_regions(values, labels * inside, {**table, **names}, atlas, stated, notes + more)
    lost = 0
    if mask is None:
        inside = varies(values)
        lost = int((~inside).sum())
    along = {"voxel": np.flatnonzero(inside)}
    grid = f"{n_vertices} vertices{f' of {structure}' if structure else ''}"
    return Scans(values[:, inside].astype(np.float64), None, along, stated, lost, notes, grid)


def vertex_labels(labels: Path, path: Path, n_vertices: int, structure: str = "") -> tuple[np.ndarray, dict[int, str]]:
    """Return the number (v,) of each vertex in a GIFTI file of labels, and the names of the numbers.

    Raises BadInput where it has not one number a vertex, or says that it belongs to another structure.
    """
    held = load_surface(labels)
    arrays = getattr(held, "darrays", [])
    if len(arrays) != 1 or np.asarray(arrays[0].data).shape != (n_vertices,):
        raise BadInput(f"{labels} must hold one label for each of the {n_vertices} vertices of {path}.")
    theirs = structure_of(held)
    if structure and theirs and structure != theirs:
        raise BadInput(f"{labels} is of {theirs}, {path} of {structure}: give the one of the same hemisphere.")
    table = {int(key): str(name) for key, name in held.labeltable.get_labels_as_dict().items()}
    return np.asarray(arrays[0].data, dtype=np.float64), table


def structure_of(image: Any) -> str:
    """Return the structure that a GIFTI file says it is of (CortexLeft), "" where it does not."""
    for part in (image, *getattr(image, "darrays", [])):
        said = (part.meta or {}).get(_STRUCTURE)
        if said:
            return str(said).strip()
    return ""


def _time_series(path: Path, image: Any) -> np.ndarray:
    held = list(getattr(image, "darrays", []))
    wrong = next((_NO_SERIES[int(a.intent)] for a in held if int(a.intent) in _NO_SERIES), None)
    if wrong is not None:
        raise BadInput(f"{path} holds {wrong} and no time series: scans of a surface are in a .func.gii.")
    arrays = [np.asarray(array.data) for array in held]
    if not arrays or len({array.shape for array in arrays}) > 1:
        raise BadInput(f"{path} holds no time series: its arrays have different lengths, or there are none.")
    if any(array.dtype.kind not in "fiu" for array in arrays):
        raise BadInput(f"{path} holds {arrays[0].dtype} and no plain numbers.")
    if len(arrays) == 1 and arrays[0].ndim == 2 and arrays[0].size:
        return arrays[0].T.astype(np.float32)
    if arrays[0].ndim != 1 or len(arrays) < 2 or not arrays[0].size:
        raise BadInput(f"{path} holds no time series: a .func.gii has one array a scan.")
    return np.stack(arrays).astype(np.float32)


def _stated(path: Path, image: Any) -> StatedTime | None:
    """The standard names no unit of TimeStep, and programs write seconds as well as milliseconds."""
    for part in (image, *image.darrays[:1]):
        said = (part.meta or {}).get("TimeStep")
        if said:
            try:
                return StatedTime(float(said), "unknown")
            except ValueError:
                raise BadInput(f"{path}: its `TimeStep` is {said!r:.40}, which is no number.") from None
    return None
