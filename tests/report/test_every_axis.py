"""Every axis of every figure says what it shows and in which unit, and no axis counts layers in two ways."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tuneshift.report.blocks.figures import Figure
from tuneshift.report.page.contents import contents
from tuneshift.study import StudyResults
from tuneshift.vocabulary import OUR_KINDS

NUMBERED = {"layer", "log10 parameters"}
"""Axes that count and have no unit."""
UNITS = {metric.unit for kind in OUR_KINDS for metric in kind.metrics if metric.unit} | {"bits", "ms", "words"}


@pytest.fixture(scope="module")
def figures(results: StudyResults) -> list[Figure]:
    blocks = [block for section in contents(results).sections for block in section.blocks]
    found = [block for block in blocks if isinstance(block, Figure)]
    assert {figure.key.partition("-")[0] for figure in found} == {"brain", "reading", "prompts", "weights", "link"}
    return found


def titles(figure: Figure, axis: str) -> list[str]:
    """Return the titles of all x (or y) axes of a figure; "" for an axis without one."""
    panels: dict[str, Any] | None = figure.layout.get("panels")
    if panels is None:
        return [figure.layout.get(f"{axis}axis", {}).get("title", {}).get("text", "")]
    return panels.get(f"{axis}Titles") or [panels.get(f"{axis}Title", "")]


def is_of_names(figure: Figure, axis: str) -> bool:
    return axis == "y" and figure.layout.get("yaxis", {}).get("type") == "category"


def test_every_axis_of_every_figure_has_a_title(figures: list[Figure]) -> None:
    without = [(figure.key, axis) for figure in figures for axis in "xy" if not all(titles(figure, axis))]
    assert without == []


def test_every_axis_of_numbers_says_its_unit(figures: list[Figure]) -> None:
    def says(title: str) -> bool:
        return title in NUMBERED or any(re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", title) for unit in UNITS)

    unsaid = [
        (figure.key, title)
        for figure in figures
        for axis in "xy"
        if not is_of_names(figure, axis)
        for title in titles(figure, axis)
        if not says(title)
    ]
    assert unsaid == []


def test_an_axis_of_scores_says_which_direction_is_better(figures: list[Figure]) -> None:
    by_key = {figure.key: figure for figure in figures}
    assert titles(by_key["brain-layers-simulated_brain-grouped-ridge"], "y") == ["brain score r, higher is better"]
    assert titles(by_key["prompts-scores-fable_instructions-plain"], "x") == ["instruction score, higher is better"]


def test_no_axis_mixes_single_layers_with_groups_of_layers(figures: list[Figure]) -> None:
    for figure in figures:
        named = {str(value) for trace in figure.data for value in trace.get("y") or [] if isinstance(value, str)}
        single = {name for name in named if re.fullmatch(r"layer \d+", name)}
        groups = {name for name in named if re.fullmatch(r"layers \d+-\d+", name)}
        assert not (single and groups), figure.key
    verbs = next(figure for figure in figures if figure.key == "weights-verbs")
    assert verbs.layout["yaxis"]["categoryarray"] == [
        "part 1 of 4",
        "part 2 of 4",
        "part 3 of 4",
        "part 4 of 4",
        "all layers",
    ]
