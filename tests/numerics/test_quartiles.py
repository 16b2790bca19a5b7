"""Quartiles are those of numpy, whatever is missing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuneshift.numerics.quartiles import quartiles


@given(n=st.integers(1, 40), missing=st.sampled_from([0.0, 0.3, 0.9]), seed=st.integers(0, 10**6))
def test_quartiles_are_those_of_the_values_that_are_there(n: int, missing: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, 6))
    values[rng.random(values.shape) < missing] = rng.choice([np.nan, np.inf, -np.inf])
    values[:, 5] = np.nan
    values[:, 4] = rng.standard_normal(n)
    found = quartiles(values)
    for column in range(6):
        there = values[np.isfinite(values[:, column]), column]
        expected = np.quantile(there, [0.25, 0.5, 0.75]) if len(there) else np.full(3, np.nan)
        assert np.array_equal(found[:, column], expected, equal_nan=True)


def test_without_a_row_there_are_none() -> None:
    assert np.isnan(quartiles(np.empty((0, 2)))).all()
