"""Writing netCDF whole or not at all, and the mark of the layout that recordings are kept in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import xarray as xr

from tuneshift.errors import BadInput

LAYOUT = "tuneshift recording 1"


def save_whole(dataset: xr.Dataset, path: Path, name: str) -> Path:
    """Write a dataset to a netCDF file, compressed; it appears whole or not at all (errors: `Recording.to_netcdf`)."""
    if not path.parent.is_dir():
        raise BadInput(f"{path.parent} is no folder; make it first, or write {path.name} elsewhere.")
    encoding: dict[str, Any] = {
        str(v): {"zlib": True, "complevel": 1} for v in dataset.data_vars if dataset[v].ndim == 2
    }
    for variable in [str(v) for v in dataset.variables]:
        if dataset[variable].dtype.kind == "U":
            dataset[variable] = dataset[variable].astype(object)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        dataset.to_netcdf(unfinished, engine="h5netcdf", encoding=encoding)
        unfinished.replace(path)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path}: {name} has a coordinate that netCDF cannot hold ({error}).") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path
