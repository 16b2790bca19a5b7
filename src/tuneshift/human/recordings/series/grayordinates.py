"""Scans in CIFTI files: grayordinates (.dtseries.nii), under a mask or parcellation, and parcels (.ptseries.nii)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import plain_name
from tuneshift.human.recordings.series.labels import inside_of, regions_of
from tuneshift.human.recordings.series.missing import varies
from tuneshift.human.recordings.series.nibabel_files import is_cifti, load_surface, load_volume
from tuneshift.human.recordings.series.region_means import scans_of_regions
from tuneshift.human.recordings.series.scan_file import Scans
from tuneshift.human.recordings.series.stated_time import StatedTime
from tuneshift.human.recordings.series.surfaces import structure_of, vertex_labels
from tuneshift.human.text.problems import some

_PREFIX = "CIFTI_STRUCTURE_"
_UNITS = {"SECOND": "sec", "HERTZ": "hz", "METER": "m", "RADIAN": "rads"}
_ENDING = ".dtseries.nii (grayordinates) or .ptseries.nii (parcels)"


def read_grayordinates(path: Path, mask: Path | None, atlas: Path | None, names: dict[int, str]) -> Scans:
    """Read a CIFTI series; mask and atlas are .dlabel.nii or .dscalar.nii, or a .label.gii of one hemisphere.

    Grayordinates keep the `structure` they lie in; without mask and atlas, those that never vary are left out and
    counted. Raises BadInput where the file is damaged, no series of scans, or does not fit mask or atlas.
    """
    image, values = load_volume(path)
    if not is_cifti(image):
        raise BadInput(f"{path} is no CIFTI file, though it is called {_ENDING.replace(' or ', ', ')}.")
    rows, columns = _axes(path, image, values)
    if type(rows).__name__ != "SeriesAxis":
        raise BadInput(f"{path} is a CIFTI file without scans ({_kind(rows)} x {_kind(columns)}); give {_ENDING}.")
    stated = StatedTime(float(rows.step), _UNITS.get(str(rows.unit), str(rows.unit).lower()))
    if type(columns).__name__ == "ParcelsAxis":
        if mask is not None or atlas is not None:
            raise BadInput(f"{path} holds parcels already; leave mask and atlas out.")
        return Scans(values.astype(np.float64), np.asarray(columns.name).astype(str), {}, stated)
    if type(columns).__name__ != "BrainModelAxis":
        raise BadInput(f"{path} is a CIFTI file of {_kind(columns)}; give {_ENDING}.")
    inside = np.ones(values.shape[1], dtype=bool)
    notes: tuple[str, ...] = ()
    if mask is not None:
        found, _, more = _labels(mask, path, columns)
        inside, told = inside_of(found, mask)
        notes += (*more, *told)
    if atlas is not None:
        found, table, more = _labels(atlas, path, columns)
        labels, told = regions_of(found, atlas)
        return scans_of_regions(values, labels * inside, {**table, **names}, atlas, stated, (*notes, *more, *told))
    lost = 0
    if mask is None:
        inside = varies(values)
        lost = int((~inside).sum())
    structure = np.array([str(name).removeprefix(_PREFIX) for name in columns.name])
    along = {"voxel": np.flatnonzero(inside), "structure": structure[inside]}
    keys = "\n".join(_keys(columns)).encode()
    grid = f"{len(structure)} grayordinates {hashlib.sha256(keys).hexdigest()[:8]}"
    return Scans(values[:, inside].astype(np.float64), None, along, stated, lost, notes, grid)


def _axes(path: Path, image: Any, values: np.ndarray) -> tuple[Any, Any]:
    try:
        rows, columns = image.header.get_axis(0), image.header.get_axis(1)
        lengths = len(rows), len(columns)
    except Exception as error:  # a matrix of one or three dimensions, or damaged XML: nibabel has no error for it
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise BadInput(f"{path} is a CIFTI file whose header cannot be read ({told}).") from error
    if values.shape != lengths:
        raise BadInput(f"{path} is a CIFTI file of {values.shape} numbers, but its header says {lengths}.")
    return rows, columns


def _kind(axis: Any) -> str:
    return type(axis).__name__.removesuffix("Axis").lower()


def _keys(columns: Any) -> list[str]:
    """One name a grayordinate: the structure with the vertex, or the voxel."""
    return [
        f"{name} {vertex}" if vertex >= 0 else f"{name} {' '.join(map(str, voxel))}"
        for name, vertex, voxel in zip(columns.name, columns.vertex.tolist(), columns.voxel.tolist(), strict=True)
    ]


def _labels(labels: Path, path: Path, columns: Any) -> tuple[np.ndarray, dict[int, str], tuple[str, ...]]:
    """Return the number of each grayordinate of the scans, 0 where the file of labels has none, and its names."""
    if plain_name(labels).endswith(".gii"):
        return _of_surface(labels, path, columns)
    image, values = load_volume(labels)
    if not is_cifti(image):
        raise BadInput(f"{labels} is no CIFTI file, {path} is one; give a .dlabel.nii, .dscalar.nii or .label.gii.")
    rows, theirs = _axes(labels, image, values)
    if type(theirs).__name__ != "BrainModelAxis" or type(rows).__name__ not in ("LabelAxis", "ScalarAxis"):
        raise BadInput(f"{labels} holds no labels of grayordinates ({_kind(rows)} x {_kind(theirs)}).")
    if len(rows) != 1:
        raise BadInput(f"{labels} holds {len(rows)} maps ({some(rows.name)}); save the one you mean by itself.")
    number = dict(zip(_keys(theirs), values[0].tolist(), strict=True))
    mine = _keys(columns)
    found = np.array([number.get(key, 0.0) for key in mine])
    unknown = sum(key not in number for key in mine)
    if unknown == len(mine):
        raise BadInput(f"{labels} has none of the grayordinates of {path}; give one of the same space.")
    table = {int(key): str(name) for key, (name, _) in rows.label[0].items()} if hasattr(rows, "label") else {}
    told = (f"{labels.name} has no number for {unknown} of {len(mine)} grayordinates, which are outside",)
    return found, table, told if unknown else ()


def _of_surface(labels: Path, path: Path, columns: Any) -> tuple[np.ndarray, dict[int, str], tuple[str, ...]]:
    said = structure_of(load_surface(labels))
    structure = {
        "CortexLeft": f"{_PREFIX}CORTEX_LEFT",
        "CortexRight": f"{_PREFIX}CORTEX_RIGHT",
        "Cerebellum": f"{_PREFIX}CEREBELLUM",
    }.get(said)
    if structure is None or structure not in columns.nvertices:
        raise BadInput(
            f"{labels} does not say which surface of {path} it is of (`AnatomicalStructurePrimary` is {said!r}); give "
            "a .dlabel.nii, or set it to CortexLeft or CortexRight."
        )
    numbers, table = vertex_labels(labels, path, int(columns.nvertices[structure]))
    mine = np.asarray(columns.name) == structure
    found = np.zeros(len(mine))
    found[mine] = numbers[columns.vertex[mine]]
    return found, table, (f"{labels.name} is of {said}: grayordinates elsewhere are outside",)
