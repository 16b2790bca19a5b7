"""Brain-Score assemblies: netCDF files of presentations x neuroids, read as recordings and written from them.

An assembly keeps its names in coordinates that differ between data sets; the first of each list below that a file has
is taken. All other coordinates are kept as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.recordings.netcdf_file import save_whole
from tuneshift.human.recordings.own_recording import open_netcdf, target_names, text_values
from tuneshift.human.recordings.recording import SPACES, Recording

TEXT = ("stimulus", "sentence", "stimulus_sentence", "word")
PASSAGE = ("passage_label", "passage_index", "story", "sentence_id", "passage")
ORDER = (("sentence_number_in_story", "part_number_in_sentence"), ("word_num",), ("stimulus_num",))
PARTICIPANT = ("subject", "subject_id", "subject_UID", "participant")
REGION = ("fROI_area", "region", "roi")
NEUROID = "neuroid_id"
_DIMENSIONS = {"presentation": "stimulus", "neuroid": "target"}


def is_assembly(dataset: xr.Dataset) -> bool:
    """Whether a dataset is laid out as an assembly: an array over `presentation` and `neuroid`."""
    return {"presentation", "neuroid"} <= set(map(str, dataset.sizes))


def read_assembly(path: str | Path, name: str | None = None, select: Mapping[str, str] | None = None) -> Recording:
    """Read an assembly from a netCDF file; `select` keeps the presentations whose coordinate has a value.

    `select={"experiment": "243sentences"}`, for one. Raises BadInput where the file is no assembly, or has no
    coordinate for texts or participants.
    """
    path = Path(path)
    return recording_of_assembly(assembly_of(open_netcdf(path), str(path)), name or path.stem, select, str(path))


def assembly_of(dataset: xr.Dataset, where: str) -> xr.DataArray:
    """Return the one array over (presentation, neuroid) of a dataset; further dimensions of length 1 are dropped."""
    arrays = [v for v in dataset.data_vars if {"presentation", "neuroid"} <= set(dataset[v].dims)]
    arrays = [name for name in arrays if dataset[name].dtype.kind in "fiu"]
    if len(arrays) != 1:
        raise BadInput(
            f"{where} is no Brain-Score assembly: it has {len(arrays)} arrays of numbers over presentation and neuroid."
        )
    loose = [name for name in dataset.data_vars if name != arrays[0]]  # coordinates that were saved as variables
    assembly = dataset.set_coords(loose)[arrays[0]]
    assembly.attrs = {**dataset.attrs, **assembly.attrs}
    extra = [d for d in assembly.dims if d not in _DIMENSIONS]
    long = [str(d) for d in extra if assembly.sizes[d] > 1]
    if long:
        raise BadInput(
            f"{where} has a dimension {long[0]!r} of length {assembly.sizes[long[0]]}; average over it first."
        )
    return assembly.squeeze(extra, drop=True).transpose("presentation", "neuroid")


def recording_of_assembly(
    assembly: xr.DataArray, name: str, select: Mapping[str, str] | None = None, where: str = "the assembly"
) -> Recording:
    """Return the recording of an assembly (presentation, neuroid), in reading order within each passage.

    Neuroids without any response among the selected presentations are left out and counted by participant.
    """
    for coordinate, value in (select or {}).items():
        assembly = _selected(assembly, coordinate, value, where)
    along = {d: _along(assembly, d) for d in _DIMENSIONS}
    text = _first(along["presentation"], TEXT, where, "presentation")
    participant = _first(along["neuroid"], PARTICIPANT, where, "neuroid")
    passages, used = _passages(along["presentation"], assembly.sizes["presentation"])
    order = _reading_order(along["presentation"], passages)
    values = assembly.values.astype(np.float64)[order]
    here = ~np.isnan(values).all(axis=0)
    who = along["neuroid"][participant]
    dropped = _left_out(who, here, select)
    if not here.any():
        raise BadInput(f"{where} holds no response at all{_selection(select)}.")
    coordinates: dict[str, Any] = {"text": ("stimulus", np.char.strip(along["presentation"][text].astype(str)[order]))}
    coordinates["passage"] = ("stimulus", passages[order])
    consumed = {*TEXT, *used, *(n for names in ORDER for n in names), participant, "passage", NEUROID, *REGION, "text"}
    for dimension, mine in _DIMENSIONS.items():
        index = order if dimension == "presentation" else here
        for coordinate, found in along[dimension].items():
            if coordinate not in {*consumed, "stimulus", "target", *_DIMENSIONS}:
                coordinates[coordinate] = (mine, found[index])
    region = next((along["neuroid"][n].astype(str) for n in REGION if n in along["neuroid"]), np.full(len(who), ""))
    named = along["neuroid"][NEUROID].astype(str) if NEUROID in along["neuroid"] else target_names(who, region)
    if len(set(named[here])) < here.sum():
        named = target_names(who.astype(str), named)
    coordinates |= {"participant": ("target", who.astype(str)[here]), "region": ("target", region[here])}
    coordinates["target_name"] = ("target", named[here])
    attributes = assembly.attrs
    return Recording(
        name=name if "name" not in attributes else str(attributes["name"]),
        data=xr.DataArray(values[:, here], dims=("stimulus", "target"), coords=coordinates),
        unit=str(attributes.get("unit", "a.u.")),
        space=next((space for space in SPACES if space == str(attributes.get("space"))), "native"),
        dropped=(*json.loads(str(attributes.get("dropped", "[]"))), *dropped),
        notes=json.loads(str(attributes.get("notes", "{}"))),
    )


def to_assembly(recording: Recording) -> xr.DataArray:
    """Return a recording as an assembly (presentation, neuroid), float64, that Brain-Score's own tools can read.

    Raises BadInput for a time series: an assembly has one row a stimulus.
    """
    if recording.is_time_series or "text" not in recording.data.coords:
        raise BadInput(f"{recording.name} is a time series; a Brain-Score assembly holds one row a stimulus.")
    data = recording.data.transpose("stimulus", "target")
    n = data.shape[0]
    passages = data["passage"].values if "passage" in data.coords else data["text"].values
    first_seen = {passage: number for number, passage in enumerate(dict.fromkeys(passages.tolist()))}
    coordinates: dict[str, Any] = {
        "stimulus": ("presentation", data["text"].values),
        "stimulus_num": ("presentation", np.arange(n)),
        "stimulus_id": ("presentation", np.array([f"{recording.name}.{number}" for number in range(n)])),
        "passage_label": ("presentation", passages),
        "passage_index": ("presentation", np.array([first_seen[passage] for passage in passages.tolist()])),
        "subject": ("neuroid", data["participant"].values),
        "region": ("neuroid", data["region"].values),
        NEUROID: ("neuroid", data["target_name"].values),
    }
    theirs = {mine: dimension for dimension, mine in _DIMENSIONS.items()}
    for name, coordinate in data.coords.items():
        if name not in ("text", "passage", "participant", "region", "target_name"):
            coordinates[str(name)] = (theirs[str(coordinate.dims[0])], coordinate.values)
    attributes = {"identifier": recording.name, "name": recording.name, "unit": recording.unit}
    if recording.space != "native":
        attributes["space"] = recording.space
    if recording.dropped:
        attributes["dropped"] = json.dumps(recording.dropped)
    if recording.notes:
        attributes["notes"] = json.dumps(recording.notes)
    return xr.DataArray(data.values, dims=("presentation", "neuroid"), coords=coordinates, attrs=attributes)


def write_assembly(recording: Recording, path: str | Path) -> Path:
    """Write a recording as a Brain-Score assembly: netCDF, one variable `data`, its attributes on the file."""
    assembly = to_assembly(recording)
    attributes, assembly.attrs = assembly.attrs, {}
    dataset = assembly.to_dataset(name="data")
    dataset.attrs = attributes
    return save_whole(dataset, Path(path), recording.name)


def _along(assembly: xr.DataArray, dimension: str) -> dict[str, np.ndarray]:
    return {
        str(name): text_values(coordinate.values) for name, coordinate in assembly.coords.items()
        if coordinate.dims == (dimension,)
    }  # fmt: skip


def _first(found: dict[str, np.ndarray], wanted: tuple[str, ...], where: str, dimension: str) -> str:
    name = next((name for name in wanted if name in found), None)
    if name is None:
        raise BadInput(
            f"{where} has none of the coordinates {', '.join(wanted)} along {dimension}; it has "
            f"{', '.join(sorted(found)) or 'none'}."
        )
    return name


def _selected(assembly: xr.DataArray, coordinate: str, value: str, where: str) -> xr.DataArray:
    found = _along(assembly, "presentation")
    if coordinate not in found:
        raise BadInput(f"{where} has no coordinate {coordinate!r} along presentation; it has {', '.join(found)}.")
    rows = found[coordinate].astype(str) == value
    if not rows.any():
        values = ", ".join(map(str, np.unique(found[coordinate].astype(str))[:5]))
        raise BadInput(f"{where} has no presentation whose {coordinate} is {value!r}; there are {values}.")
    return assembly[rows]


def _passages(along: dict[str, np.ndarray], n: int) -> tuple[np.ndarray, set[str]]:
    """Return each presentation's passage and the coordinates that say it; without any, each stands alone.

    Two passages with one label (or one number in two experiments) are kept apart.
    """
    name = next((name for name in PASSAGE if name in along), None)
    if name is None:
        ids = along.get("stimulus_id", np.arange(n))
        return ids.astype(str), set()
    labels = along[name].astype(str)
    used = {name}
    if name == "passage_label" and "passage_index" in along:
        used.add("passage_index")
        pairs = set(zip(labels.tolist(), along["passage_index"].tolist(), strict=True))
        if len(pairs) > len(set(labels.tolist())):
            labels = np.array([f"{a} {b}" for a, b in zip(labels, along["passage_index"], strict=True)])
    if "experiment" in along and len(set(along["experiment"].tolist())) > 1:
        labels = np.array([f"{e}: {label}" for e, label in zip(along["experiment"], labels, strict=True)])
    return labels, used


def _reading_order(along: dict[str, np.ndarray], passages: np.ndarray) -> np.ndarray:
    """Return the rows with passages in order of appearance and, within each, stimuli as they were read."""
    names = next((names for names in ORDER if all(name in along for name in names)), ())
    first = {passage: place for place, passage in reversed(list(enumerate(passages.tolist())))}
    place = np.array([first[passage] for passage in passages.tolist()])
    if names == ("stimulus_num",) and len(set(along.get("experiment", np.zeros(1)).tolist())) == 1:
        return np.argsort(along["stimulus_num"].astype(float), kind="stable")
    keys = [along[name].astype(float) for name in reversed(names)]
    return np.lexsort([*keys, place])


def _left_out(who: np.ndarray, here: np.ndarray, select: Mapping[str, str] | None) -> list[str]:
    sentences = []
    for participant in dict.fromkeys(who.astype(str).tolist()):
        mine = who.astype(str) == participant
        lost = int((mine & ~here).sum())
        if lost == mine.sum():
            sentences.append(
                f"participant {participant} was left out: none of {lost} targets has a response{_selection(select)}"
            )
        elif lost:
            sentences.append(
                f"{lost} of {mine.sum()} targets of participant {participant} were left out: no response"
                f"{_selection(select)}"
            )
    return sentences


def _selection(select: Mapping[str, str] | None) -> str:
    return "".join(f" in {coordinate} {value}" for coordinate, value in (select or {}).items())
