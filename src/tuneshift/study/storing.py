"""Storing beside the work: the disk writes one result while the next job is measured."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from tuneshift.study.jobs import Outcome


class Storing:
    """Stores outcomes one at a time in a thread of its own, at most one waiting; `told` is called after each.

    What cannot be stored (a full disk) is raised by the next `take`, or at the end. Leaving waits for what is waiting.
    """

    def __init__(self, store: Callable[[Outcome], None], told: Callable[[], None]) -> None:
        self._store = store
        self._told = told
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._waiting: Future[None] | None = None

    def take(self, outcome: Outcome) -> None:
        """Hand over an outcome; waits until the one before is stored."""
        self._finish()
        self._waiting = self._thread.submit(self._store, outcome)

    def __enter__(self) -> Storing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._finish()
        finally:
            self._thread.shutdown()

    def _finish(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.result()
            self._told()
