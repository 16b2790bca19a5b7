"""One thread for small problems and on crowded machines: several wait for each other longer than they work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(when: bool = True) -> Iterator[None]:
    """Let torch compute on one thread where `when` holds, or where other programs already ask for all processors.

    Afterwards torch has its threads back. On a busy machine the threads of one small step wait for each other for
    seconds.
    """
    before = torch.get_num_threads()
    if before > 1 and (when or crowded()):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def crowded() -> bool:
    """Whether programs ask for more processors than there are."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
