"""A run is drawn over its steps: one figure a headline number, one line a run, the base where it starts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tuneshift.compare.trajectories import Run
from tuneshift.report.blocks.figures import Figure
from tuneshift.report.sections.trajectories import trajectory_sections
from tuneshift.result import long_table
from tuneshift.vocabulary import ours

WITH = Run("with", "base", (("with-50", 50), ("with-200", 200)), "the names of folders")
WITHOUT = Run("without", "base", (("without-50", 50), ("without-100", 100)))
BRAIN = {"measurement": "brain", "dataset": "alice2016", "split": "contiguous", "mapping": "ridge", "metric": "r"}
READING = {"measurement": "reading", "dataset": "natural_stories", "mapping": "corrected", "metric": "pearson_r"}


def score(model: str, value: float, layer: str = "nested", **what: Any) -> dict[str, Any]:
    what = {**BRAIN, "layer": layer, "target": "mean", "participant": "mean", **what}
    return {"model": model, **what, "value": value, "ci_low": value - 0.02, "ci_high": value + 0.02, "ceiling": 0.4}


def difference(model: str, low: float, high: float) -> dict[str, Any]:
    return {"model": model, "base_model": "base", **BRAIN, "layer": "nested", "target": "mean",
            "difference": (low + high) / 2, "ci_low": low, "ci_high": high, "specification": ""}  # fmt: skip


TABLE = long_table([
    score("with-200", 0.11), score("base", 0.13), score("with-50", 0.09), score("without-50", 0.12),
    score("without-100", 0.10), score("stranger", 0.2), score("with-50", 0.5, layer="3"),
    *(score(model, 0.3, **READING, layer=None) for model in ("base", "with-50")),
])  # fmt: skip
PAIRS = pd.DataFrame([difference("with-50", -0.05, -0.03), difference("with-200", -0.04, 0.0)])


def figure() -> Figure:
    [section] = trajectory_sections(TABLE, PAIRS, (WITH, WITHOUT), ours())
    assert (section.question, section.key) == ("brains", "trajectory-brains")  # one checkpoint of reading is no line
    [drawn] = [block for block in section.blocks if isinstance(block, Figure)]
    return drawn


def test_each_run_is_a_line_over_its_steps_that_starts_at_the_base() -> None:
    first, second, ceiling = figure().data
    assert (first["name"], first["x"], first["y"]) == ("with", [0, 50, 200], [0.13, 0.09, 0.11])
    assert (second["name"], second["x"], second["y"]) == ("without", [0, 50, 100], [0.13, 0.12, 0.10])
    assert first["line"]["color"] != second["line"]["color"]
    assert (ceiling["x"], ceiling["y"]) == ([0, 200], [0.4, 0.4])


def test_its_axes_say_steps_and_the_score_with_its_direction() -> None:
    layout = figure().layout
    assert layout["xaxis"]["title"]["text"] == "step of tuning (base: where it starts)"
    assert layout["yaxis"]["title"]["text"] == "brain score r, higher is better"


def test_a_mark_is_filled_where_the_difference_from_the_base_leaves_out_zero() -> None:
    line = figure().data[0]
    assert line["marker"]["symbol"] == ["circle-open", "circle", "circle-open"]
    assert line["text"][1] == "with-50: 0.090 [0.070 to 0.110]; against the base −0.040 [−0.050 to −0.030]"


def test_the_figure_can_be_heard_and_the_guess_is_said() -> None:
    assert figure().description == (
        "with: 0.130 at step 0, highest 0.130 at step 0, 0.110 at step 200. "
        "without: 0.130 at step 0, highest 0.130 at step 0, 0.100 at step 100."
    )
    [section] = trajectory_sections(TABLE, PAIRS, (WITH, WITHOUT), ours())
    assert section.blocks[0].text.startswith(  # type: ignore[union-attr]
        "Checkpoints taken for one run by the names of folders: with. It counts once, by its last checkpoint;"
    )


def test_a_study_without_runs_has_no_such_section() -> None:
    assert trajectory_sections(TABLE, PAIRS, (), ours()) == []


def test_a_base_that_is_itself_of_the_run_stands_at_its_own_step() -> None:
    run = Run("with", "base", WITH.steps, base_step=20)
    [section] = trajectory_sections(TABLE, PAIRS, (run,), ours())
    assert section.blocks[1].data[0]["x"] == [20, 50, 200]  # type: ignore[union-attr]
