"""The work itself, the same wherever it runs: load a model, measure, and say why where that fails."""

from __future__ import annotations

import gc
import os
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from tuneshift.errors import MeasurementFailed, TuneshiftError
from tuneshift.measurement import Measurement
from tuneshift.progress import Progress
from tuneshift.study.cell import encode_result
from tuneshift.study.internals import PairMeasurement
from tuneshift.study.jobs import Batch, Failed, Finished, Job, Outcome
from tuneshift.study.model_entry import ModelEntry

LoadModel = Callable[[ModelEntry], Any]


def measure_batch(batch: Batch, load_model: LoadModel, progress: Progress) -> Iterator[Outcome]:
    """Load the batch's model once and yield each job as it finishes or fails; a base is loaded where one is needed."""
    loaded: dict[ModelEntry, Any] = {}  # a model that would not load stands here as its error: it is not tried again
    facts: dict[str, Any] = {}
    for job in batch.jobs:
        started = time.perf_counter()
        try:
            model = _loaded(job.entry, loaded, load_model, progress)
            facts = facts or model_facts(model)
            if job.needs_base:
                if job.base is None:
                    raise MeasurementFailed("this measurement needs a base model, and the study gives none")
                _loaded(job.base, loaded, load_model, progress)
            files = _measured(job, loaded, progress)
            yield Finished(job, files, time.perf_counter() - started, facts)
        except Exception as error:  # one job's failure must never end the others
            yield Failed(job, reason(error))
    loaded.clear()
    _free_memory()


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


def smaller(measurement: Measurement) -> Measurement | None:
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


def _loaded(entry: ModelEntry, loaded: dict[ModelEntry, Any], load_model: LoadModel, progress: Progress) -> Any:
    if entry not in loaded:
        progress(f"loading {entry.label}", 0, 1)
        try:
            loaded[entry] = load_model(entry)
        except Exception as error:
            loaded[entry] = error
        progress(f"loading {entry.label}", 1, 1)
    if isinstance(loaded[entry], Exception):
        raise loaded[entry]
    return loaded[entry]


def _measured(job: Job, loaded: dict[ModelEntry, Any], progress: Progress) -> dict[str, bytes]:
    """Measure, with the batch halved as often as memory asks for it."""
    measurement: Measurement | None = job.measurement
    while True:
        assert measurement is not None
        try:
            if isinstance(measurement, PairMeasurement):
                assert job.base is not None
                return encode_result(measurement.run_pair(loaded[job.base], loaded[job.entry], progress))
            return encode_result(measurement.run(loaded[job.entry], progress))
        except (RuntimeError, MemoryError) as error:
            fewer = smaller(measurement) if is_out_of_memory(error) else None
            if fewer is None:
                raise
            measurement = fewer
        _free_memory()


def _free_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
