"""What can go wrong with a study goes wrong here in real processes: `tuneshift run` says so, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from command_subject import NO_DISK

from tuneshift.models.embedded_models import embedded_folder
from tuneshift.study import StudyResults


class Commands:
    """Runs commands in processes of their own."""

    def __init__(self) -> None:
        program = str(Path(__file__).with_name("command_subject.py"))
        self.process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder: Path, *words: str, small_disk: int = 0) -> int:
        folder.mkdir(exist_ok=True)
        return self._ask({"words": words, "folder": str(folder), "small_disk": small_disk})

    def status(self, process: int) -> int:
        return self._ask({"wait": process})

    def run(self, folder: Path, *words: str, small_disk: int = 0) -> int:
        return self.status(self.start(folder, *words, small_disk=small_disk))

    def _ask(self, question: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    found = Commands()
    yield found
    assert found.process.stdin is not None
    found.process.stdin.close()
    found.process.wait(timeout=60)


def write_study(folder: Path, n_measurements: int = 3, models: Any = ("fable-2m", "fable-2m-instruct"), **options: Any):  # type: ignore[no-untyped-def]
    """Write `folder`/study.yaml, every start and end of a measurement going to `folder`/log.txt."""
    log = str(folder / "log.txt")
    measurements = [{"kind": "counted", "number": k, "log": log, **options} for k in range(n_measurements)]
    document = {"name": "x", "models": list(models), "measurements": measurements}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def lines(folder: Path, word: str = "start") -> list[str]:
    log = folder / "log.txt"
    return [line for line in log.read_text().splitlines() if line.startswith(word)] if log.exists() else []


def said(folder: Path) -> str:
    return (folder / "stderr").read_text()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_a_full_disk_is_said_and_what_was_finished_is_used_when_there_is_room(
    tmp_path: Path, commands: Commands
) -> None:
    study = write_study(tmp_path, n_measurements=12)
    work = tmp_path / "work"
    status = commands.run(work, "run", str(study), "--out", str(work / "disk" / "out"), small_disk=300)
    if status == NO_DISK:
        pytest.skip("this system lets no process mount a small disk for itself")
    assert status == 1
    assert "is full" in said(work)
    assert "free some space and run the same command again" in said(work)
    assert "Traceback" not in said(work)
    before = len(lines(tmp_path))
    rescued = work / "rescued" / "out"
    stored = len(StudyResults.load(rescued).cells)
    assert 0 < stored < 24
    assert not [path for path in rescued.rglob("*") if ".writing-" in path.name]
    assert commands.run(work, "run", str(study), "--out", str(rescued)) == 0
    assert len(StudyResults.load(rescued).cells) == 24
    assert len(lines(tmp_path)) - before == 24 - stored


def test_a_second_run_on_one_folder_is_refused_and_the_first_goes_on(tmp_path: Path, commands: Commands) -> None:
    study = write_study(tmp_path, n_measurements=1, seconds=2.0)
    first = commands.start(tmp_path / "first", "run", str(study), "--out", str(tmp_path / "out"))
    wait_for(lambda: bool(lines(tmp_path)))
    second = commands.run(tmp_path / "second", "run", str(study), "--out", str(tmp_path / "out"))
    assert second == 2
    assert f"is in use by another run (process {first} on " in said(tmp_path / "second")
    assert "give another folder with --out" in said(tmp_path / "second")
    assert commands.status(first) == 0
    assert len(lines(tmp_path)) == 2


def test_a_corrupted_cell_is_found_moved_aside_measured_again_and_said(tmp_path: Path, commands: Commands) -> None:
    study, out = write_study(tmp_path), tmp_path / "out"
    assert commands.run(tmp_path, "run", str(study), "--out", str(out)) == 0
    before = pd.read_parquet(out / "results.parquet")
    cell = StudyResults.load(out).cells[2]
    table = out / "cells" / cell.fingerprint / "table.parquet"
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 4
    table.write_bytes(content)
    assert commands.run(tmp_path, "run", str(study), "--out", str(out), "--json") == 0
    warnings = json.loads((tmp_path / "stdout").read_text())["warnings"]
    assert any("table.parquet does not match its checksum" in text and "measured again" in text for text in warnings)
    assert len(lines(tmp_path)) == 7
    assert lines(tmp_path)[-1] == f"start {cell.model} {cell.settings['number']}"
    assert len(list((out / "cells" / ".damaged").iterdir())) == 1
    pd.testing.assert_frame_equal(pd.read_parquet(out / "results.parquet"), before)


def test_a_model_that_fails_to_load_and_one_without_memory_fail_alone(tmp_path: Path, commands: Commands) -> None:
    cut_off, garbled = tmp_path / "cut-off", tmp_path / "garbled"
    source = embedded_folder("fable-2m")
    assert source is not None
    for folder in (cut_off, garbled):
        shutil.copytree(source, folder)
    weights = (cut_off / "model.safetensors").read_bytes()
    (cut_off / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    (garbled / "config.json").write_text("{not json")
    models = ["fable-2m", str(cut_off), str(garbled)]
    study = write_study(tmp_path, n_measurements=2, models=models)
    document = yaml.safe_load(study.read_text())
    document["measurements"].append({"kind": "counted", "number": 8, "bytes_an_item": 2**58})
    study.write_text(yaml.safe_dump(document))
    assert commands.run(tmp_path, "run", str(study), "--out", str(tmp_path / "out")) == 1
    results = StudyResults.load(tmp_path / "out")
    assert [(cell.model, cell.settings["number"]) for cell in results.cells] == [("fable-2m", 0), ("fable-2m", 1)]
    reasons = {
        (failure.model, failure.measurement.removeprefix("counted")): failure.reason for failure in results.failures
    }
    assert len(results.failures) == 7
    for failure in results.failures:
        assert f"tuneshift: failed: {failure.model}, " in said(tmp_path)
    assert "out of memory" in reasons["fable-2m", " number=8 bytes_an_item=288230376151711744"]
    for name in ("cut-off", "garbled"):
        assert name in reasons[name, " number=1"]
    assert "Traceback" not in said(tmp_path)
    assert (tmp_path / "out" / "report.html").stat().st_size > 1000


def test_ctrl_c_saves_the_running_cell_and_the_next_run_goes_on(tmp_path: Path, commands: Commands) -> None:
    study = write_study(tmp_path, seconds=0.5)
    words = ("run", str(study), "--out", str(tmp_path / "out"))
    process = commands.start(tmp_path, *words)
    wait_for(lambda: len(lines(tmp_path)) == 2)
    os.kill(process, signal.SIGINT)
    assert commands.status(process) == 130
    assert "saving the running measurement (what is finished is kept); press Ctrl-C again to stop at once" in said(
        tmp_path
    )
    assert len(lines(tmp_path)) == len(lines(tmp_path, "end")) == len(StudyResults.load(tmp_path / "out").cells) == 2
    assert commands.run(tmp_path, *words) == 0
    assert len(lines(tmp_path)) == 6


def test_ctrl_c_twice_stops_at_once(tmp_path: Path, commands: Commands) -> None:
    study = write_study(tmp_path, seconds=30.0)
    process = commands.start(tmp_path, "run", str(study), "--out", str(tmp_path / "out"))
    wait_for(lambda: len(lines(tmp_path)) == 1)
    os.kill(process, signal.SIGINT)
    wait_for(lambda: "press Ctrl-C again" in said(tmp_path))
    started = time.monotonic()
    os.kill(process, signal.SIGINT)
    assert commands.status(process) == 130
    assert time.monotonic() - started < 10
    assert lines(tmp_path, "end") == []
    assert StudyResults.load(tmp_path / "out").n_waiting == 6


def test_a_study_begun_on_one_machine_is_finished_on_another(tmp_path: Path, commands: Commands) -> None:
    """Study, results, models and data lie elsewhere: another folder here, as on another machine."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    source = embedded_folder("fable-2m")
    assert source is not None
    shutil.copytree(source, here / "my-model")
    (here / "words.txt").write_text("sea\n")
    log = tmp_path / "log.txt"
    measurements = [{"kind": "counted", "number": k, "log": str(log), "words": "words.txt"} for k in range(2)]
    document = {"name": "x", "models": ["my-model", "fable-2m-instruct"], "measurements": measurements}
    (here / "study.yaml").write_text(yaml.safe_dump(document))
    assert commands.run(here, "run", "study.yaml", "--out", "out") == 0
    before = StudyResults.load(here / "out").table
    shutil.rmtree(here / "out" / "cells" / StudyResults.load(here / "out").cells[3].fingerprint)  # not yet finished
    here.rename(there)
    assert commands.run(there, "run", "study.yaml", "--out", "out") == 0
    assert len(lines(tmp_path)) == 4 + 1
    pd.testing.assert_frame_equal(StudyResults.load(there / "out").table, before)
    (there / "words.txt").write_text("sea\nship\n")
    assert commands.run(there, "run", "study.yaml", "--out", "out") == 0
    assert len(lines(tmp_path)) == 4 + 1 + 4, "another content of the file is another measurement"
