"""The work itself, the same wherever it runs: load a model, measure, and say why where that fails."""

from __future__ import annotations

import gc
import os
import platform
import time
import traceback
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tuneshift.errors import MeasurementFailed, TuneshiftError
from tuneshift.measurement import Measurement, PairMeasurement, Specification
from tuneshift.progress import Progress, silent
from tuneshift.result import Result
from tuneshift.study.cell import encode_result
from tuneshift.study.jobs import Failed, Finished, Job, Outcome
from tuneshift.study.model_entry import ModelEntry

_PACKAGES = ("tuneshift", "torch", "transformers", "tokenizers", "numpy", "scipy", "himalaya")

LoadModel = Callable[[ModelEntry], Any]
"""Loads the model of an entry; see `tuneshift.study.model_entry.load_entry`."""


RevisionOf = Callable[[ModelEntry], str]
"""Names the weights of a model, for its fingerprints; see `tuneshift.study.model_entry.entry_revision`."""


class Workplace:
    """Where jobs are measured one after the other; each model is loaded once and stays until `close`."""

    def __init__(self, load_model: LoadModel, progress: Progress = silent) -> None:
        self._load_model = load_model
        self._progress = progress
        self._loaded: dict[ModelEntry, Any] = {}  # a model that would not load stands here as its error
        self._facts: dict[ModelEntry, dict[str, Any]] = {}

    def measure(self, job: Job) -> Outcome:
        """Measure one job; a failure of whatever kind is an outcome, never an exception."""
        started = time.perf_counter()
        try:
            model = self._model(job.entry)
            if job.entry not in self._facts:
                self._facts[job.entry] = model_facts(model)
            if job.needs_base:
                if job.base is None:
                    raise MeasurementFailed("this measurement needs a base model, and the study gives none")
                self._model(job.base)
            files = self._measured(job)
            return Finished(job, files, time.perf_counter() - started, self._facts[job.entry], versions())
        except Exception as error:  # one job's failure must never end the others
            return Failed(job, reason(error))

    def close(self) -> None:
        """Let the models go."""
        heavy = any(hasattr(model, "torch_model") for model in self._loaded.values())
        self._loaded.clear()
        if heavy:
            _free_memory()

    def _model(self, entry: ModelEntry) -> Any:
        if entry not in self._loaded:
            self._progress(f"loading {entry.label}", 0, 1)
            try:
                self._loaded[entry] = self._load_model(entry)
            except TuneshiftError as error:
                self._loaded[entry] = error
            except Exception as error:
                self._loaded[entry] = MeasurementFailed(f"{entry.reference} could not be loaded: {reason(error)}")
            self._progress(f"loading {entry.label}", 1, 1)
        if isinstance(self._loaded[entry], Exception):
            raise self._loaded[entry]
        return self._loaded[entry]

    def _measured(self, job: Job) -> dict[str, bytes]:
        """Measure, with the batch halved as often as memory asks for it."""
        measurement: Specification | None = job.measurement
        while True:
            assert measurement is not None
            try:
                if isinstance(measurement, PairMeasurement):
                    assert job.base is not None
                    base, tuned = self._loaded[job.base], self._loaded[job.entry]
                    return _encoded(measurement.run(base, tuned, self._progress))
                assert isinstance(measurement, Measurement)
                return _encoded(measurement.run(self._loaded[job.entry], self._progress))
            except (RuntimeError, MemoryError) as error:
                fewer = smaller(measurement) if is_out_of_memory(error) else None
                if fewer is None:
                    raise
                measurement = fewer
            _free_memory()


def _encoded(result: Result) -> dict[str, bytes]:
    """Return the files of a result without names: a cell belongs to every model of the same weights."""
    return encode_result(result.with_columns(model=None, base_model=None, tuned=None))


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a number."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def reason(error: BaseException) -> str:
    """Return why a job failed, in one line; an error that is none of ours names the place where it was raised."""
    if os.environ.get("TUNESHIFT_DEBUG"):
        traceback.print_exception(error)
    text = " ".join(str(error).split()) or "no reason given"
    if isinstance(error, TuneshiftError):
        return text
    if is_out_of_memory(error):
        return f"out of memory ({text[:200]})"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(frames[-1].filename)} line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text[:500]}{place}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a GPU or the machine has no memory left."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def smaller(measurement: Specification) -> Specification | None:
    """Return the measurement with its batch (`batch_size`, `batch_tokens`) halved, None where it offers none."""
    halved = {
        name: value // 2
        for name in ("batch_size", "batch_tokens")
        if isinstance(value := getattr(measurement, name, None), int) and value > 1
    }
    return measurement.model_copy(update=halved) if halved else None


def model_facts(model: Any) -> dict[str, Any]:
    """Return what comparisons need to know of a loaded model: parameters, dtype, and a mark of its tokenizer."""
    facts: dict[str, Any] = {}
    if getattr(model, "n_parameters", None):
        facts["n_parameters"] = int(model.n_parameters)
    if getattr(model, "dtype", None) is not None:
        facts["dtype"] = str(model.dtype).removeprefix("torch.")
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is not None:
        facts["tokenizer"] = tokenizer_mark(tokenizer)
    return facts


def tokenizer_mark(tokenizer: Any) -> str:
    """Return 16 hexadecimal digits over how a tokenizer cuts ordinary text: vocabulary, merges and normalisation.

    Added special tokens (a pad token, chat marks) are left out: they cut no ordinary text.
    """
    import hashlib
    import json

    document = json.loads(tokenizer.backend_tokenizer.to_str())
    added = {token["content"] for token in document.get("added_tokens") or ()}
    model = dict(document["model"])
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        model["vocab"] = {token: number for token, number in vocabulary.items() if token not in added}
    parts = [model, document.get("normalizer"), document.get("pre_tokenizer")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
