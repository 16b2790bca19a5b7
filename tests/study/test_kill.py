"""SIGKILL at ten random moments, and again from where it stopped: the same table, nothing twice, nothing half-read."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tuneshift.errors import BadInput
from tuneshift.study import StudyResults
from tuneshift.study.store import Store

N_KILLS = 10
N_JOBS = 24


class Subject:
    """Runs the study of `kill_subject` in processes that can be killed."""

    def __init__(self) -> None:
        program = str(Path(__file__).with_name("kill_subject.py"))
        self.process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder: Path) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"run {folder}\n")
        self.process.stdin.flush()
        return self._answer()

    def exit_status(self) -> int:
        return self._answer()

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture
def subject() -> Iterator[Subject]:
    found = Subject()
    yield found
    assert found.process.stdin is not None
    found.process.stdin.close()
    found.process.wait(timeout=60)


def log_lines(folder: Path) -> list[str]:
    path = folder / "log.txt"
    return path.read_text().splitlines() if path.exists() else []


def finished_cells(folder: Path) -> dict[str, str]:
    """Fingerprint -> the job as the log names it, every byte of every cell checked."""
    store = Store(folder / "out")
    manifests = {fingerprint: store.read(fingerprint).manifest for fingerprint in store.fingerprints()}
    return {f: f"start {m['model']} {m['settings']['number']}" for f, m in manifests.items()}


def what_is_there_can_be_read(folder: Path) -> None:
    try:
        results = StudyResults.load(folder)
    except BadInput:
        assert not (folder / "jobs.parquet").exists()  # killed before the study began
        return
    assert len(results.table) == 10 * len(results.cells)


def test_ten_kills_end_in_the_table_of_an_undisturbed_run_and_no_finished_cell_is_run_twice(
    tmp_path: Path, subject: Subject
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    subject.start(whole)
    assert subject.exit_status() == 0
    chance = random.Random(20231201)
    finished: dict[str, str] = {}
    kills = 0
    while kills < N_KILLS:
        seen = len(log_lines(killed))
        child = subject.start(killed)
        moment = seen + chance.choice([0, 0, 1, 2, 3, 4])  # some before the first cell, some in the midst of one
        deadline = time.monotonic() + 30
        while len(log_lines(killed)) < moment and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.04))
        os.kill(child, signal.SIGKILL)
        assert subject.exit_status() == -signal.SIGKILL, "the run ended before it was killed"
        kills += 1
        started = [line for line in log_lines(killed)[seen:] if line.startswith("start")]
        assert not set(finished.values()) & set(started), f"kill {kills}: a finished cell was run again"
        now = finished_cells(killed)
        assert finished.keys() <= now.keys()
        finished = now
        what_is_there_can_be_read(killed / "out")
    seen = len(log_lines(killed))
    subject.start(killed)
    assert subject.exit_status() == 0
    last = [line for line in log_lines(killed)[seen:] if line.startswith("start")]
    assert not set(finished.values()) & set(last)
    assert len(last) == N_JOBS - len(finished)

    undisturbed, resumed = StudyResults.load(whole / "out"), StudyResults.load(killed / "out")
    assert len(undisturbed.cells) == N_JOBS
    pd.testing.assert_frame_equal(undisturbed.table, resumed.table)
    for file in ("results.parquet", "results.csv"):
        assert (whole / "out" / file).read_bytes() == (killed / "out" / file).read_bytes()
    left = [path.name for path in (killed / "out").rglob(".*")]
    assert not [name for name in left if name.startswith((".writing", ".old"))]
