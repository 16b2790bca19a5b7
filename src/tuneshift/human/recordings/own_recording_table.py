"""Recordings in a table: one row a stimulus and target.

    passage      the story or passage of the stimulus; optional
    stimulus     the stimulus's name or number, unique within the table; rows of one stimulus share it
    text         what was read or heard; stimuli stand in reading order
    participant  whose brain
    region       optional
    target       name of the voxel, electrode or region, unique over participants; optional
    response     a number, empty where there is none
    unit         unit of the responses, the same in every row; optional
    any other    a label of the stimulus (topic), the same in all of its rows: `group_by` may name it

Time series need words with times, which a table of responses cannot hold: see `import_series` and the netCDF layout.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tuneshift.errors import BadInput
from tuneshift.human.recordings.own_recording import target_names
from tuneshift.human.recordings.recording import Recording
from tuneshift.human.text.own_table import first_row, missing_columns, numbers, write_table
from tuneshift.human.text.problems import Problem, some

FIXED = ("stimulus", "passage", "text", "participant", "region", "target", "response", "unit")
_TAKEN = ("target_name", "time", "responses", "word", "word_onset", "word_offset", "word_passage", "words",
          "voxel", "mni_x", "mni_y", "mni_z")  # fmt: skip
"""Names that mean something else in a recording, so that no label of stimuli can have them."""
NEEDED = ("stimulus", "text", "participant", "response")
_KNOWN_AS = {"sentence": "text", "subject": "participant", "value": "response", "stimulus_id": "stimulus",
             "item": "stimulus", "subject_id": "participant", "bold": "response", "sub": "participant",
             "subj": "participant", "subj_id": "participant", "participant_id": "participant", "ppt": "participant",
             "stim": "stimulus", "stim_id": "stimulus", "sentence_id": "stimulus", "beta": "response"}  # fmt: skip


def write_recording_table(recording: Recording, path: str | Path) -> Path:
    """Write a recording of stimuli to .csv, .tsv or .parquet, one row a stimulus and target.

    Raises BadInput for a time series, which only netCDF can hold.
    """
    if recording.is_time_series:
        raise BadInput(f"{recording.name} is a time series, which a table cannot hold; write it to a .nc file.")
    data = recording.data.transpose("stimulus", "target")
    n_stimuli, n_targets = data.shape
    columns: dict[str, np.ndarray] = {"stimulus": np.repeat(np.arange(1, n_stimuli + 1), n_targets)}
    if "passage" in data.coords:
        columns["passage"] = np.repeat(data["passage"].values, n_targets)
    columns["text"] = np.repeat(data["text"].values, n_targets)
    for label in map(str, data.coords):
        if data[label].dims != ("stimulus",) or label in ("stimulus", "passage", "text"):
            continue
        if label in (*FIXED, *_TAKEN):
            raise BadInput(
                f"{recording.name} has a label `{label}` of its stimuli, which a table cannot hold; rename it."
            )
        columns[label] = np.repeat(data[label].values, n_targets)
    for column, coordinate in (("participant", "participant"), ("region", "region"), ("target", "target_name")):
        columns[column] = np.tile(data[coordinate].values, n_stimuli)
    columns["response"] = data.values.ravel()
    columns["unit"] = np.full(data.size, recording.unit)
    return write_table(pd.DataFrame(columns), Path(path))


def recording_from_table(table: pd.DataFrame, name: str) -> tuple[Recording | None, list[Problem]]:
    """Return the recording of a table of text cells, None where its layout allows none, and what is wrong with it."""
    found = missing_columns(table, NEEDED, _KNOWN_AS)
    if found:
        return None, found
    if not len(table):
        return None, [Problem("has no row below the names of its columns")]
    responses, found = numbers(table, "response")
    found += _unequal(table, "text") + (_unequal(table, "passage") if "passage" in table else [])
    units = table["unit"].unique().tolist() if "unit" in table else ["a.u."]
    if len(units) > 1:
        row = first_row(table, table["unit"] != units[0])
        found.append(Problem(f"row {row}, column `unit`: {units[1]!r}, but {units[0]!r} above; use one unit"))
    who = table["participant"].str.strip()
    region = table["region"] if "region" in table else pd.Series("", index=table.index)
    target = table["target"] if "target" in table else who + "\t" + region
    key = pd.DataFrame({"stimulus": table["stimulus"], "target": target})
    row = first_row(table, key.duplicated())
    if row is not None:
        again = table.loc[row]
        hint = "" if "target" in table else "; name the targets in a column `target`"
        found.append(
            Problem(f"row {row}: stimulus {again['stimulus']!r} and participant {again['participant']!r} have a "
                    f"response above already{hint}")
        )  # fmt: skip
    owners = pd.DataFrame({"target": target, "who": who, "region": region}).drop_duplicates()
    row = first_row(owners, owners["target"].duplicated())
    if row is not None:
        again = owners.loc[row]
        found.append(
            Problem(f"row {row}: target {again['target']!r} belongs to two participants or "
                    "regions; give each participant's targets names of their own")
        )  # fmt: skip
    if any(problem.fatal for problem in found):
        return None, found
    recording = _recording(table, key, owners, responses, units[0], name)
    labels, left_out = _labels(table, key["stimulus"])
    told = [problem.sentence for problem in found]
    told += [f"column {some([f'`{c}`' for c in left_out], 12)} was left out: it is no label of a stimulus, the same in "
            "all of its rows, or its name means something else"] if left_out else []  # fmt: skip
    data = recording.data.assign_coords({column: ("stimulus", values) for column, values in labels.items()})
    return replace(recording, data=data, dropped=tuple(told)), [Problem(sentence, fatal=False) for sentence in told]


def _labels(table: pd.DataFrame, stimulus: pd.Series) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the further columns that are the same in all rows of a stimulus, and the names of the others."""
    labels, left_out = {}, []
    for column in [column for column in table.columns if column not in FIXED]:
        per_row = table[column].groupby(stimulus, sort=False)
        name = str(column)
        if name in _TAKEN or name.startswith("Unnamed:") or (per_row.transform("first") != table[column]).any():
            left_out.append(name)
            continue
        text = per_row.first().to_numpy(str)
        plain = all(re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d+)?(e[-+]?\d{1,2})?", cell) for cell in text)
        whole = plain and all(re.fullmatch(r"-?\d+", cell) for cell in text)
        labels[name] = text.astype(np.int64) if whole else text.astype(float) if plain else text
    return labels, left_out


