"""The command line does what a person types, and says in one sentence what it cannot do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def tuneshift(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tuneshift", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        timeout=240,
        check=False,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a refused command: exit status 2, nothing on standard output, one line, no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tuneshift: ")
    return lines[0]


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {"rows", "warnings"}
    return list(document["rows"])


def test_help_lists_every_command() -> None:
    done = tuneshift("--help")
    assert done.returncode == 0
    for command in (
        "demo", "run", "report", "models", "data", "brain", "reading", "attribute", "heads", "concepts", "ability",
        "tune", "compare", "doctor",
    ):  # fmt: skip
        assert f"\n  {command} " in done.stdout


def test_brain_alignment_as_json_has_a_row_for_every_layer_and_a_nested_one() -> None:
    found = rows(tuneshift("brain", "fable-2m", "--data", "simulated_brain", "--json"))
    means = {r["layer"]: r for r in found if r["target"] == r["participant"] == "mean" and r["metric"] == "r"}
    assert {"0", "1", "2", "3", "4", "nested"} <= set(means)
    assert all(r["model"] == "fable-2m" and r["measurement"] == "brain" for r in means.values())
    assert means["4"]["value"] > 0.05  # type: ignore[operator]


def test_the_untrained_twin_takes_the_models_place() -> None:
    found = rows(tuneshift("brain", "fable-2m", "--data", "simulated_brain", "--untrained", "--json"))
    assert {r["model"] for r in found} == {"fable-2m untrained"}


def test_reading_alignment_as_json_has_r_with_its_words() -> None:
    found = rows(tuneshift("reading", "fable-2m", "--data", "simulated_reading", "--json"))
    metrics = {r["metric"] for r in found}
    assert {"pearson_r", "delta_ll"} <= metrics
    assert {r["specification"] for r in found} == {"reading simulated_reading plain"}
    assert all(r["n"] for r in found if r["metric"] == "pearson_r")


def test_rows_of_one_command_say_their_settings_as_those_of_a_study_do(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("the dog ran to her house and she said it was big".replace(" ", "\n"))
    study = tmp_path / "study.yaml"
    study.write_text("name: s\nmodels: [fable-2m]\nmeasurements:\n  - {kind: concepts, words: words.txt}\n")
    stored = rows(tuneshift("run", str(study), "--out", str(tmp_path / "out"), "--json"))
    alone = rows(tuneshift("concepts", "fable-2m", "--words", str(tmp_path / "words.txt"), "--json"))
    assert {row["specification"] for row in stored} == {"concepts words=words.txt"}
    assert set(alone[0]) == set(stored[0])
    assert [row["specification"] for row in alone] == [row["specification"] for row in stored]


def test_attribution_as_a_table_for_people() -> None:
    done = tuneshift("attribute", "fable-2m", "--prompts", "fable_instructions", "--n-prompts", "4")
    assert done.returncode == 0, done.stderr
    assert "instruction_score" in done.stdout


def test_an_unknown_model_is_answered_with_the_nearest_known_one() -> None:
    assert "did you mean 'fable-8m'?" in one_sentence(tuneshift("brain", "fable-8", "--data", "simulated_brain"))


def test_an_unknown_data_set_is_answered_with_the_nearest_known_one() -> None:
    message = one_sentence(tuneshift("brain", "fable-2m", "--data", "simulated_brian"))
    assert "simulated_brian" in message
    assert "did you mean 'simulated_brain'?" in message


def test_a_model_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    message = one_sentence(tuneshift("reading", str(tmp_path), "--data", "simulated_reading"))
    assert "holds no .safetensors file" in message


def test_a_study_with_an_unknown_key_names_it_and_the_nearest_known_one(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: x\nmodels: [fable-2m]\nmeasurments:\n  - {kind: reading, data: simulated_reading}\n")
    message = one_sentence(tuneshift("run", str(study), "--out", str(tmp_path / "out")))
    assert "measurments" in message
    assert "measurements" in message
    assert not (tmp_path / "out").exists()


def test_a_study_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml" in one_sentence(tuneshift("run", str(tmp_path / "nowhere.yaml")))


def test_data_that_can_neither_be_found_nor_fetched_says_how_to_give_it(tmp_path: Path) -> None:
    done = tuneshift(
        "reading", "fable-2m", "--data", "natural_stories", TUNESHIFT_DATA=str(tmp_path), XDG_CACHE_HOME=str(tmp_path)
    )
    assert "TUNESHIFT_DATA" in one_sentence(done)


def test_a_small_study_runs_resumes_and_reports(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: tiny\nmodels:\n  - fable-2m\n  - {model: fable-2m-instruct, base: fable-2m}\n"
        "measurements:\n  - {kind: reading, data: simulated_reading}\n"
    )
    out = tmp_path / "out"
    first = rows(tuneshift("run", str(study), "--out", str(out), "--json"))
    assert {"results.parquet", "results.csv", "study.yaml", "report.html", "cells"} <= {p.name for p in out.iterdir()}
    stamps = {p: p.stat().st_mtime_ns for p in (out / "cells").rglob("*") if p.is_file()}
    assert rows(tuneshift("run", str(study), "--out", str(out), "--json")) == first
    assert {p: p.stat().st_mtime_ns for p in (out / "cells").rglob("*") if p.is_file()} == stamps
    (out / "report.html").unlink()
    assert tuneshift("report", str(out)).returncode == 0
    assert (out / "report.html").is_file()


def test_a_folder_that_holds_no_study_cannot_be_reported(tmp_path: Path) -> None:
    one_sentence(tuneshift("report", str(tmp_path)))


@pytest.mark.parametrize("command", ["models", "data"])
def test_the_catalogues_are_lists_for_people_and_machines(command: str) -> None:
    listed = rows(tuneshift(command, "--json"))
    names = {row["name"] for row in listed}
    assert ("fable-8m" in names) if command == "models" else ("alice2016" in names)
    assert tuneshift(command, str(sorted(map(str, names))[0])).returncode == 0


def test_a_known_error_shows_its_traceback_only_when_asked() -> None:
    done = tuneshift("--debug", "brain", "fable-8", "--data", "simulated_brain")
    assert "Traceback" in done.stderr


def test_doctor_says_what_is_here() -> None:
    listed = rows(tuneshift("doctor", "--json"))
    assert {"python", "torch", "GPU", "free disk here"} <= {row["what"] for row in listed}
