"""simulated_brain: 12 simulated participants read the project's stories; what drives every voxel is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from tuneshift.human.embedded_data import EmbeddedDataSet, embedded_file
from tuneshift.human.recordings.recording import Recording

FILE = "simulated_brain.nc"
COORDINATES = ("text", "passage", "participant", "region", "voxel", "target_name")


def load_truth() -> pd.DataFrame:
    """Return what was planted, one row a target in the order of the recording (see `simulation_brain`)."""
    dataset = xr.load_dataset(embedded_file(FILE), engine="h5netcdf")
    columns = [name for name, variable in dataset.variables.items() if variable.dims == ("target",)]
    return pd.DataFrame({str(name): dataset[name].values for name in columns})


def _read(file: Callable[[str], Path]) -> Recording:
    dataset = xr.load_dataset(file(FILE), engine="h5netcdf")
    data = dataset["responses"].astype("float64").drop_attrs()
    notes = {"planted": "what drives every voxel is known: tuneshift.human.datasets.simulated_brain.load_truth()"}
    return Recording(name="simulated_brain", data=data, unit="z", space="shared", notes=notes)


DATA_SET = EmbeddedDataSet(
    name="simulated_brain",
    kind="brain",
    citation="tuneshift: simulated participants with a planted truth (docs/simulated_data.md)",
    licence="CC0-1.0",
    sources=(),
    reader=_read,
    notes="No person was measured: responses come from hidden states of fable-8m, sentence length, drift and noise.",
    files=(FILE,),
)
