"""Every axis of every figure says what it shows and in which unit, and no axis counts layers in two ways."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tuneshift.report.blocks.figures import Figure
from tuneshift.report.blocks.section import unfolded
from tuneshift.report.page.contents import contents
from tuneshift.study import StudyResults
from tuneshift.vocabulary import OUR_KINDS

NUMBERED = {"layer"}
"""Axes that count and have no unit."""
UNITS = {metric.unit for kind in OUR_KINDS for metric in kind.metrics if metric.unit} | {"bits", "ms", "words", "log10"}
SECTIONS = {
    "pair": {"brain", "reading", "prompts", "weights", "link"},
    "many": {"brain", "reading", "weights", "link", "models"},
}


@pytest.fixture(scope="module", params=["pair", "many"])
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    """All figures of the report of one pair, and of that of many models, those behind folds too."""
    results: StudyResults = request.getfixturevalue("results" if request.param == "pair" else "many_results")
    blocks = [block for section in contents(results).sections for block in unfolded(section.blocks)]
    found = [block for block in blocks if isinstance(block, Figure)]
    assert {figure.key.partition("-")[0] for figure in found} == SECTIONS[request.param]
    return found


def titles(figure: Figure, axis: str) -> list[str]:
    """Return the titles of all x (or y) axes of a figure; "" for an axis without one."""
    panels: dict[str, Any] | None = figure.layout.get("panels")
    if panels is None:
        found = [figure.layout.get(f"{axis}axis", {}).get("title", {}).get("text", "")]
    else:
        found = panels.get(f"{axis}Titles") or [panels.get(f"{axis}Title", "")]
    return [html.unescape(title.replace("<br>", " ")) for title in found]


def is_of_names(figure: Figure, axis: str) -> bool:
    panels = figure.layout.get("panels")
    shown = figure.layout.get(f"{axis}axis", {}) if panels is None else panels.get(axis, {})
    return shown.get("type") == "category"


def says_its_unit(title: str) -> bool:
    return title in NUMBERED or any(re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", title) for unit in UNITS)


def test_every_axis_of_every_figure_has_a_title(figures: list[Figure]) -> None:
    without = [(figure.key, axis) for figure in figures for axis in "xy" if not all(titles(figure, axis))]
    assert without == []


def test_every_axis_of_numbers_says_its_unit(figures: list[Figure]) -> None:
    unsaid = [
        (figure.key, title)
        for figure in figures
        for axis in "xy"
        if not is_of_names(figure, axis)
        for title in titles(figure, axis)
        if not says_its_unit(title)
    ]
    assert unsaid == []


def test_the_colours_of_a_map_say_their_unit(figures: list[Figure]) -> None:
    scales = {f.key: f.layout["coloraxis"]["colorbar"] for f in figures if any(t.get("coloraxis") for t in f.data)}
    assert [key for key, bar in scales.items() if not says_its_unit(bar.get("title", {}).get("text", ""))] == []


@pytest.mark.parametrize("figures", ["many"], indirect=True)
def test_maps_and_panels_behind_folds_are_among_the_figures(figures: list[Figure]) -> None:
    """The test of axes would pass over nothing where figures moved into a fold."""
    assert any(figure.key.startswith("link-map-") for figure in figures)
    assert read(figures, "weights-states", "y") == ["hidden states: CKA, 1: nothing moved"]
    shift = [figure for figure in figures if figure.key.startswith(("weights-overlap", "weights-states"))]
    assert len(shift) > 2
    assert all("nothing moved" in title for figure in shift for title in titles(figure, "y"))


def test_no_line_of_a_title_is_longer_than_its_axis(figures: list[Figure]) -> None:
    """A panel is 190 px high and a letter about 7 px wide; a figure of its own leaves room for 44 letters."""

    def lines(figure: Figure) -> list[str]:
        shown = figure.layout.get("panels")
        if shown is None:
            return figure.layout["yaxis"]["title"]["text"].split("<br>")
        return [line for title in shown.get("yTitles") or [shown["yTitle"]] for line in title.split("<br>")]

    most = {figure.key: 28 if "panels" in figure.layout else 44 for figure in figures}
    assert [(figure.key, line) for figure in figures for line in lines(figure) if len(line) > most[figure.key]] == []


def read(figures: list[Figure], key: str, axis: str) -> list[str]:
    """Return the titles of the one figure of that key."""
    return next(titles(figure, axis) for figure in figures if figure.key == key)


@pytest.mark.parametrize("figures", ["pair"], indirect=True)
def test_an_axis_of_scores_says_which_direction_is_better(figures: list[Figure]) -> None:
    assert read(figures, "brain-layers-simulated_brain-grouped-ridge", "y") == ["brain score r, higher is better"]
    assert read(figures, "brain-change-simulated_brain-grouped-ridge", "y") == ["tuned − base (r), higher is better"]
    assert read(figures, "prompts-scores-fable_instructions-plain", "x") == ["instruction score, higher is better"]
    assert read(figures, "prompts-pairs-fable_instructions", "x") == ["tuned − base (score), higher is better"]


@pytest.mark.parametrize("figures", ["pair"], indirect=True)
def test_an_axis_of_what_moved_says_where_nothing_moved(figures: list[Figure]) -> None:
    assert read(figures, "weights-states", "y") == [
        "CKA, 1: nothing moved",
        "cosine, 1: nothing moved",
        "share, 0: nothing moved",
    ]


@pytest.mark.parametrize("figures", ["many"], indirect=True)
def test_size_and_ability_have_their_units_across_models(figures: list[Figure]) -> None:
    across = {titles(figure, "x")[0] for figure in figures if figure.key.startswith("models-")}
    assert across == {
        "size (log10 of the number of parameters)",
        "simulated_riddles accuracy (share), higher is better",
    }
    up = {titles(figure, "y")[0] for figure in figures if figure.key.startswith("models-")}
    assert "correlation of surprisal with reading time (r), higher is better" in up


@pytest.mark.parametrize("figures", ["pair"], indirect=True)
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
