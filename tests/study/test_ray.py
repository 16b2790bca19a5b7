"""A study on a Ray cluster of two workers ends in the table of a run in one process, whoever dies in between."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_study import FakeModel, fake_revision, load_fake

from tuneshift.study import StudyResults, run
from tuneshift.study.config import ExecutorOptions
from tuneshift.study.executors.ray_cluster import connected

pytest.importorskip("ray", reason="ray is not installed (extra `cluster`)")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Two processors, so two workers at once."""
    with connected(ExecutorOptions(kind="ray", workers=2)):
        yield


def study(tmp_path: Path, n_models: int = 4, n_measurements: int = 3, **options: Any) -> dict[str, Any]:
    log = str(tmp_path / "log.txt")
    measurements = [{"kind": "counted", "number": k, "log": log, **options} for k in range(n_measurements)]
    models: list[Any] = ["m0", *({"model": f"m{i}", "base": "m0"} for i in range(1, n_models))]
    return {"name": "x", "models": models, "measurements": measurements}


def go(what: dict[str, Any], out: Path, executor: str = "ray", **options: Any) -> StudyResults:
    return run(what, out=out, executor=executor, **{"load_model": load_fake, "revision_of": fake_revision, **options})


def same_as_local(on_ray: StudyResults, what: dict[str, Any], out: Path) -> None:
    for measurement in what["measurements"]:
        measurement.pop("dies", None)
        measurement.pop("pids", None)
        measurement.pop("log", None)
    local = go(what, out, executor="local")
    assert len(local.cells) == len(on_ray.cells)
    pd.testing.assert_frame_equal(on_ray.table, local.table, rtol=1e-6, atol=1e-6)
    for mine, theirs in zip(on_ray.cells, local.cells, strict=True):
        assert mine.result.arrays["curve"].equals(theirs.result.arrays["curve"])
        assert mine.manifest["versions"] == theirs.manifest["versions"]


def lines(tmp_path: Path, word: str) -> list[str]:
    log = tmp_path / "log.txt"
    return [line for line in log.read_text().splitlines() if line.startswith(word)] if log.exists() else []


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_two_workers_make_the_table_that_one_process_makes(tmp_path: Path) -> None:
    what = study(tmp_path)
    on_ray = go(what, tmp_path / "ray")
    assert not on_ray.failures
    assert sorted(lines(tmp_path, "start")) == sorted(f"start m{i} {k}" for i in range(4) for k in range(3))
    same_as_local(on_ray, what, tmp_path / "local")


def test_a_worker_killed_in_mid_job_is_replaced_and_every_finished_cell_is_measured_once(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    what = study(tmp_path, seconds=0.6, pids=str(pids))

    def kill() -> None:
        assert within(60, lambda: bool(list(pids.glob("m1 1 *"))))
        os.kill(int(next(pids.glob("m1 1 *")).name.split()[-1]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    on_ray = go(what, tmp_path / "ray")
    killer.join()
    assert not on_ray.failures
    ended = lines(tmp_path, "end")
    assert len(ended) == len(set(ended)) == 12
    started = lines(tmp_path, "start")
    assert len(started) == 13
    assert [line for line in set(started) if started.count(line) > 1] == ["start m1 1"]
    workers = {path.name.split()[-1] for path in pids.glob("m1 *")}
    assert len(workers) == 2
    same_as_local(on_ray, what, tmp_path / "local")


def test_a_job_that_ends_every_worker_fails_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    what = study(tmp_path, n_models=2, n_measurements=2)
    what["measurements"][0]["dies"] = True
    what["executor"] = {"kind": "ray", "retries": 1}
    results = go(what, tmp_path / "ray")
    assert [failure.model for failure in results.failures] == ["m1"]
    assert "its worker died 2 times" in results.failures[0].reason
    assert len(results.cells) == 3


def test_a_model_is_loaded_once_for_all_its_measurements(tmp_path: Path) -> None:
    log = tmp_path / "loads.txt"

    def load(entry: Any) -> FakeModel:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{entry.label}\n")
        return load_fake(entry)

    go(study(tmp_path), tmp_path / "ray", load_model=load)
    assert sorted(log.read_text().split()) == ["m0", "m1", "m2", "m3"]


def test_no_more_models_are_held_at_once_than_asked_for(tmp_path: Path) -> None:
    what = study(tmp_path, n_models=3, seconds=0.05)
    what["executor"] = {"kind": "ray", "workers": 1}
    go(what, tmp_path / "ray")
    running = 0
    for line in (tmp_path / "log.txt").read_text().splitlines():
        running += 1 if line.startswith("start") else -1
        assert running <= 1


def test_what_fails_on_a_worker_fails_alone(tmp_path: Path) -> None:
    what = study(tmp_path, n_models=2)
    what["models"].append("broken")
    what["measurements"][1]["fails"] = ["m0"]
    results = go(what, tmp_path / "ray")
    reasons = {(failure.model, failure.reason) for failure in results.failures}
    assert any(model == "m0" and "planted failure" in reason for model, reason in reasons)
    assert any(model == "broken" and "weights are not readable" in reason for model, reason in reasons)
    assert (len(results.cells), len(results.failures)) == (5, 4)


def test_a_machine_with_another_version_of_the_model_is_refused(tmp_path: Path) -> None:
    driver = os.getpid()

    def revision(entry: Any) -> str:
        return fake_revision(entry) if os.getpid() == driver else "an older copy"

    results = go(study(tmp_path, n_models=1, n_measurements=1), tmp_path / "ray", revision_of=revision)
    assert "holds another version of the model" in results.failures[0].reason


def test_a_model_that_no_machine_can_hold_fails_before_it_is_loaded(tmp_path: Path) -> None:
    what = study(tmp_path, n_models=1)
    what["models"].append({"model": "giant", "parameters": 1e13})
    results = go(what, tmp_path / "ray")
    assert {failure.model for failure in results.failures} == {"giant"}
    assert "no machine of the cluster has 1 CPU and 22352.7 GiB" in results.failures[0].reason
    assert len(results.cells) == 3


def test_a_study_begun_on_a_cluster_is_finished_in_one_process(tmp_path: Path) -> None:
    what = study(tmp_path, n_models=2)
    go(what, tmp_path / "out")
    assert len(go(what, tmp_path / "out", executor="local").cells) == 6
    assert len(lines(tmp_path, "start")) == 6


def test_workers_tell_how_far_they_are(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    go(study(tmp_path, n_models=2, seconds=0.3), tmp_path / "ray", progress=lambda *step: told.append(step))
    assert ("study", 6, 6) in told
    assert any(what.startswith("m1: loading") for what, _, _ in told)


def test_a_worker_that_cannot_start_fails_its_jobs_at_once(tmp_path: Path) -> None:
    results = go(study(tmp_path, n_models=1), tmp_path / "ray", load_model=Unreadable())
    assert {failure.reason for failure in results.failures} == {
        "no worker could be started: ModuleNotFoundError: No module named 'a_module_that_is_only_here'"
    }


class Unreadable:
    """Can be sent, and cannot be read where it arrives."""

    def __reduce__(self) -> Any:
        return __import__, ("a_module_that_is_only_here",)
