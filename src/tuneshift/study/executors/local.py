"""The local executor: every job in this process, one model in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tuneshift.progress import Progress
from tuneshift.study.executors.work import LoadModel, Workplace
from tuneshift.study.jobs import Batch, Outcome


def run_locally(
    batches: Sequence[Batch], load_model: LoadModel, progress: Progress, stopped: Callable[[], bool]
) -> Iterator[Outcome]:
    """Yield the outcome of every job, model by model; no job is begun once `stopped()` is true."""
    for batch in batches:
        workplace = Workplace(load_model, progress)
        for job in batch.jobs:
            if stopped():
                return
            yield workplace.measure(job)
        workplace.close()
