"""Many models in one figure become small panels, long tables stay light, and what a sentence cites is never left out."""

from __future__ import annotations

import pandas as pd
import pytest

from tuneshift.report.blocks.figures import Figure
from tuneshift.report.blocks.many_models import kin_of, spread
from tuneshift.report.page import data_table
from tuneshift.report.page.data_table import light
from tuneshift.report.sections.brain_regions import region_map
from tuneshift.report.sections.internals_shift import groups_of_layers


def family(n_bases: int) -> pd.DataFrame:
    """Each base with two models tuned from it."""
    rows = []
    for base in range(n_bases):
        rows.append({"model": f"b{base}", "base_model": None})
        rows += [{"model": f"b{base}-{form}", "base_model": f"b{base}"} for form in ("chat", "dpo")]
    return pd.DataFrame(rows)


def curves(table: pd.DataFrame) -> Figure:
    traces = [
        {"x": [0, 1], "y": [0.1, 0.2], "mode": "lines+markers", "name": model, "meta": {"model": model},
         "line": {"color": "#123456"}, "marker": {"symbol": "circle"}}
        for model in table["model"]
    ]  # fmt: skip
    ceiling = {"x": [0, 1], "y": [0.5, 0.5], "mode": "lines", "name": "noise ceiling"}
    layout = {"xaxis": {"title": {"text": "layer"}}, "yaxis": {"title": {"text": "r"}}}
    return Figure("f", "Scores.", "", [*traces, ceiling], layout)


def test_eight_models_stay_in_one_figure() -> None:
    table = family(3).head(8)
    figure = curves(table)
    assert spread(figure, kin_of(table)) is figure


def test_nine_models_of_three_bases_are_three_panels_without_a_legend() -> None:
    table = family(3)
    drawn = spread(curves(table), kin_of(table))
    assert len(drawn.layout["panels"]["titles"]) == 3
    assert (drawn.layout["panels"]["xTitle"], drawn.layout["panels"]["yTitle"]) == ("layer", "r")
    assert not any(trace.get("showlegend", True) for trace in drawn.data)
    axis_of = {trace["meta"]["model"]: trace["xaxis"] for trace in drawn.data if "meta" in trace}
    assert axis_of["b1"] == axis_of["b1-chat"] == axis_of["b1-dpo"] == "x2"
    ceilings = [trace["xaxis"] for trace in drawn.data if trace["name"] == "noise ceiling"]
    assert ceilings == ["x", "x2", "x3"]


def test_the_models_of_a_panel_are_told_apart_and_named_in_their_colours() -> None:
    table = family(3)
    drawn = spread(curves(table), kin_of(table))
    colours = {trace["meta"]["model"]: trace["line"]["color"] for trace in drawn.data if "meta" in trace}
    assert len({colours[name] for name in ("b0", "b0-chat", "b0-dpo")}) == 3
    assert colours["b0-chat"] == colours["b2-chat"]
    title = drawn.layout["panels"]["titles"][0]
    assert title.startswith("b0<br>")
    assert f'<span style="color:{colours["b0-dpo"]}">dpo</span>' in title


def test_three_usual_forms_of_tuning_are_all_named() -> None:
    """A curve in a colour that no name has could not be told."""
    forms = ("instruct", "chat", "dpo")
    rows = [{"model": f"b{n}", "base_model": None} for n in range(3)]
    rows += [{"model": f"b{n}-{form}", "base_model": f"b{n}"} for n in range(3) for form in forms]
    table = pd.DataFrame(rows)
    title = spread(curves(table), kin_of(table)).layout["panels"]["titles"][0]
    assert all(f">{form}</span>" in title for form in forms)


def test_marks_of_many_models_have_a_legend_of_two() -> None:
    table = family(4)
    figure = curves(table)
    marks = [{**trace, "mode": "markers"} for trace in figure.data if "meta" in trace]
    drawn = spread(Figure("f", "Scores.", "", marks, figure.layout), kin_of(table))
    assert [trace["name"] for trace in drawn.data if trace["showlegend"]] == ["base model", "tuned model"]


def test_the_map_of_regions_has_each_models_own_scores_in_its_row() -> None:
    rows = pd.DataFrame(
        [
            {"model": model, "target": region, "participant": "mean", "value": value}
            for model, values in {"a": (0.1, 0.2), "b": (0.3, 0.4)}.items()
            for region, value in zip(("left", "right"), values, strict=True)
        ]
    )
    [figure] = region_map("key", "brains, grouped split", "participants", rows)
    [trace] = figure.data
    assert (trace["x"], trace["y"], trace["z"]) == (["left", "right"], ["a", "b"], [[0.1, 0.2], [0.3, 0.4]])
    assert trace["meta"]["models"] == ["a", "b"]
    assert figure.description.startswith("a: from 0.100 (left) to 0.200 (right).")


@pytest.fixture
def long_table() -> pd.DataFrame:
    """3 layers x 4 people x 2 regions, their means, and one number of a whole model."""
    rows = [
        {"layer": str(layer), "target": target, "participant": person, "value": 0.1}
        for layer in range(3)
        for person in ("p1", "p2", "p3", "p4", "mean")
        for target in ("left", "right", "mean")
    ]
    return pd.DataFrame([*rows, {"layer": "nested", "target": "left", "participant": "mean", "value": 0.2}])


def test_a_table_that_fits_is_whole(long_table: pd.DataFrame) -> None:
    kept, said = light(long_table, [], "results.csv")
    assert len(kept) == 46
    assert said == ""


def test_single_participants_are_left_out_first_and_counted(
    long_table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_table, "MOST_ROWS", 12)
    kept, said = light(long_table, [0], "results.csv")
    assert set(kept["participant"]) == {"p1", "mean"}
    assert said == "35 of 46 rows (single participants) are in results.csv only."
    assert 0 in kept.index, "a sentence leads there"


def test_then_single_regions_of_single_layers_but_not_of_the_chosen_layer(
    long_table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_table, "MOST_ROWS", 5)
    kept, said = light(long_table, [], "results.csv")
    assert list(kept["layer"]) == ["0", "1", "2", "nested"]
    assert said == "42 of 46 rows (single participants and single regions of single layers) are in results.csv only."


def test_parts_of_the_layers_are_counted_within_each_model() -> None:
    shallow = [{"model": "a", "layer": layers} for layers in ("1-1", "2-3", "1-3")]
    deep = [{"model": "b", "layer": layers} for layers in ("1-8", "9-16", "1-16")]
    named = groups_of_layers(pd.DataFrame([*shallow, *deep]))
    assert named == ["part 1 of 2", "part 2 of 2", "all layers"] * 2


def test_in_a_panel_the_base_is_solid_and_what_was_tuned_from_it_dashed() -> None:
    table = family(3)
    figure = curves(table)
    dotted = [
        {**trace, "line": {**trace["line"], "dash": "dot"}} if "meta" in trace else trace for trace in figure.data
    ]
    drawn = spread(Figure("f", "Scores.", "", dotted, figure.layout), kin_of(table))
    dashes = {trace["meta"]["model"]: trace["line"]["dash"] for trace in drawn.data if "meta" in trace}
    assert [dashes[name] for name in ("b0", "b0-chat", "b2", "b2-dpo")] == ["solid", "dash", "solid", "dash"]
