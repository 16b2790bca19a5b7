"""`compare` takes people's own recordings and reading times, and reads them before anything is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tuneshift.cli.study as command_line
from tuneshift.cli.app import app
from tuneshift.errors import BadInput
from tuneshift.human import load_data, write_reading_times
from tuneshift.study import Study
from tuneshift.study.demo import pair_study

PAIR = ("fable-2m", "fable-2m-instruct")


@pytest.fixture(scope="module")
def times(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reading times in a file of one's own."""
    return write_reading_times(load_data("simulated_reading"), tmp_path_factory.mktemp("own") / "mine.csv")  # type: ignore[arg-type]


def settings(study: Study, kind: str) -> list[dict[str, Any]]:
    return [measurement.settings() for measurement in study.measurements if measurement.kind == kind]


def test_named_data_stand_in_place_of_the_ready_ones(times: Path) -> None:
    study = pair_study(*PAIR, brain=["simulated_brain", "simulated_brain"], reading=[str(times)])
    assert [entry["data"] for entry in settings(study, "reading")] == [str(times)]
    (brain,) = settings(study, "brain")  # named twice, measured once
    assert (brain["data"], brain["split"], brain["controls"]) == ("simulated_brain", None, False)
    assert study.notes.startswith("Data named on the command line: simulated_brain, mine.csv.")
    assert len(settings(study, "attribution")) == 2  # everything else stays
    assert len(settings(study, "internals")) == 1


def test_a_kind_without_data_of_its_own_keeps_the_ready_ones_and_the_notes_say_which(times: Path) -> None:
    study = pair_study(*PAIR, reading=[str(times)])
    (brain,) = settings(study, "brain")
    assert study.notes.startswith(f"Data named on the command line: mine.csv. Beside them, for brain: {brain['data']}.")


def test_controls_are_those_of_the_brain_command_and_of_brains_only() -> None:
    (brain,) = settings(pair_study(*PAIR, controls=True), "brain")
    assert brain["controls"] is True
    assert all("controls" not in entry for entry in settings(pair_study(*PAIR, controls=True), "reading"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"reading": ["simulated_brain"]}, "--reading simulated_brain holds no reading times"),
        ({"brain": ["simulated_reading"]}, "--brain simulated_reading holds no brain recording"),
        ({"brain": ["nowhere.nc"]}, "there is no file nowhere.nc"),
        ({"reading": ["simulated_readin"]}, "did you mean 'simulated_reading'"),
    ],
)
def test_data_of_the_wrong_kind_are_refused_before_anything_is_measured(
    options: dict[str, list[str]], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        pair_study(*PAIR, **options)  # type: ignore[arg-type]


def test_the_command_hands_its_options_to_the_study(times: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Study] = []
    monkeypatch.setattr(command_line, "_run_and_report", lambda study, *_, **__: made.append(study))
    done = CliRunner().invoke(
        app, ["compare", *PAIR, "--reading", str(times), "--brain", "simulated_brain", "--controls"]
    )
    assert done.exit_code == 0, done.output
    assert "mine.csv" in done.output
    assert [settings(made[0], kind)[0]["data"] for kind in ("brain", "reading")] == ["simulated_brain", str(times)]
    assert settings(made[0], "brain")[0]["controls"] is True
