"""What runs on a machine of the cluster: one model at a time, its measurements, and word of how far they are."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import Any

from tuneshift.study.executors.needs import Needs, spread
from tuneshift.study.executors.work import LoadModel, RevisionOf, Workplace
from tuneshift.study.jobs import Failed, Job, Outcome, fingerprinted
from tuneshift.study.model_entry import ModelEntry

Step = tuple[str, int, int]
_TELL_EVERY = 0.5


class Board:
    """Where workers write how far they are, and the driver reads it: the newest step of each worker."""

    def __init__(self) -> None:
        self._newest: dict[str, Step] = {}

    def write(self, worker: str, step: Step) -> None:
        """Replace a worker's step."""
        self._newest[worker] = step

    def read(self) -> dict[str, Step]:
        """Return the steps written since the last reading."""
        newest, self._newest = self._newest, {}
        return newest


class Worker:
    """Measures jobs one at a time; a model is loaded with its first job and stays until a job of another model."""

    def __init__(self, name: str, needs: Needs, load_model: LoadModel, revision_of: RevisionOf, board: Any):
        self._name = name
        self._board = board
        self._entry: ModelEntry | None = None
        self._told = 0.0
        self._revision_of = revision_of
        self._workplace = Workplace(lambda wanted: load_model(spread(wanted, needs)), self._tell)

    def ready(self) -> str:
        """Return the name of this machine."""
        return socket.gethostname()

    def measure(self, job: Job) -> Outcome:
        """Measure one job, if model, data and code here are those that the driver knows."""
        here = fingerprinted([replace(job, fingerprint="", revision="", problem="")], self._revision_of)[0]
        if here.problem:
            return Failed(job, f"{here.problem} (on the machine {socket.gethostname()})")
        if here.fingerprint != job.fingerprint:
            return Failed(
                job,
                f"the machine {socket.gethostname()} holds another version of the model, of the data or of tuneshift "
                "than this one; bring both to the same",
            )
        if job.entry != self._entry:
            self._workplace.close()
            self._entry = job.entry
        return self._workplace.measure(job)

    def _tell(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - self._told > _TELL_EVERY:
            self._told = now
            label = self._entry.label if self._entry else ""
            self._board.write.remote(self._name, (f"{label}: {what}", done, total))
