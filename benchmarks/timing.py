"""Timing side by side: contenders take turns, so that a machine whose speed drifts is fair to all of them."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import torch


def side_by_side(contenders: dict[str, Callable[[], object]], runs: int = 5) -> dict[str, float]:
    """Return the median seconds of each contender over `runs` rounds, after one warm-up round."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_number in range(runs + 1):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if round_number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def print_ratios(medians: dict[str, float], ours: str) -> None:
    """Print the median of each contender and how many times longer than `ours` it takes."""
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, medians")
    for name, median in medians.items():
        print(f"  {name:<44} {median:9.3f} s   {median / medians[ours]:7.2f} x")
