"""Where there is no terminal, standard error holds a line a finished job, and no warnings of other packages."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tuneshift.cli.app import app, quiet_libraries

STUDY = """name: x
models: [fable-2m, {model: fable-2m, name: again}, {model: nobody/knows-it, name: lost, base: fable-2m}]
measurements:
  - {kind: reading, data: simulated_reading, n_boot: 0, mixed_model: false}
  - {kind: reading, data: simulated_reading, n_boot: 0, mixed_model: false, spillover: 0}
"""


@pytest.fixture
def restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("tuneshift")
    before = (root.level, ours.level)
    with warnings.catch_warnings():
        yield
    root.setLevel(before[0])
    ours.setLevel(before[1])


def test_a_study_without_a_terminal_writes_a_line_a_finished_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "x.yaml").write_text(STUDY, encoding="utf-8")
    done = CliRunner().invoke(app, ["run", str(tmp_path / "x.yaml"), "--out", str(tmp_path / "out"), "--json"])
    lines = [line for line in done.stderr.splitlines() if " of 6: " in line]
    assert [line.partition(",")[2].rpartition(",")[0] for line in lines] == [
        " reading simulated_reading plain mixed_model=False",
        " reading simulated_reading plain spillover=0 mixed_model=False",
    ]  # two models of the same weights are measured once; a model that is not here has no job
    assert lines[-1].startswith("6 of 6: fable-2m")
    assert " of 6: " not in done.stdout


def test_warnings_of_other_packages_are_not_shown_and_ours_are(restored: None, capsys: pytest.CaptureFixture) -> None:  # type: ignore[type-arg]
    quiet_libraries()
    warnings.showwarning = lambda message, *_, **__: sys.stderr.write(f"{message}\n")  # type: ignore[assignment, misc]
    warnings.warn_explicit("theirs", UserWarning, "other.py", 1, module="transformers.models")
    warnings.warn_explicit("ours", UserWarning, "registry.py", 1, module="tuneshift.human.registry")
    assert capsys.readouterr().err == "ours\n"
    assert not logging.getLogger("somebody.else").isEnabledFor(logging.WARNING)
    assert logging.getLogger("somebody.else").isEnabledFor(logging.ERROR)
    assert logging.getLogger("tuneshift.study").isEnabledFor(logging.WARNING)
