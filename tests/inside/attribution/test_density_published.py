"""Densities and instruction scores of the published attribution matrices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tuneshift.errors import BadInput
from tuneshift.inside.attribution.density import (
    attribution_levels,
    importance_density,
    instruction_score,
    scaled_density,
)


@pytest.fixture(scope="module")
def cases(real_data: Path) -> list[dict[str, Any]]:
    return json.loads((real_data / "wu2024" / "cases.json").read_text(encoding="utf-8"))


def test_published_densities_and_scores_come_out_of_published_levels(cases: list[dict[str, Any]]) -> None:
    assert len(cases) == 30
    for case in cases:
        scaled = scaled_density(importance_density(np.array(case["levels"])))
        np.testing.assert_allclose(scaled, case["density_scaled"], atol=1e-6, err_msg=case["id"])
        score = instruction_score(scaled, np.array(case["instruction_mask"]))
        assert score == pytest.approx(case["instruction_score"], abs=1e-6), case["id"]


def test_published_levels_are_levels_of_themselves(cases: list[dict[str, Any]]) -> None:
    """Rescaling levels 0..10 whose maximum is 10 gives them back, since ceil(10 (k/10)) = k but for the 1e-7."""
    levels = np.array(cases[0]["levels"])
    full = levels[:, levels.max(axis=0) == 10]
    np.testing.assert_array_equal(attribution_levels(full), full)


@given(k=st.integers(1, 50), level=st.integers(8, 10), zeros=st.integers(0, 20))
def test_k_equal_levels_have_a_density_of_k_to_three_quarters(k: int, level: int, zeros: int) -> None:
    row = np.array([[level] * k + [0] * zeros])
    assert importance_density(row)[0] == pytest.approx(k**0.75)


@given(arrays.arrays(np.float32, (4, 5), elements=st.floats(-10, 10, width=32)))
def test_levels_run_from_0_to_10_and_negative_attributions_are_0(raw: np.ndarray) -> None:
    levels = attribution_levels(raw)
    assert levels.min() >= 0
    assert levels.max() <= 10
    assert (levels[raw <= 0] == 0).all()
    strong = raw.max(axis=0) > 1e-5
    assert (levels.max(axis=0)[strong] == 10).all()


def test_levels_at_the_threshold_do_not_count_and_rows_without_any_are_0() -> None:
    np.testing.assert_allclose(importance_density(np.array([[7, 7], [8, 7], [0, 0]])), [0, 1, 0])


def test_the_score_grows_with_instruction_density_over_the_log_of_their_number() -> None:
    density = np.array([1.0, 0.5, 0.5, 0.0])
    assert instruction_score(density, np.array([1, 1, 0, 0])) == pytest.approx(1.5 / 2)
    assert instruction_score(density, np.zeros(4)) == 0
    assert instruction_score(np.zeros(0), np.zeros(0)) == 0


def test_wrong_shapes_and_exponents_are_refused() -> None:
    with pytest.raises(BadInput, match="matrix"):
        importance_density(np.zeros(3))
    with pytest.raises(BadInput, match="p = 1"):
        importance_density(np.zeros((2, 2)), p=1)
