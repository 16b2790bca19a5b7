"""What a study would cost is said before anything is loaded, without a network."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tuneshift.models import stored_size
from tuneshift.models.revision import local_folder
from tuneshift.study import load_study, plan
from tuneshift.study.executors.needs import PROCESS_BYTES, Needs, needs_of, spread
from tuneshift.study.jobs import Batch, plan_jobs
from tuneshift.study.plan import GIB

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture(autouse=True)
def _without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("a plan must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refused)


def one(models: list[Any], measurement: Any = "reading") -> pd.DataFrame:
    return plan({"name": "x", "models": models, "measurements": [measurement]})


def test_the_plan_of_the_25_models_is_made_offline() -> None:
    table = plan(STUDIES / "paper1.yaml")
    jobs, total = table.iloc[:-1], table.iloc[-1]
    assert jobs["model"].nunique() == 25
    assert len(jobs) == 25 * 6
    assert total["measurement"] == "150 jobs, 25 models"
    largest = 1.2 * 2 * 32.5e9 / GIB  # LLaMA and Vicuna 33B in bfloat16
    assert total["gpu_memory_gib"] == pytest.approx(largest, abs=0.01)
    sizes = jobs.groupby("model", sort=False)["parameters"].first().astype(float)
    assert total["download_gib"] == pytest.approx(2 * sizes.sum() / GIB, abs=0.2)  # each model once, to two decimals
    assert jobs["estimated_minutes"].notna().all()
    assert total["estimated_minutes"] == pytest.approx(jobs["estimated_minutes"].sum(), abs=10)


def test_memory_follows_from_size_and_dtype() -> None:
    size = {"model": "nobody/here", "parameters": 1e9}
    assert one([size])["gpu_memory_gib"].iloc[0] == pytest.approx(1.2 * 2e9 / GIB, abs=0.01)
    assert one([{**size, "dtype": "float32"}])["gpu_memory_gib"].iloc[0] == pytest.approx(1.2 * 4e9 / GIB, abs=0.01)
    assert one([{**size, "device": "cpu"}])[["device", "dtype"]].iloc[0].tolist() == ["cpu", "float32"]


def test_a_measurement_of_a_pair_holds_both_models() -> None:
    models = [{"model": "a/base", "parameters": 1e9}, {"model": "a/tuned", "parameters": 1e9, "base": "a/base"}]
    assert one(models, "internals")["gpu_memory_gib"].tolist() == pytest.approx([1.2 * 4e9 / GIB] * 2, abs=0.01)


def test_a_size_that_nobody_knows_is_left_empty_and_said() -> None:
    table = one(["nobody/knows-it"])
    assert table.iloc[0][["parameters", "gpu_memory_gib", "download_gib", "estimated_minutes"]].isna().all()
    assert table["note"].iloc[-1] == "sizes not known are not counted"


def test_models_that_are_here_are_not_downloaded() -> None:
    table = one(["fable-2m", "fable-8m"])
    assert table["download_gib"].tolist() == [0, 0, 0]
    assert table["parameters"].iloc[:2].tolist() == [1_787_008, 7_999_744]


def test_the_size_of_a_folder_is_read_from_the_headers_of_its_files(tmp_path: Path) -> None:
    folder = local_folder("fable-2m")
    assert folder is not None
    shutil.copytree(folder, tmp_path / "mine")
    table = one([str(tmp_path / "mine")])
    assert table["parameters"].iloc[0] == 1_787_008  # the registry's number of the model that was copied
    assert table["gpu_memory_gib"].iloc[0] == pytest.approx(1.2 * 4 * 1_787_008 / GIB, abs=0.01)
    assert table["note"].iloc[-1] == ""
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"damaged")
    stored_size._counted.cache_clear()
    assert one([str(tmp_path / "mine")])["parameters"].isna().iloc[0]  # what is wrong is said where it is loaded


def test_surprisals_from_a_file_need_no_memory(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("[]")
    table = one([{"name": "api-model", "surprisals": str(tmp_path / "s.json")}])
    assert table.iloc[0][["gpu_memory_gib", "download_gib"]].tolist() == [0, 0]


def needs(size: float, gpu_memory_gib: float, measurement: str = "reading", **options: Any) -> Needs:
    models = [
        {"model": "a/base", "parameters": size},
        {"model": "a/m", "parameters": size, "base": "a/base", **options},
    ]
    study = load_study({"name": "x", "models": models, "measurements": [measurement]})
    jobs = [job for job in plan_jobs(study) if job.entry.label == "m"]
    return needs_of(Batch(jobs[0].entry, tuple(jobs)), 2, gpu_memory_gib)


def test_a_worker_asks_for_what_its_model_needs() -> None:
    assert needs(1e9, 80) == Needs(2, 0.25, PROCESS_BYTES)  # 2.2 GiB: a quarter of the GPU, the least there is
    assert needs(13e9, 80) == Needs(2, 0.5, PROCESS_BYTES)  # 29 GiB of 80
    assert needs(33e9, 80) == Needs(2, 1, PROCESS_BYTES)  # 74 GiB
    assert needs(70e9, 80) == Needs(2, 2, PROCESS_BYTES)  # 156 GiB: two whole ones, the model spread over them
    assert needs(13e9, 80, dtype="float32").gpus == 0.75
    assert needs(13e9, 80, "internals").gpus == 0.75  # base and tuned model at once
    on_cpus = needs(1e9, 0)
    assert (on_cpus.gpus, on_cpus.memory) == (0, int(1.2 * 2e9 + PROCESS_BYTES))
    assert needs(1e9, 80, device="cpu").gpus == 0


def test_only_a_model_that_needs_several_gpus_is_spread() -> None:
    entry = load_study({"name": "x", "models": ["a/m"], "measurements": ["reading"]}).models[0]
    assert spread(entry, Needs(1, 2, 0)).device_map == "auto"
    assert spread(entry, Needs(1, 1, 0)).device_map is None


def test_a_worker_takes_the_next_model_only_if_it_has_room_and_wastes_no_gpu() -> None:
    assert Needs(1, 0.5, 100).cover(Needs(1, 0.5, 80))
    assert not Needs(1, 0.5, 100).cover(Needs(1, 0.5, 120))
    assert not Needs(1, 1, 100).cover(Needs(1, 0.5, 80))
    assert not Needs(2, 1, 100).cover(Needs(1, 1, 80))
