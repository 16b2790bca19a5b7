"""The pages on reading show tables, files and studies that are accepted as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.human import ReadingTimes, check_file
from tuneshift.reading import ReadingAlignment
from tuneshift.reading.surprisal_formats import load_surprisals
from tuneshift.study import load_study

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "how_to" / "reading.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_table_of_amplitudes_has_no_fault(tmp_path: Path) -> None:
    (table,) = [block for block in _blocks("csv") if "amplitude" in block]
    (tmp_path / "n400.csv").write_text(table, encoding="utf-8")
    assert check_file(tmp_path / "n400.csv") == []


def test_the_files_of_surprisals_are_read(tmp_path: Path) -> None:
    (table,) = [block for block in _blocks("csv") if "surprisal" in block]
    (tmp_path / "s.csv").write_text(table, encoding="utf-8")
    words = pd.DataFrame({"document": "1", "position": [0, 1], "word": ["Once", "upon"], "sentence": 0, "time": 300.0})
    values = load_surprisals(tmp_path / "s.csv", ReadingTimes("page", words, release="test"))
    np.testing.assert_allclose(values, [9.31, 2.07])
    (content,) = _blocks("json")
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    stories = {name: [value for sentence in story for value in sentence] for name, story in json.loads(content).items()}
    words = pd.DataFrame(
        [
            {"document": name, "position": i, "word": f"w{i}", "sentence": 0, "time": 300.0}
            for name, story in stories.items()
            for i in range(len(story))
        ]
    )
    values = load_surprisals(tmp_path / "s.json", ReadingTimes("page", words, release="test"))
    np.testing.assert_allclose(values, [9.31, 2.07, 4.4, 7.2])


def test_the_study_of_three_ways_is_a_study(tmp_path: Path) -> None:
    (text,) = [block for block in _blocks("yaml") if "three_ways" in block]
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = load_study(tmp_path / "study.yaml")
    forms = {getattr(measurement, "form", None) for measurement in study.measurements}
    assert forms == {"plain", "chat", "instructed"}
    (entry,) = [yaml.safe_load(block)["models"] for block in _blocks("yaml") if "davinci" in block]
    assert entry[0]["surprisals"] == "davinci.csv"


def test_every_option_on_the_page_is_an_option_of_the_command() -> None:
    known = CliRunner().invoke(app, ["reading", "--help"]).output
    for option in re.findall(r"`(--[a-z-]+)", PAGE):
        assert option in known, option
    keys = yaml.safe_load(next(iter(re.findall(r"`(\{kind: reading.*?\})`", PAGE))))
    assert ReadingAlignment(**keys).ceiling == 0.858


@pytest.mark.parametrize("line", [line for block in _blocks("sh") for line in block.splitlines() if line.strip()])
def test_the_commands_on_the_page_run(line: str) -> None:
    done = CliRunner().invoke(app, [*shlex.split(line)[1:], "--no-mixed-model", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"]
