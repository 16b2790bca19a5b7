"""Command that says what this machine has, what is missing, and the one command that mends it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pandas as pd
import typer

from tuneshift.cli.options import AsJson
from tuneshift.cli.output import print_table

_PACKAGES = ("tuneshift", "torch", "transformers", "numpy", "xarray", "himalaya", "statsmodels")
_EXTRAS = {"ability": "lm_eval", "cluster": "ray", "tune": "trl", "surface": "nilearn", "large": "accelerate"}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """What this machine has for tuneshift: versions, GPU, data, disk; and how to get what is missing."""
    rows = [*_versions(), _gpu(), _data_folder(), *_data_sets(), _disk(), *_extras()]
    if as_json:
        sys.stdout.write(json.dumps({"rows": rows, "warnings": []}) + "\n")
    else:
        print_table(pd.DataFrame(rows))


def _row(what: str, state: str, mend: str = "") -> dict[str, str]:
    return {"what": what, "state": state, "to mend it": mend}


def _versions() -> list[dict[str, str]]:
    rows = [_row("python", platform.python_version())]
    return rows + [_row(package, version(package)) for package in _PACKAGES]


def _gpu() -> dict[str, str]:
    import torch

    if not torch.cuda.is_available():
        return _row("GPU", f"none; {torch.get_num_threads()} CPU threads are used")
    name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory
    return _row("GPU", f"{name}, {memory / 2**30:.0f} GiB")


def _data_folder() -> dict[str, str]:
    folder = os.environ.get("TUNESHIFT_DATA")
    if not folder:
        return _row("TUNESHIFT_DATA", "not set: data sets are downloaded when first used")
    if not os.path.isdir(folder):
        return _row("TUNESHIFT_DATA", f"{folder} is no folder", "export TUNESHIFT_DATA=/path/to/your/data")
    return _row("TUNESHIFT_DATA", folder)


def _data_sets() -> list[dict[str, Any]]:
    from tuneshift.human import DATA_SETS

    return [
        _row(f"data {name}", "here" if data_set.is_here() else "not here",
             "" if data_set.is_here() else f"tuneshift data {name} --fetch")
        for name, data_set in DATA_SETS.items()
    ]  # fmt: skip


def _disk() -> dict[str, str]:
    return _row("free disk here", f"{shutil.disk_usage('.').free / 2**30:.0f} GiB")


def _extras() -> list[dict[str, str]]:
    rows = []
    for extra, package in _EXTRAS.items():
        try:
            rows.append(_row(f"extra {extra}", f"{package} {version(package)}"))
        except PackageNotFoundError:
            rows.append(_row(f"extra {extra}", "not installed", f"pip install 'tuneshift[{extra}]'"))
    return rows
