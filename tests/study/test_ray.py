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
from tuneshift.study.executors.ray_cluster import _place, connected


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Two processors, so two workers at once."""
    with connected(ExecutorOptions(kind="ray", workers=2)):
        yield


def test_the_study_says_which_cluster_else_ray_address_else_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert _place(ExecutorOptions(workers=2))["address"] == "local"
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert _place(ExecutorOptions())["address"] == "head:6379"
    assert _place(ExecutorOptions(address="other:6379"))["address"] == "other:6379"


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
        measurement.pop("until", None)
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


def test_two_workers_make_the_table_that_one_process_makes_and_load_each_model_once(tmp_path: Path) -> None:
    loads = tmp_path / "loads.txt"
    told: list[tuple[str, int, int]] = []

    def load(entry: Any) -> FakeModel:
        with open(loads, "a", encoding="utf-8") as file:
            file.write(f"{entry.label}\n")
        return load_fake(entry)

    what = study(tmp_path, seconds=0.2)
    on_ray = go(what, tmp_path / "ray", load_model=load, progress=lambda *step: told.append(step))
    assert not on_ray.failures
    every_job = sorted(f"start m{i} {k}" for i in range(4) for k in range(3))
    assert sorted(lines(tmp_path, "start")) == every_job
    assert sorted(loads.read_text().split()) == ["m0", "m1", "m2", "m3"]
    assert ("study", 12, 12) in told
    # What a worker does is looked at now and then: on a busy machine a step may have passed by the next look.
    assert {what for what, _, _ in told} & {f"m{i}: loading m{i}" for i in range(4)}

    finished_here = go(what, tmp_path / "ray", executor="local")
    assert len(finished_here.cells) == 12
    assert sorted(lines(tmp_path, "start")) == every_job, "what a cluster finished was run again"
    same_as_local(on_ray, what, tmp_path / "local")


def test_a_worker_killed_in_mid_job_is_replaced_and_every_finished_cell_is_measured_once(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    what = study(tmp_path, pids=str(pids))
    what["measurements"][1]["until"] = str(tmp_path / "killed")

    def kill() -> None:
        assert within(60, lambda: bool(list(pids.glob("m1 1 *"))))
        os.kill(int(next(pids.glob("m1 1 *")).name.split()[-1]), signal.SIGKILL)
        (tmp_path / "killed").touch()

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


def test_what_fails_fails_alone_with_its_reason_and_one_worker_holds_one_model(tmp_path: Path) -> None:
    driver = os.getpid()

    def revision(entry: Any) -> str:
        return "an older copy" if entry.label == "m2" and os.getpid() != driver else fake_revision(entry)

    what = study(tmp_path, n_models=3, n_measurements=2)
    what["models"] += ["broken", {"model": "giant", "parameters": 1e13}]
    what["measurements"][0]["fails"] = ["m0"]
    what["measurements"][1]["dies"] = True
    what["executor"] = {"kind": "ray", "retries": 1, "workers": 1}
    results = go(what, tmp_path / "ray", revision_of=revision)
    assert {(cell.model, cell.settings["number"]) for cell in results.cells} == {("m0", 1), ("m1", 0)}
    reasons = [(failure.model, failure.reason) for failure in results.failures]
    assert sorted(model for model, _ in reasons) == ["broken"] * 2 + ["giant"] * 2 + ["m0", "m1"] + ["m2"] * 2
    expected = {
        "m0": "planted failure",
        "m1": "its worker died 2 times",
        "m2": "holds another version of the model",
        "broken": "weights are not readable",
        "giant": "no machine of the cluster has 1 CPU and 22352.7 GiB",
    }
    for model, said in reasons:
        assert expected[model] in said
    models = [line.split()[1] for line in lines(tmp_path, "start")]
    assert models == sorted(models), "two models were measured at once"


def test_a_worker_that_cannot_start_fails_its_jobs_at_once(tmp_path: Path) -> None:
    results = go(study(tmp_path, n_models=1), tmp_path / "ray", load_model=Unreadable())
    assert {failure.reason for failure in results.failures} == {
        "no worker could be started: ModuleNotFoundError: No module named 'a_module_that_is_only_here'"
    }


class Unreadable:
    """Can be sent, and cannot be read where it arrives."""

    def __reduce__(self) -> Any:
        return __import__, ("a_module_that_is_only_here",)
