"""Needs: what a model asks of the machine that measures it, from its size and dtype."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tuneshift.study.jobs import Batch
from tuneshift.study.model_entry import ModelEntry
from tuneshift.study.plan import GIB, weight_bytes

OVERHEAD = 1.2
"""Weights and what is computed beside them; batches shrink to fit what is left."""
PROCESS_BYTES = 1 * GIB
"""A process that has loaded torch, transformers and a data set."""
_PARTS_OF_A_GPU = 4
"""A small model takes a quarter of a GPU at the least."""


@dataclass(frozen=True)
class Needs:
    """Processors, GPUs (a part of one, or several whole ones) and bytes of main memory."""

    cpus: float
    gpus: float
    memory: int

    def fit(self, machine: Mapping[str, float]) -> bool:
        """Whether a machine's resources (`CPU`, `GPU`, `memory`, as Ray tells them) are enough when it is idle."""
        return (
            machine.get("CPU", 0) >= self.cpus
            and machine.get("GPU", 0) >= self.gpus
            and machine.get("memory", math.inf) >= self.memory
        )

    def cover(self, other: Needs) -> bool:
        """Whether a worker that was given this can take a model that asks for `other` without wasting GPUs."""
        return self.cpus == other.cpus and self.gpus == other.gpus and self.memory >= other.memory

    def __str__(self) -> str:
        gpus = f", {self.gpus:g} GPU{'s' if self.gpus > 1 else ''}" if self.gpus else ""
        return f"{self.cpus:g} CPU{'s' if self.cpus != 1 else ''}{gpus} and {self.memory / GIB:.1f} GiB of memory"


def needs_of(batch: Batch, cpus: float, gpu_memory_gib: float) -> Needs:
    """Return what a model and, where a measurement compares the two, its base ask for; `gpu_memory_gib` of one GPU.

    With 0 no GPU is asked for. Weights of a size that nobody knows count as nothing: give `parameters:` in the study.
    """
    bases = {job.base for job in batch.jobs if job.needs_base and job.base is not None}
    weights = _weights([batch.entry, *bases]) * OVERHEAD
    if gpu_memory_gib <= 0 or batch.entry.device == "cpu" or batch.entry.surprisals is not None:
        return Needs(cpus, 0, int(weights + PROCESS_BYTES))
    share = weights / (gpu_memory_gib * GIB)
    gpus = math.ceil(share) if share > 1 else max(math.ceil(share * _PARTS_OF_A_GPU), 1) / _PARTS_OF_A_GPU
    return Needs(cpus, gpus, PROCESS_BYTES)


def spread(entry: ModelEntry, needs: Needs) -> ModelEntry:
    """Return the entry with `device_map: auto` where one GPU cannot hold the model."""
    return entry.model_copy(update={"device_map": "auto"}) if needs.gpus > 1 and entry.device_map is None else entry


def _weights(entries: Iterable[ModelEntry]) -> float:
    return sum(weight_bytes(entry) or 0.0 for entry in entries)
