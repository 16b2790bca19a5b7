"""plan: what a study would cost, said before anything is loaded or downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tuneshift.models.revision import local_folder
from tuneshift.models.stored_size import stored_parameters
from tuneshift.study.config import Study, load_study
from tuneshift.study.description import describe
from tuneshift.study.jobs import Job, plan_jobs
from tuneshift.study.model_entry import ModelEntry

GIB = 2**30
_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
_CPU_FLOPS, _GPU_FLOPS = 5e10, 1e14
"""Rough speeds in operations a second: two CPU cores in float32; one current GPU in bfloat16, far from its peak."""
_READ_BYTES, _DOWNLOAD_BYTES = 1e9, 5e7
_GPU_FROM = 3e8
"""From this many parameters on, times are estimated for a GPU."""

PLAN_COLUMNS = (
    "model",
    "base_model",
    "measurement",
    "parameters",
    "dtype",
    "device",
    "gpu_memory_gib",
    "download_gib",
    "estimated_minutes",
    "note",
)


def plan(study: str | Path | Mapping[str, Any] | Study) -> pd.DataFrame:
    """Return the jobs of a study, one row each, and a last row `total`; no model is loaded and no network is used.

    Columns `PLAN_COLUMNS`: the device that times are estimated for, memory of the weights plus a fifth, the base's too
    where both are loaded (for the total, the largest), download of weights that are not on this machine (2 bytes a
    parameter; counted once a model), and a rough time. The size of a folder here is read from the headers of its files;
    one that nobody knows leaves its cells empty. Raises BadInput for a study that cannot be read.
    """
    jobs = plan_jobs(load_study(study))
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for job in jobs:
        first = job.entry.label not in seen
        seen.add(job.entry.label)
        rows.append(_row(job, first))
    frame = pd.DataFrame(rows, columns=list(PLAN_COLUMNS)).astype({"parameters": "Float64"})
    total = {
        "model": "total",
        "measurement": f"{len(jobs)} jobs, {len(seen)} models",
        "gpu_memory_gib": frame["gpu_memory_gib"].max(),
        "download_gib": frame["download_gib"].sum(),
        "estimated_minutes": frame["estimated_minutes"].sum(),
        "note": "sizes not known are not counted" if frame["parameters"].isna().any() else "",
    }
    last = pd.DataFrame([total], columns=list(PLAN_COLUMNS)).astype({"parameters": "Float64"})
    frame = pd.concat([frame, last], ignore_index=True)
    frame["parameters"] = frame["parameters"].round().astype("Int64")
    return frame.round({"gpu_memory_gib": 2, "download_gib": 2, "estimated_minutes": 1})


def weight_bytes(entry: ModelEntry) -> float | None:
    """Return the memory of a model's weights in bytes from size and dtype, None where the size is not known."""
    if entry.surprisals is not None:
        return 0.0
    size = known_size(entry)
    return size * _BYTES[_dtype(entry)] if size else None


def known_size(entry: ModelEntry) -> float | None:
    """Return the number of parameters: as the study, the registry or the files of a folder here say; else None."""
    return entry.n_parameters or (stored_parameters(entry.reference) if entry.surprisals is None else None)


def held_bytes(job: Job) -> float | None:
    """Return the memory of all weights that a job holds at once: the model's, and its base's where it needs both."""
    held = [job.entry, job.base] if job.needs_base and job.base is not None else [job.entry]
    known = [size for entry in held if (size := weight_bytes(entry)) is not None]
    return sum(known) if len(known) == len(held) else None


def _row(job: Job, first: bool) -> dict[str, Any]:
    entry = job.entry
    weights = held_bytes(job)
    here = entry.surprisals is not None or is_here(entry)
    size = known_size(entry)
    download = 0.0 if here else 2 * size if size else None
    seconds = _seconds(job, (download or 0.0) if first else 0.0, first)
    card = entry.card
    return {
        "model": entry.label,
        "base_model": job.base.label if job.base else None,
        "measurement": describe(job.measurement),
        "parameters": size,
        "dtype": "" if entry.surprisals is not None else _dtype(entry),
        "device": "cpu" if entry.surprisals is not None else _device(entry),
        "gpu_memory_gib": None if weights is None else 1.2 * weights / GIB,
        "download_gib": None if download is None else download / GIB if first else 0.0,
        "estimated_minutes": None if seconds is None else seconds / 60,
        "note": card.notes if card and not here and first else "",
    }


def _seconds(job: Job, download: float, first: bool) -> float | None:
    entry, kind = job.entry, type(job.measurement).meaning()
    fixed = kind.seconds
    if entry.surprisals is not None:
        return fixed
    size = known_size(entry)
    if size is None:
        return None
    speed = _GPU_FLOPS if _device(entry) == "gpu" else _CPU_FLOPS
    settings = job.measurement.settings()
    tokens = kind.tokens * (float(settings["n_prompts"] or 40) / 40 if "n_prompts" in settings else 1.0)
    loading = (weight_bytes(entry) or 0.0) / _READ_BYTES + download / _DOWNLOAD_BYTES if first else 0.0
    return fixed + loading + 2 * size * tokens / speed


def _dtype(entry: ModelEntry) -> str:
    if entry.dtype != "auto":
        return entry.dtype if entry.dtype in _BYTES else "float32"
    return "bfloat16" if _device(entry) == "gpu" else "float32"


def _device(entry: ModelEntry) -> str:
    """Return where a model of this size is measured by anyone who has the choice."""
    return "cpu" if entry.device == "cpu" or (known_size(entry) or 0) < _GPU_FROM else "gpu"


def is_here(entry: ModelEntry) -> bool:
    """Whether the weights lie on this machine: embedded, a folder, or in the hub's cache."""
    if local_folder(entry.reference) is not None:
        return True
    if "/" not in entry.reference:
        return False
    from huggingface_hub import try_to_load_from_cache

    names = ("model.safetensors", "model.safetensors.index.json")
    revision = entry.wanted_revision() or "main"
    return any(isinstance(try_to_load_from_cache(entry.reference, name, revision=revision), str) for name in names)
