"""The commands heads and concepts: numbers for machines, words for people, one sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tuneshift.cli.app import app


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(("command", "metric"), [("heads", "head_overlap"), ("concepts", "weight_change")])
def test_a_pair_gives_one_json_object_with_a_row_a_layer(command: str, metric: str) -> None:
    done = _run(command, "fable-2m", "--tuned", "fable-2m-instruct", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    rows = [row for row in found["rows"] if row["metric"] == metric and row["target"] == "mean"]
    assert [row["layer"] for row in rows] == ["1", "2", "3", "4"]
    assert {(row["model"], row["base_model"], row["tuned"]) for row in rows} == {
        ("fable-2m-instruct", "fable-2m", True)
    }
    assert [warning[:27] for warning in found["warnings"]] == ["20 of 38 instruction verbs "] * (command == "heads")


def test_a_layer_is_printed_in_words_and_all_layers_go_to_a_file(tmp_path: Path) -> None:
    done = _run("heads", "fable-2m", "--layer", "2", "--planes", "--out", str(tmp_path / "pairs.json"))
    assert done.exit_code == 0
    assert done.stdout.count(" > ") > 20
    pairs = json.loads((tmp_path / "pairs.json").read_text("utf-8"))["heads"]["pairs"]["model"]
    assert len(pairs) == 4
    query, key = pairs[1][0][0]
    assert f"{query} > {key}" in done.stdout
    done = _run("concepts", "fable-2m", "--tuned", "fable-2m-instruct", "--layer", "4")
    assert done.exit_code == 0
    assert "base" in done.stdout
    assert "words" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("heads", "fable-2m", "--layer", "5"), "--layer 5 is no layer of this model; give one of 1 to 4"),
        (("heads", "fable-2m", "--words", "absent.txt"), "absent.txt cannot be read"),
        (("heads", "fable-2m", "--vectors", "absent.txt"), "absent.txt cannot be read"),
        (("concepts", "fable-2m", "--tuned", "fable-8m"), "fable-8m is no tuned version of fable-2m"),
        (("concepts", "fable-2m", "--namer", "https://example.org/v1"), "give both"),
        (
            ("concepts", "fable-2m", "--namer", "http://localhost:9", "--namer-model", "m", "--namer-prices", "free"),
            "--namer-prices takes two numbers",
        ),
        (("heads", "fable-3m"), "model 'fable-3m' was not found (did you mean 'fable-"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    done = _run(*arguments)
    assert said in str(done.exception)
    assert "\n" not in str(done.exception)
