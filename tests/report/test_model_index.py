"""A model card can carry the results, with everything the long table knows about each number."""

from __future__ import annotations

import pytest
import yaml
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from tuneshift.report.model_index import model_index
from tuneshift.result import long_table

TABLE = long_table(
    [
        {"model": "m", "measurement": "brain", "dataset": "alice2016", "layer": layer, "target": "mean", "metric": "r",
         "participant": "mean", "value": 0.1 + layer / 100, "ci_low": 0.05, "ci_high": 0.2, "n": 27, "ceiling": 0.3}
        for layer in (1, 2)
    ]
    + [
        {"model": "m", "measurement": "brain", "dataset": "alice2016", "layer": 1, "target": "v1", "metric": "r",
         "participant": "s1", "value": 0.9},
        {"model": "other", "measurement": "reading", "dataset": "natural_stories", "metric": "pearson_r", "value": 0.4},
    ]
)  # fmt: skip


def test_summary_rows_survive_the_way_to_the_card_and_back() -> None:
    section = yaml.safe_load(model_index(TABLE, "m"))["model-index"]
    name, results = model_index_to_eval_results(section)
    assert name == "m"
    assert sorted(r.metric_value for r in results) == pytest.approx([0.11, 0.12])
    assert {r.dataset_config for r in results} == {"1", "2"}
    assert all(r.metric_args["ceiling"] == 0.3 and r.metric_args["n"] == 27 for r in results)
    assert ModelCardData(model_name="m", eval_results=results).to_dict()["model-index"]


def test_a_model_without_results_is_an_error() -> None:
    with pytest.raises(ValueError, match="no summary row of a model called 'x'"):
        model_index(TABLE, "x")
