"""Command that says what this machine has, what is missing, and the one command that mends it."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Annotated

import typer

from tuneshift.cli.options import AsJson
from tuneshift.cli.output import print_json, print_table
from tuneshift.errors import BadInput

_PACKAGES = ("tuneshift", "torch", "transformers", "safetensors", "numpy", "xarray", "himalaya", "statsmodels")
_EXTRAS = {"ability": "lm_eval", "cluster": "ray", "tune": "trl", "surface": "nilearn", "large": "accelerate"}
_LITTLE_DISK = 5
"""GiB: a 1B model in bfloat16 and the results of a large study."""

Row = dict[str, str]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(doctor)


def doctor(
    online: Annotated[bool, typer.Option("--online", help="Also ask whether the model hub answers.")] = False,
    as_json: AsJson = False,
) -> None:
    """What this machine has for tuneshift: versions, GPU, data, disk; and how to get what is missing.

    Always ends with exit status 0: what is missing stands in the table, with the command that mends it.
    """
    rows = [_python(), *_packages(), _processor(), _gpu(), _data_folder(), *_data_sets(), *_caches(), _disk()]
    rows += [*_extras(), *([_hub()] if online else [])]
    if as_json:
        print_json(rows)
        return
    import pandas as pd

    print_table(pd.DataFrame(rows))


def _row(what: str, state: str, mend: str = "") -> Row:
    return {"what": what, "state": state, "to mend it": mend}


def _python() -> Row:
    return _row("python", f"{platform.python_version()} ({platform.system()} {platform.machine()})")


def _packages() -> list[Row]:
    return [_package(package, package, f"pip install {package}") for package in _PACKAGES]


def _package(what: str, package: str, mend: str) -> Row:
    try:
        name = "" if what == package else f"{metadata(package)['Name']} "
        return _row(what, f"{name}{version(package)}")
    except PackageNotFoundError:
        return _row(what, "not installed", mend)


def _processor() -> Row:
    memory = ""
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of memory"
    return _row("processor", f"{os.cpu_count()} cores{memory}")


def _gpu() -> Row:
    try:
        import torch
    except ImportError as error:
        return _row("GPU", f"unknown: torch does not load ({error})", "pip install --force-reinstall torch")
    if not torch.cuda.is_available():
        return _row("GPU", f"none; {torch.get_num_threads()} CPU threads are used")
    name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory
    return _row("GPU", f"{name}, {memory / 2**30:.0f} GiB")


def _data_folder() -> Row:
    folder = os.environ.get("TUNESHIFT_DATA")
    if not folder:
        return _row("TUNESHIFT_DATA", "not set: data sets are downloaded when first used")
    if not os.path.isdir(folder):
        return _row("TUNESHIFT_DATA", f"{folder} is no folder", "export TUNESHIFT_DATA=/path/to/your/data")
    if not os.access(folder, os.R_OK | os.X_OK):
        return _row("TUNESHIFT_DATA", f"{folder} cannot be read", f"chmod -R u+rX {folder}")
    return _row("TUNESHIFT_DATA", folder)


def _data_sets() -> list[Row]:
    from tuneshift.human import DATA_SETS

    rows = []
    for name, data_set in DATA_SETS.items():
        if not data_set.is_here():
            rows.append(_row(f"data {name}", "not here", f"tuneshift data {name} --fetch"))
            continue
        try:
            data_set.checked_files()  # raises where a checksum is wrong
            rows.append(_row(f"data {name}", "here and intact" if data_set.sources else "comes with the package"))
        except (BadInput, OSError) as error:
            rows.append(_row(f"data {name}", f"damaged: {error}", f"tuneshift data {name} --fetch"))
    return rows


def _caches() -> list[Row]:
    """Downloads are kept in two folders: data and named concepts in ours, models in that of the hub."""
    import pooch
    from huggingface_hub.constants import HF_HUB_CACHE

    places = {"cache of data": Path(pooch.os_cache("tuneshift")), "cache of models": Path(HF_HUB_CACHE)}
    return [_cache(what, folder) for what, folder in places.items()]


def _cache(what: str, folder: Path) -> Row:
    if not folder.exists():
        return _row(what, f"{folder}, not made yet")
    if not os.access(folder, os.W_OK | os.X_OK):
        return _row(what, f"{folder} cannot be written", f"chmod -R u+rwX {folder}")
    paths = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    size = sum(path.lstat().st_size for path in paths if path.exists())
    return _row(what, f"{folder}, {size / 2**30:.2f} GiB")


def _disk() -> Row:
    free = shutil.disk_usage(".").free / 2**30
    return _row("free disk here", f"{free:.0f} GiB", "free some space" if free < _LITTLE_DISK else "")


def _extras() -> list[Row]:
    return [
        _package(f"extra {extra}", package, f"pip install 'tuneshift[{extra}]'") for extra, package in _EXTRAS.items()
    ]


def _hub() -> Row:
    from huggingface_hub import HfApi

    try:
        HfApi().model_info("openai-community/gpt2", timeout=10)
    except Exception as error:
        return _row(
            "model hub", f"no answer ({type(error).__name__})", "connect to the network, or unset HF_HUB_OFFLINE"
        )
    return _row("model hub", "answers")
