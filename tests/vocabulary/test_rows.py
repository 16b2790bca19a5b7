"""Which row is a model's one number: over all, of the layer that counts, and a mean before its median."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tuneshift.result import long_table
from tuneshift.vocabulary import ours
from tuneshift.vocabulary.rows import headline, one_number, over_all, summaries, unit_names

BRAIN = {"model": "m", "measurement": "brain", "dataset": "d", "metric": "r", "participant": "mean", "value": 0.1}


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    return long_table([{**BRAIN, "target": "mean", "layer": "nested", **row} for row in rows])


def test_of_brain_scores_only_the_nested_layer_is_the_number_of_a_model() -> None:
    rows = table({}, {"layer": "best"}, {"layer": "3"}, {"target": "IFG"}, {"participant": "s1"})
    assert one_number(rows, ours()).tolist() == [True, False, False, False, False]


def test_a_median_beside_its_mean_is_the_same_score_and_alone_it_counts() -> None:
    both = table({}, {"target": "median"})
    assert over_all(both).tolist() == [True, False]
    assert over_all(both[both["target"] == "median"]).tolist() == [True]
    assert over_all(table({"layer": "1"}, {"layer": "2", "target": "median"})).tolist() == [True, True]


def test_a_twin_is_no_headline_and_a_control_is_no_score() -> None:
    rows = table({}, {"metric": "r_untrained"}, {"metric": "ceiling", "layer": None}, {"mapping": "ridge, untrained"})
    assert headline(rows, ours()).tolist() == [True, False, False, False]


def test_of_reading_scores_each_form_is_a_headline_and_the_plain_sum_is_none() -> None:
    row = {"measurement": "reading", "metric": "delta_ll", "layer": None, "target": None, "participant": None}
    rows = table(
        *({**row, "mapping": name} for name in ("corrected", "plain", "corrected chat", "given", "plain chat"))
    )
    assert headline(rows, ours()).tolist() == [True, False, True, True, False]
    assert one_number(rows, ours()).all()


def test_single_prompts_and_stories_are_observations_and_no_summaries() -> None:
    rows = table({"target": "prompt:a"}, {"target": "story:b"}, {"target": "IFG"}, {"participant": "s1"})
    assert unit_names(rows).tolist() == ["prompts", "stories", "", ""]
    assert summaries(rows)["target"].tolist() == ["IFG"]
