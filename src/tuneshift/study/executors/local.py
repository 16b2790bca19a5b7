"""The local executor: every job in this process, one model in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneshift.progress import Progress
from tuneshift.study.executors.work import LoadModel, measure_batch
from tuneshift.study.jobs import Batch, Outcome


def run_locally(batches: Sequence[Batch], load_model: LoadModel, progress: Progress) -> Iterator[Outcome]:
    """Yield the outcome of every job, model by model."""
    for batch in batches:
        yield from measure_batch(batch, load_model, progress)