def _unequal(table: pd.DataFrame, column: str) -> list[Problem]:
    first = table.groupby("stimulus", sort=False)[column].transform("first")
    row = first_row(table, table[column] != first)
    if row is None:
        return []
    stimulus = table["stimulus"].loc[row]
    return [Problem(f"row {row}, column `{column}`: stimulus {stimulus!r} has another {column} above")]


def _recording(
    table: pd.DataFrame, key: pd.DataFrame, owners: pd.DataFrame, responses: np.ndarray, unit: str, name: str
) -> Recording:
    stimuli = key["stimulus"].drop_duplicates()
    values = np.full((len(stimuli), len(owners)), np.nan)
    rows = pd.Index(stimuli).get_indexer(key["stimulus"])
    values[rows, pd.Index(owners["target"]).get_indexer(key["target"])] = responses
    coordinates = {"text": ("stimulus", table.loc[stimuli.index, "text"].to_numpy(str))}
    if "passage" in table:
        coordinates["passage"] = ("stimulus", table.loc[stimuli.index, "passage"].to_numpy(str))
    who, region = owners["who"].to_numpy(str), owners["region"].to_numpy(str)
    coordinates["participant"] = ("target", who)
    coordinates["region"] = ("target", region)
    named = owners["target"].to_numpy(str) if "target" in table else target_names(who, region)
    coordinates["target_name"] = ("target", named)
    data = xr.DataArray(values, dims=("stimulus", "target"), coords=coordinates)
    return Recording(name=name, data=data, unit=unit)
