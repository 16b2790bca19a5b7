"""A Ray cluster: one that is there, or one started on this machine for the time of a run."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tuneshift.errors import BadInput, MeasurementFailed, MissingExtra, first_line
from tuneshift.study.config import ExecutorOptions
from tuneshift.study.executors.needs import Needs
from tuneshift.study.plan import GIB

_PROBE_SECONDS = 120


def ray_package() -> Any:
    """Return the package `ray`; MissingExtra where it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "cluster") from error
    return ray


class Cluster:
    """The machines at hand: what each can hold, and how much memory one of their GPUs has."""

    def __init__(self, options: ExecutorOptions) -> None:
        self._ray = ray_package()
        self._options = options
        self.gpu_memory_gib = self._gpu_memory() if options.gpu_memory_gib is None else options.gpu_memory_gib
        self.n_workers = options.workers or max(1, int(self._total("CPU") // options.cpus_per_worker))

    def can_hold(self, needs: Needs) -> bool:
        """Whether some machine is large enough; with `autoscaling`, one may yet come."""
        return self._options.autoscaling or any(needs.fit(machine) for machine in self._machines())

    def _machines(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _total(self, name: str) -> float:
        return sum(machine.get(name, 0) for machine in self._machines())

    def _gpu_memory(self) -> float:
        """Return the memory of one GPU in GiB, asked of one of them; 0 where the cluster has none."""
        if not self._total("GPU"):
            return 0.0
        asked = self._ray.remote(num_cpus=0, num_gpus=1)(_gpu_memory_here).remote()
        try:
            return float(self._ray.get(asked, timeout=_PROBE_SECONDS))
        except self._ray.exceptions.RayError as error:
            raise MeasurementFailed(
                f"no GPU of the cluster answered in {_PROBE_SECONDS} s; give its memory in the study "
                "(executor: gpu_memory_gib, 0 for none)."
            ) from error


@contextmanager
def connected(options: ExecutorOptions) -> Iterator[Cluster]:
    """Join the cluster of `options.address`, else of RAY_ADDRESS (which Ray's own launchers set), else start one here.

    One that is started here ends with the run. Raises BadInput where nothing answers at the address.
    """
    ray = ray_package()
    ours = not ray.is_initialized()
    if ours:
        logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **_place(options))
        except (ConnectionError, RuntimeError, ValueError, ImportError, OSError) as error:
            raise BadInput(
                f"no Ray cluster answers at {_address(options) or 'this machine'} ({first_line(error)}); start one "
                "with `ray start --head`, or leave `address:` and RAY_ADDRESS out to use this machine alone."
            ) from error
    try:
        yield Cluster(options)
    finally:
        if ours:
            ray.shutdown()


def _place(options: ExecutorOptions) -> dict[str, Any]:
    """Return what `ray.init` must know to join a cluster, or to start one here that finds the modules we find."""
    if (address := _address(options)) is not None:
        return {"address": address}
    from ray.job_config import JobConfig

    n_cpus = options.workers * options.cpus_per_worker if options.workers else os.cpu_count() or 1
    modules = JobConfig(_py_driver_sys_path=[path for path in sys.path if path])
    return {
        "address": "local",
        "num_cpus": max(1, round(n_cpus)),
        "include_dashboard": False,
        "job_config": modules,
    }


def _address(options: ExecutorOptions) -> str | None:
    return options.address or os.environ.get("RAY_ADDRESS") or None


def _gpu_memory_here() -> float:
    import torch

    return torch.cuda.get_device_properties(0).total_memory / GIB
