"""Recordings in netCDF: the layout that people bring their own recordings in, and that any Recording is kept in.

    dimensions  stimulus, target, and, for a time series, words
    responses   (stimulus, target) numbers; NaN where a participant has none
    passage     (stimulus) string: the story or passage; whole passages are held out
    text        (stimulus) string: what was read or heard, in reading order; not in a time series
    time        (stimulus) seconds: time series only
    participant (target) string
    region      (target) string, optional
    target_name (target) string, unique, optional
    word, word_onset, word_offset, word_passage   (words) time series only; seconds on the clock of `time`
    run         (stimulus) string, optional: what was scanned without a break, where it is not the passage
    attributes  name, unit, repetition_time (s), high_pass (s), space, dropped and notes (JSON), all optional

Any other variable along stimulus or target (topics, conditions, coordinates) is kept as it is; `group_by` may name it.
Voxels of different people are matched by `mni_x`, `mni_y`, `mni_z` (mm) along target, or by `voxel` where the attribute
`space` says that its numbers are places in a common space (mni, surface, shared; else native).
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.files.plain_files import is_compressed, whole
from tuneshift.human.recordings.hdf5_files import look_over
from tuneshift.human.recordings.netcdf_texts import LostText, refuse_undecodable, with_texts
from tuneshift.human.recordings.recording import SPACES, Recording, WordTrack
from tuneshift.human.text.problems import Problem, refuse, some

_SECONDS = ("", "s", "sec", "secs", "second", "seconds")
_WORD_VARIABLES = ("word", "word_onset", "word_offset", "word_passage")
STRINGS = {"passage", "run", "text", "participant", "region", "target_name", "word", "word_passage"}


ALONG = {
    "passage": "stimulus", "run": "stimulus", "text": "stimulus", "time": "stimulus",
    "participant": "target", "region": "target", "target_name": "target",
}  # fmt: skip
"""Coordinates that mean something to a measurement, and the dimension that each lies along."""


def open_netcdf(path: Path) -> xr.Dataset:
    """Read a whole netCDF file (4, or the classic 3), compressed by gzip or not; its texts are strings.

    Raises BadInput where it is none, or is damaged, or has a text that is no UTF-8.
    """
    try:
        source: Path | io.BytesIO = whole(path) if is_compressed(path) else path
        engine: Literal["scipy", "h5netcdf"] = "scipy" if _first_bytes(source) == b"CDF" else "h5netcdf"
        if engine == "h5netcdf":
            look_over(source)
        try:
            dataset = _loaded(source, engine)
        except UnicodeDecodeError:
            refuse_undecodable(source, engine)
            raise
        return with_texts(dataset)
    except LostText as error:
        raise BadInput(f"{path}, {error}.") from error
    except Exception as error:  # a damaged file fails anywhere in two libraries: TypeError, IndexError, struct.error
        raise BadInput(f"{path} is no netCDF file, or a damaged one ({' '.join(str(error).split())}).") from error


def _loaded(source: Path | io.BytesIO, engine: Literal["scipy", "h5netcdf"]) -> xr.Dataset:
    """xarray alone leaves a file open that it cannot decode, so that it could not be written anew."""
    if engine == "scipy":
        return xr.load_dataset(source, engine=engine, decode_times=False, decode_timedelta=False)
    import h5netcdf
    import h5py

    with h5py.File(source, "r") as held, h5netcdf.File(held, "r", decode_vlen_strings=True) as file:
        return xr.load_dataset(xr.backends.H5NetCDFStore(file), decode_times=False, decode_timedelta=False)


def _first_bytes(source: Path | io.BytesIO) -> bytes:
    if isinstance(source, io.BytesIO):
        return source.getvalue()[:3]
    with source.open("rb") as stream:
        return stream.read(3)


def read_netcdf(path: str | Path) -> Recording:
    """Read a recording in the layout above; raises BadInput with the first place where the file departs from it."""
    path = Path(path)
    dataset = open_netcdf(path)
    refuse(path, layout_problems(dataset))
    return recording_of(dataset, path.stem)


def layout_problems(dataset: xr.Dataset) -> list[Problem]:
    """Return where a dataset departs from the layout, so that no Recording can be made of it."""
    if "responses" not in dataset.variables:
        return [Problem(f"has no variable `responses`; it has {some(list(dataset.variables), 12) or 'none'}")]
    responses = dataset["responses"]
    if set(responses.dims) != {"stimulus", "target"}:
        return [Problem(f"`responses` must be (stimulus, target), not ({', '.join(map(str, responses.dims))})")]
    if responses.dtype.kind not in "fiu":
        return [Problem(f"`responses` must be numbers, not {responses.dtype}")]
    if 0 in responses.shape:
        return [Problem(f"`responses` is empty: {responses.sizes['stimulus']} x {responses.sizes['target']}")]
    found = []
    for name, dimension in ALONG.items():
        if name in dataset.variables and dataset[name].dims != (dimension,):
            shown = ", ".join(map(str, dataset[name].dims))
            found.append(Problem(f"`{name}` must lie along ({dimension}), not ({shown})"))
    if "participant" not in dataset.variables:
        found.append(Problem("has no `participant` along `target`: whose brain is each target?"))
    words = [name for name in _WORD_VARIABLES if name in dataset.variables]
    if words and len(words) < len(_WORD_VARIABLES):
        missing = [name for name in _WORD_VARIABLES if name not in words]
        found.append(Problem(f"has `{words[0]}`, but not {some(missing)}: words need onset, offset and passage"))
    elif words and len({dataset[name].dims for name in words}) > 1:
        found.append(Problem("`word`, `word_onset`, `word_offset` and `word_passage` must lie along one dimension"))
    if "text" not in dataset.variables and not words:
        found.append(Problem("has neither `text` along `stimulus` nor `word` with its times: what was read or heard?"))
    if words and "time" not in dataset.variables:
        found.append(Problem("has `word`, but no `time` (seconds) along `stimulus`"))
    for name in ("time", "word_onset", "word_offset"):
        if name in dataset.variables and dataset[name].dtype.kind not in "fiu":
            found.append(Problem(f"`{name}` must be seconds, not {dataset[name].dtype}"))
        unit = str(dataset[name].attrs.get("units", "s")) if name in dataset.variables else "s"
        if unit.strip().lower() not in _SECONDS:
            found.append(Problem(f"`{name}` says that its unit is {unit!r:.40}; it must be seconds"))
    return [*found, *_attribute_problems(dataset)]


def _attribute_problems(dataset: xr.Dataset) -> list[Problem]:
    found = []
    for name in ("repetition_time", "high_pass"):
        try:
            sound = float(dataset.attrs.get(name, 1.0)) > 0
        except (TypeError, ValueError):
            sound = False
        if not sound:
            found.append(Problem(f"attribute `{name}` must be a positive number of seconds"))
    space = str(dataset.attrs.get("space", "native"))
    if space not in SPACES:
        found.append(Problem(f"attribute `space` is {space!r}; it must be one of {', '.join(SPACES)}"))
    for name, kind in (("dropped", list), ("notes", dict)):
        try:
            held = json.loads(str(dataset.attrs.get(name, json.dumps(kind()))))
            within = list(held.values()) if isinstance(held, dict) else held
            sound = isinstance(held, kind) and all(isinstance(value, str) for value in within)
        except ValueError:
            sound = False
        if not sound:
            found.append(Problem(f"attribute `{name}` must be a {kind.__name__} of strings, written as JSON"))
    return found


def recording_of(dataset: xr.Dataset, name: str) -> Recording:
    """Return the Recording of a dataset without layout problems; `name` where the file itself gives none."""
    responses = dataset["responses"].transpose("stimulus", "target").astype("float64")
    coordinates: dict[str, Any] = {}
    for key, variable in dataset.variables.items():
        if key == "responses" or str(key) in _WORD_VARIABLES or variable.dims not in (("stimulus",), ("target",)):
            continue
        coordinates[str(key)] = (variable.dims[0], text_values(variable.values, always=key in STRINGS))
    n_targets = responses.sizes["target"]
    coordinates.setdefault("region", ("target", np.full(n_targets, "")))
    if "target_name" not in coordinates:
        coordinates["target_name"] = ("target", target_names(coordinates["participant"][1], coordinates["region"][1]))
    words = None
    if "word" in dataset.variables:
        words = WordTrack(
            words=tuple(map(_plain, dataset["word"].values.tolist())),
            onset=dataset["word_onset"].values.astype(float),
            offset=dataset["word_offset"].values.astype(float),
            passage=tuple(map(_plain, dataset["word_passage"].values.tolist())),
        )
    attributes = dataset.attrs
    left_out = [
        f"`{key}` was left out: it lies along ({', '.join(map(str, dataset[key].dims))})" for key in _loose(dataset)
    ]
    return Recording(
        name=str(attributes.get("name") or name),
        data=xr.DataArray(responses.values, dims=("stimulus", "target"), coords=coordinates),
        unit=str(attributes.get("unit", "a.u.")),
        words=words,
        dropped=(*json.loads(str(attributes.get("dropped", "[]"))), *left_out),
        repetition_time=_seconds(attributes.get("repetition_time")),
        high_pass=_seconds(attributes.get("high_pass")),
        space=next(space for space in SPACES if space == str(attributes.get("space", "native"))),
        notes=json.loads(str(attributes.get("notes", "{}"))),
    )


def _loose(dataset: xr.Dataset) -> list[str]:
    """Return the variables that neither a stimulus, nor a target, nor a word alone has."""
    known = ("responses", *_WORD_VARIABLES, *dataset.sizes)
    along = (("stimulus",), ("target",))
    return [str(key) for key, held in dataset.variables.items() if key not in known and held.dims not in along]


def text_values(values: np.ndarray, always: bool = False) -> np.ndarray:
    """Return strings for an array of strings, bytes or objects (missing: ""), numbers as they are unless `always`."""
    if always or values.dtype.kind in "OSU":
        return np.array([_plain(value) for value in values.tolist()], dtype=str)
    return values


def _plain(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{value[:60]!r} is no UTF-8 ({error.reason}); give texts as strings.") from error


def target_names(participants: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return "participant region", numbered from 1 where a participant has several targets in a region."""
    plain = [f"{p} {r}".strip() for p, r in zip(participants, regions, strict=True)]
    if len(set(plain)) == len(plain):
        return np.array(plain)
    count: dict[str, int] = {}
    names = []
    for name in plain:
        count[name] = count.get(name, 0) + 1
        names.append(f"{name} {count[name]}")
    return np.array(names)


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
