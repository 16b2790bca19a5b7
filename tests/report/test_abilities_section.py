"""The section on abilities: two filters are two lines, and a pair of models is told about by one number a benchmark."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tuneshift.findings.of_pairs import headline_pairs
from tuneshift.report.sections.ability import ability_section
from tuneshift.result import long_table
from tuneshift.vocabulary import ours

ROWS = [("acc_norm", "none", 0.5), ("accuracy", "strict-match", 0.3), ("exact_match", "flexible-extract", 0.4)]


def table() -> pd.DataFrame:
    row: dict[str, Any] = {"model": "m", "measurement": "ability", "dataset": "gsm8k", "target": "mean"}
    return long_table([row | {"metric": metric, "mapping": kept, "value": value} for metric, kept, value in ROWS])


def test_every_filter_has_its_line_and_the_accuracy_is_first() -> None:
    (shown,) = ability_section(table()).blocks
    assert [(line[2], line[3]) for line in shown.rows] == [
        ("accuracy (strict-match)", "0.300"),
        ("acc_norm", "0.500"),
        ("exact_match (flexible-extract)", "0.400"),
    ]


def test_two_filters_of_one_metric_do_not_hide_each_other() -> None:
    twice = table().assign(metric="exact_match")
    (shown,) = ability_section(twice).blocks
    assert len(shown.rows) == 3


def test_findings_speak_of_the_accuracy_only() -> None:
    pairs = table().assign(base_model="b", base=0.1, tuned=0.2)
    assert list(headline_pairs(pairs, ours())["metric"]) == ["accuracy"]
