"""Nested brain scores are correlated over models: the rows are those that the measurement itself writes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tuneshift.brain.ceilings.ceiling import Ceiling
from tuneshift.brain.summary import Setting, score_rows
from tuneshift.compare.correlations import SIZE, ambiguous_scores, correlate_with_properties, score_points
from tuneshift.result import long_table

SIZES = {f"m{i}": 10.0**i for i in range(5, 11)}
N_LAYERS = 4


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Six models of 12 people and two regions; nested scores grow with size, the best layer's shrink."""
    data = xr.DataArray(
        np.zeros((2, 24)),
        dims=("stimulus", "target"),
        coords={
            "participant": ("target", np.repeat([f"p{i}" for i in range(12)], 2)),
            "region": ("target", ["IFG", "PTL"] * 12),
        },
    )
    generator = np.random.default_rng(3)
    rows = []
    for place, model in enumerate(SIZES):
        setting = Setting("alice2016", "contiguous", "ridge", 0)
        layers = np.full((N_LAYERS, 24), 0.3 - 0.02 * place) + generator.normal(0, 0.001, (N_LAYERS, 24))
        nested = np.full(24, 0.1 + 0.02 * place) + generator.normal(0, 0.001, 24)
        rows += [
            {"model": model, **row} for row in score_rows(setting, data, layers, Ceiling.unknown(24), nested=nested)
        ]
    return long_table(rows)


def test_the_nested_score_of_every_model_is_a_point_and_the_optimistic_layer_is_none(table: pd.DataFrame) -> None:
    points = score_points(table, SIZES)
    assert set(points["layer"]) == {"nested"}
    assert points["model"].tolist() == sorted(SIZES)
    expected = table[(table["layer"] == "nested") & (table["target"] == "mean") & (table["participant"] == "mean")]
    assert points["y"].tolist() == expected.sort_values("model")["value"].astype(float).tolist()


def test_nested_scores_that_grow_with_size_are_found_to(table: pd.DataFrame) -> None:
    [row] = correlate_with_properties(table, SIZES, {}).to_dict("records")
    assert (row["property"], row["layer"], row["n"]) == (SIZE, "nested", 6)
    assert row["pearson_r"] > 0.99


def test_a_score_that_a_model_has_twice_is_left_out_and_said(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table[table["model"] == "m5"]], ignore_index=True)
    assert set(score_points(twice, SIZES)["model"]) == set(SIZES) - {"m5"}
    [said] = ambiguous_scores(twice)
    assert "m5 has several numbers called r on alice2016" in said
    assert ambiguous_scores(table) == []
