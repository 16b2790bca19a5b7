"""Many pairs stay readable: the shift in small panels before its mean, the layer link as a map, data sets behind lines."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd
import pytest

from tuneshift.compare.layer_link import LINK_COLUMNS, POOLED
from tuneshift.report.blocks.figures import Figure, Style
from tuneshift.report.blocks.many_models import kin_of, spread
from tuneshift.report.blocks.section import Block, Fold, Paragraph, SmallTable, folded, redrawn, unfolded
from tuneshift.report.sections.internals import internals_section
from tuneshift.report.sections.layer_link import layer_link_section
from tuneshift.report.sections.layer_link_map import ALL_PAIRS, link_map
from tuneshift.result import long_table

NINE = tuple(f"m{number}-chat" for number in range(9))
STYLES = {name: Style("#0072B2", "dash", "circle") for name in NINE}


def shift_rows(models: tuple[str, ...], nulls: bool = False) -> pd.DataFrame:
    """Two layers of two measures: model k moved by k + layer."""
    rows: list[dict[str, Any]] = []
    for place, model in enumerate(models):
        shared = {
            "model": model,
            "base_model": model.removesuffix("-chat"),
            "measurement": "internals",
            "unit": "share",
        }
        rows += [
            {**shared, "metric": metric, "layer": str(layer), "value": float(place + layer)}
            for metric, layer in product(("weight_change", "state_change"), (1, 2))
        ]
        if nulls:
            rows.append({**shared, "metric": "weight_change", "target": "another head", "value": 20.0 + place})
    return long_table(rows)


def parts(n: int) -> list[Fold]:
    table = SmallTable("Scores.", ("model",), (("a",),))
    return [Fold(f"k{i}", f"set {i}", (Paragraph("Said."), table), dataset=f"set {i}") for i in range(n)]


def links(models: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        {"model": model, "base_model": None, "measurement": "brain", "dataset": "d", "split": "grouped", "mapping": "ridge",
         "metric": "r", "specification": "brain d", "inside": inside, "n_layers": 12, "n_bases": 1, "spearman_r": place / 10, "partial_r": -place / 10,
         "partial_q": 0.01 if model == POOLED and inside == "weight_change" else None}
        for place, model in enumerate((*models, POOLED)) for inside in ("weight_change", "1 - state_cka")
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=list(LINK_COLUMNS))


def points(models: tuple[str, ...]) -> pd.DataFrame:
    """What `compare.link_points` gives: a row a layer and inside measure."""
    return pd.DataFrame([
        {"measurement": "brain", "dataset": "d", "split": "grouped", "mapping": "ridge", "metric": "r", "specification": "brain d",
         "model": model, "base_model": "b", "inside": "weight_change", "layer": layer, "movement": 0.1 * layer, "change": 0.01}
        for model in models for layer in range(5)
    ])  # fmt: skip


def test_eight_pairs_share_the_panels_of_a_measure_each() -> None:
    figures = [
        block for block in internals_section(shift_rows(NINE[:8]), [], STYLES).blocks if isinstance(block, Figure)
    ]
    assert [figure.key for figure in figures] == ["weights-overlap", "weights-states"]
    assert figures[0].layout["panels"]["titles"] == ["change of written weights"]
    assert not any(trace["name"] == "mean over pairs" for trace in figures[0].data)


def test_nine_pairs_stand_in_panels_of_their_own_each_before_the_mean_of_all() -> None:
    rows = shift_rows(NINE)
    blocks = internals_section(rows, [], STYLES).blocks
    figure = next(block for block in unfolded(blocks) if isinstance(block, Figure))
    drawn = spread(figure, kin_of(rows))
    assert len(drawn.layout["panels"]["titles"]) == 9
    means = [trace for trace in drawn.data if trace["name"] == "mean over pairs"]
    assert [trace["xaxis"] for trace in means] == ["x", *(f"x{place}" for place in range(2, 10))]
    assert means[0]["y"] == [5.0, 6.0]  # the mean of 0 ... 8 is 4, and the layer is added
    assert "mean over all 9 pairs" in drawn.caption
    assert "the base in blue" not in drawn.caption, "no base has a curve here"


def test_each_pairs_null_stands_in_its_own_panel_and_stays_grey() -> None:
    rows = shift_rows(NINE, nulls=True)
    figure = next(b for b in unfolded(internals_section(rows, [], STYLES).blocks) if isinstance(b, Figure))
    drawn = spread(figure, kin_of(rows))
    nulls = [trace for trace in drawn.data if (trace.get("meta") or {}).get("null")]
    axis_of = {trace["meta"]["model"]: trace["xaxis"] for trace in drawn.data if trace["name"] in NINE}
    assert {trace["meta"]["model"]: trace["y"][0] for trace in nulls} == {m: 20.0 + k for k, m in enumerate(NINE)}
    assert all(trace["xaxis"] == axis_of[trace["meta"]["model"]] for trace in nulls)
    assert {trace["line"]["color"] for trace in nulls} == {"#888888"}


def test_a_null_that_all_pairs_share_stands_in_every_panel() -> None:
    rows = shift_rows(NINE, nulls=True)
    rows.loc[rows["target"] == "another head", "value"] = 20.0
    figure = next(b for b in unfolded(internals_section(rows, [], STYLES).blocks) if isinstance(b, Figure))
    drawn = spread(figure, kin_of(rows))
    assert len({trace["xaxis"] for trace in drawn.data if (trace.get("meta") or {}).get("null")}) == 9


def test_no_figure_of_nine_pairs_is_lost_behind_the_folds() -> None:
    blocks = internals_section(shift_rows(NINE), [], STYLES).blocks
    assert [(block.title, block.opened) for block in blocks if isinstance(block, Fold)] == [
        ("Heads, components and weights", True),
        ("Hidden states", False),
    ]
    assert [block.key for block in unfolded(blocks) if isinstance(block, Figure)] == [
        "weights-overlap",
        "weights-states",
    ]


@pytest.mark.parametrize(
    ("n", "crowded", "opened"),
    [(1, True, None), (3, False, None), (2, True, [True, False]), (4, False, [True, False, False, False])],
)
def test_data_sets_fold_where_there_are_many_or_many_models(n: int, crowded: bool, opened: list[bool] | None) -> None:
    blocks = folded(parts(n), crowded=crowded)
    if opened is None:
        assert not any(isinstance(block, Fold) for block in blocks)
    else:
        assert [block.opened for block in blocks if isinstance(block, Fold)] == opened
    assert len([*unfolded(blocks)]) == 2 * n


def test_a_fold_says_what_it_holds_and_its_figures_are_redrawn() -> None:
    figure = Figure("f", "Old.", "", [])
    fold = Fold("k", "set", (figure, *parts(1)[0].blocks))
    assert fold.holds == "1 figure, 1 table"
    made: Block = redrawn(fold, lambda one: Figure(one.key, "New.", "", []))
    assert isinstance(made, Fold)
    assert isinstance(made.blocks[0], Figure)
    assert made.blocks[0].caption == "New."


def test_the_map_of_the_layer_link_has_every_pair_with_its_own_numbers_and_marks_what_holds() -> None:
    figure = link_map("map", "brain score", links(("a", "b", "c")), "d")
    trace, given_depth = figure.data
    assert trace["y"] == [ALL_PAIRS, "a", "b", "c"]
    assert trace["z"] == [[0.3, 0.3], [0.0, 0.0], [0.1, 0.1], [0.2, 0.2]]
    assert trace["text"] == [["", ""]] * 4  # over layers nothing is tested
    assert given_depth["z"] == [[-0.3, -0.3], [-0.0, -0.0], [-0.1, -0.1], [-0.2, -0.2]]
    assert given_depth["text"] == [["●", ""], ["", ""], ["", ""], ["", ""]]
    alone = links(("a", "b", "c")).assign(partial_r=None)
    assert len(link_map("map", "brain score", alone, "d").data) == 1  # nothing is known given depth: no empty half
    assert trace["meta"]["models"] == ["", "a", "b", "c"], "the row of all pairs is of no model: no filter takes it out"
    assert (figure.layout["coloraxis"]["cmin"], figure.layout["coloraxis"]["cmax"]) == (-1, 1)


def test_nine_pairs_get_the_map_and_eight_do_not() -> None:
    keys = {}
    for n in (8, 9):
        blocks = layer_link_section(links(NINE[:n]), points(NINE[:n]), STYLES).blocks
        keys[n] = [block.key for block in unfolded(blocks) if isinstance(block, Figure)]
        [table] = [block for block in unfolded(blocks) if isinstance(block, SmallTable)]
        assert len(table.rows) == 2 * (n + 1), "every number of every pair is still there"
    assert "link-map-0" not in keys[8]
    assert keys[9] == ["link-map-0", "link-0"]
