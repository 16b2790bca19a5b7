"""A measurement that takes no model, for tests of the engine: it writes down every time it runs."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from tuneshift.measurement import Measurement
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.study import register


@register
class Counted(Measurement):
    """Gives a number that follows from model and settings alone; appends a line to `log` when it starts and ends."""

    code_version: ClassVar[int] = 1
    kind: Literal["counted"] = "counted"
    number: int = 0
    seconds: float = 0.0
    log: Path | None = None
    fails: tuple[str, ...] = ()
    out_of_memory_above: int | None = None
    batch_size: int = 8
    dies: bool = False
    pids: Path | None = None
    until: Path | None = None
    bytes_an_item: int = 0
    words: Path | None = None
    seed: int = 0

    def data_checksum(self) -> str:
        """Return the checksum of the file of words."""
        return hashlib.sha256(self.words.read_bytes()).hexdigest() if self.words else ""

    def settings(self) -> dict[str, Any]:
        """Leave out what changes no number."""
        return self.model_dump(mode="json", exclude={"log", "seconds", "dies", "pids", "until"})

    def run(self, model: Any, progress: Progress = silent) -> Result:
        """Return ten rows and an array."""
        self._write(f"start {model.name} {self.number}")
        if self.pids is not None:
            (self.pids / f"{model.name} {self.number} {os.getpid()}").touch()
        if model.name in self.fails:
            raise ValueError("planted failure")
        if self.out_of_memory_above is not None and self.batch_size > self.out_of_memory_above:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if self.bytes_an_item:
            np.ones(self.batch_size * self.bytes_an_item, dtype=np.int8)  # more than any machine has
        if self.dies and model.name == "m1":
            os._exit(9)
        time.sleep(self.seconds)
        deadline = time.monotonic() + 60
        while self.until is not None and not self.until.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        value = sum(map(ord, model.name)) + 1000 * self.number + 0.25 * self.seed
        rows: list[dict[str, Any]] = [
            {"dataset": "none", "participant": "mean", "metric": "r", "value": value, "n": 10, "unit": "r"}
        ]
        rows += [
            {"dataset": "none", "participant": f"p{i}", "metric": "r", "value": value + i, "unit": "r"}
            for i in range(9)
        ]
        curve = xr.DataArray(
            np.arange(6.0).reshape(2, 3) + value,
            dims=("layer", "word"),
            coords={"layer": [0, 1], "word": ["a", "b", "c"]},
        )
        self._write(f"end {model.name} {self.number}")
        details = {"batch_size": self.batch_size, "missing": float("nan")}
        return Result.from_rows(rows, arrays={"curve": curve}, warnings=("made up",), details=details)

    def _write(self, line: str) -> None:
        if self.log is not None:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(line + "\n")


class FakeModel:
    """Stands where a LanguageModel stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.n_parameters = 1000 * len(name)


def load_fake(entry: Any) -> FakeModel:
    """Load a model by name; the model `broken` will not load."""
    if entry.label == "broken":
        raise OSError("weights are not readable")
    return FakeModel(entry.label)


def fake_revision(entry: Any) -> str:
    """Return a revision that follows from the name."""
    return f"revision of {entry.label}"
