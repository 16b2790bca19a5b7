"""Results leave as a tidy table and as a model card's `model-index`, and mean the same when they are read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results
from typer.testing import CliRunner

from tuneshift.cli.app import app
from tuneshift.result import COLUMNS
from tuneshift.study import StudyResults, run

HARNESS = {
    "results": {"wikitext": {"word_perplexity,none": 12.5}, "mmlu_anatomy": {"acc,none": 0.3, "acc_stderr,none": 0.04}},
    "configs": {},
    "n-shot": {},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with abilities, read from a file of the harness: quick, and every number is known."""
    place = tmp_path_factory.mktemp("study")
    (place / "harness.json").write_text(json.dumps(HARNESS))
    measurement = {"kind": "ability", "results_file": str(place / "harness.json")}
    run({"name": "s", "models": ["fable-2m"], "measurements": [measurement]}, out=place / "out")
    return place / "out"


def test_the_tidy_table_is_the_same_in_csv_parquet_and_memory(folder: Path) -> None:
    table = StudyResults.load(folder).table
    assert list(table.columns) == [*COLUMNS, "specification"]
    types: dict[str, Any] = {**COLUMNS, "specification": "string"}
    assert table.astype(types).dtypes.astype(str).to_dict() == types
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet").astype(types), table.astype(types))
    pd.testing.assert_frame_equal(pd.read_csv(folder / "results.csv", dtype=types), table.astype(types))
    assert not table.duplicated(["model", "measurement", "dataset", "target", "metric"]).any()  # one row a number


def test_the_hubs_own_model_card_takes_the_model_index(folder: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(folder), "--model-card", "fable-2m"])
    assert done.exit_code == 0, done.output
    section = yaml.safe_load(done.stdout)["model-index"]
    name, results = model_index_to_eval_results(section)
    assert name == "fable-2m"
    values = {(result.dataset_type, result.metric_type): result.metric_value for result in results}
    assert 12.5 in values.values()
    assert all(result.task_type == "text-generation" and result.metric_args["fingerprint"] for result in results)
    card = ModelCard.from_template(ModelCardData(model_name=name, eval_results=results, license="apache-2.0"))
    again = ModelCard(str(card)).data
    assert {r.unique_identifier for r in again.eval_results or []} == {r.unique_identifier for r in results}
    assert sorted(r.metric_value for r in again.eval_results or []) == sorted(r.metric_value for r in results)


def test_a_card_as_json_holds_the_same_index(folder: Path) -> None:
    text = CliRunner().invoke(app, ["report", str(folder), "--model-card", "fable-2m"]).stdout
    done = CliRunner().invoke(app, ["report", str(folder), "--model-card", "fable-2m", "--json"])
    assert json.loads(done.stdout)["rows"] == yaml.safe_load(text)["model-index"]
