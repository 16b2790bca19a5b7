"""The page of metrics is the vocabulary: nothing of one is missing in the other."""

from __future__ import annotations

import re

from tools.metrics_page import BEGIN, END, PAGE, page_with, tables

from tuneshift.vocabulary import OUR_KINDS


def _shown() -> str:
    """What stands on the page between the marks of its tables."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    text, end, _ = rest.partition(END)
    assert end, "the marks of the tables are gone"
    return text


def test_the_page_shows_the_vocabulary_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(tables()), "write it anew: python -m tools.metrics_page"


def test_every_metric_of_every_measurement_has_a_line_under_its_measurement() -> None:
    sections = re.split(r"^## `", _shown(), flags=re.M)[1:]
    found = {text.partition("`")[0]: re.findall(r"^\| \**`(\w+)`", text, re.M) for text in sections}
    assert found == {kind.name: [metric.name for metric in kind.metrics] for kind in OUR_KINDS}


def test_what_is_bold_is_what_findings_speak_of() -> None:
    headlines = {metric.name for kind in OUR_KINDS for metric in kind.metrics if metric.headline is not None}
    assert set(re.findall(r"^\| \*\*`(\w+)`\*\*", _shown(), re.M)) == headlines


def test_every_line_says_its_label_unit_and_direction_in_columns_of_one_table() -> None:
    (line,) = re.findall(r"^\| \*\*`delta_ll`\*\* .*$", _shown(), re.M)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:7] == ["predictive power of surprisal, ΔLL", "score", "nats x 1000", "stories", "higher", "0"]
    assert len({row.count("|") for row in re.findall(r"^\|.*$", _shown(), re.M)}) == 1
