"""The ray executor: models spread over the machines of a cluster, each result sent back as it is finished."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from tuneshift.errors import MeasurementFailed
from tuneshift.progress import Progress
from tuneshift.study.config import ExecutorOptions
from tuneshift.study.executors.needs import Needs, needs_of
from tuneshift.study.executors.ray_cluster import Cluster, connected, ray_package
from tuneshift.study.executors.ray_worker import Board, Worker
from tuneshift.study.executors.work import LoadModel, RevisionOf, reason
from tuneshift.study.jobs import Batch, Failed, Job, Outcome

_LOOK_EVERY = 0.5


def run_on_ray(
    batches: Sequence[Batch],
    load_model: LoadModel,
    revision_of: RevisionOf,
    progress: Progress,
    stopped: Callable[[], bool],
    options: ExecutorOptions,
) -> Iterator[Outcome]:
    """Yield the outcome of every job as it arrives, in no fixed order; no job is begun once `stopped()` is true.

    A worker holds one model and measures its jobs one at a time, then the next model that asks for no more than it
    has; at most `options.workers` models are held at once, and at most one result a worker waits to be stored, so that
    neither machines nor this process run full. Where a worker
    dies, its jobs go to another one; a job that has ended more than `options.retries` workers fails with its reason.
    Raises BadInput where there is no such cluster, MeasurementFailed where the cluster is lost.
    """
    with connected(options) as cluster:
        driver = _Driver(cluster, load_model, revision_of, stopped, options)
        try:
            yield from driver.outcomes(batches, progress)
        finally:
            driver.dismiss()


@dataclass
class _Seat:
    """A worker with its model: the jobs that wait for it, and the one that it measures (None while it starts)."""

    actor: Any
    needs: Needs
    batch: Batch
    waiting: deque[Job]
    running: Job | None = None


class _Driver:
    def __init__(
        self,
        cluster: Cluster,
        load_model: LoadModel,
        revision_of: RevisionOf,
        stopped: Callable[[], bool],
        options: ExecutorOptions,
    ) -> None:
        self._ray = ray_package()
        self._cluster = cluster
        self._given = (load_model, revision_of)
        self._stopped = stopped
        self._options = options
        self._board = self._ray.remote(num_cpus=0)(Board).remote()
        self._queue: deque[Batch] = deque()
        self._seats: dict[Any, _Seat] = {}  # by the answer that is awaited of each
        self._deaths: Counter[str] = Counter()
        self._numbers = count(1)

    def outcomes(self, batches: Sequence[Batch], progress: Progress) -> Iterator[Outcome]:
        """Yield every outcome."""
        self._queue.extend(batches)
        while self._queue or self._seats:
            if self._stopped():
                self._queue.clear()
                self._dismiss_starting()
            while self._queue and len(self._seats) < self._cluster.n_workers:
                yield from self._seated(self._queue.popleft())
            answered, _ = self._ray.wait(list(self._seats), timeout=_LOOK_EVERY) if self._seats else ([], [])
            for answer in answered:
                yield from self._heard(answer, self._seats.pop(answer))
            self._tell(progress)

    def dismiss(self) -> None:
        """End all workers that are left, and the board."""
        for seat in self._seats.values():
            self._ray.kill(seat.actor)
        self._seats.clear()
        self._ray.kill(self._board)

    def _seated(self, batch: Batch) -> Iterator[Outcome]:
        """Ask for a worker; where no machine is large enough, its jobs fail."""
        needs = self._needs(batch)
        if not self._cluster.can_hold(needs):
            why = f"no machine of the cluster has {needs}"
            yield from (Failed(job, why) for job in batch.jobs)
            return
        actor = (
            self._ray.remote(Worker)
            .options(**self._resources(needs))
            .remote(f"worker {next(self._numbers)}", needs, *self._given, self._board)
        )
        self._seats[actor.ready.remote()] = _Seat(actor, needs, batch, deque(batch.jobs))

    def _needs(self, batch: Batch) -> Needs:
        return needs_of(batch, self._options.cpus_per_worker, self._cluster.gpu_memory_gib)

    def _resources(self, needs: Needs) -> dict[str, Any]:
        found: dict[str, Any] = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "memory": needs.memory}
        if self._options.environment:
            found["runtime_env"] = {"env_vars": dict(self._options.environment)}
        return {**found, "max_restarts": 0, "max_task_retries": 0}

    def _heard(self, answer: Any, seat: _Seat) -> Iterator[Outcome]:
        """Take a worker's answer; give it its next job before the caller stores the result."""
        job = seat.running
        try:
            said = self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:  # the job could not be read there, or the result here
            said = Failed(job, reason(error.cause)) if job else None
            if job is None:
                yield from self._died(seat, error)
                return
        except (self._ray.exceptions.RaySystemError, ConnectionError) as error:
            raise MeasurementFailed(
                f"the Ray cluster was lost ({_short(error)}); run the same command again."
            ) from error
        except self._ray.exceptions.RayError as error:
            yield from self._died(seat, error)
            return
        self._next(seat)
        if job is not None:
            yield replace(said, job=job)

    def _next(self, seat: _Seat) -> None:
        """Give a worker its next job; without one, the next model if it can hold it (starting a worker costs time)."""
        if not seat.waiting and self._queue and seat.needs.cover(self._needs(self._queue[0])):
            seat.batch = self._queue.popleft()
            seat.waiting.extend(seat.batch.jobs)
        if not seat.waiting or self._stopped():
            self._ray.kill(seat.actor)
            return
        seat.running = seat.waiting.popleft()
        self._seats[seat.actor.measure.remote(seat.running)] = seat

    def _died(self, seat: _Seat, error: Exception) -> Iterator[Outcome]:
        """Send the jobs of a dead worker to another one, without the job that has ended too many."""
        self._ray.kill(seat.actor)  # it may only be out of reach: nothing must be measured twice at once
        if getattr(error, "actor_init_failed", False):  # the same would happen anywhere
            yield from (Failed(job, f"no worker could be started: {_last_line(error)}") for job in seat.waiting)
            return
        suspect = seat.running or seat.waiting.popleft()
        self._deaths[suspect.fingerprint] += 1
        times = self._deaths[suspect.fingerprint]
        left = list(seat.waiting)
        if times > self._options.retries:
            yield Failed(suspect, f"its worker died {times} times; the last time: {_short(error)}")
        else:
            left.insert(0, suspect)
        if left:
            self._queue.appendleft(Batch(seat.batch.entry, tuple(left)))

    def _dismiss_starting(self) -> None:
        for answer, seat in list(self._seats.items()):
            if seat.running is None:
                self._ray.kill(seat.actor)
                del self._seats[answer]

    def _tell(self, progress: Progress) -> None:
        try:
            for step in self._ray.get(self._board.read.remote(), timeout=5).values():
                progress(*step)
        except self._ray.exceptions.RayError:
            return  # nobody is hurt by progress that is not told


def _last_line(error: BaseException) -> str:
    """Return the last line of one of Ray's messages, where the error that began it all stands."""
    return ([line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__])[-1]


def _short(error: BaseException) -> str:
    """Return what a person needs of one of Ray's long messages."""
    text = " ".join(str(error).split())
    return text if len(text) <= 240 else f"{text[:240]} ..."
