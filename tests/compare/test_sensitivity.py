"""Sensitivity of the instruction score: every choice of constants, and lengths held constant."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from tuneshift.compare import has_sensitivity, sensitivity
from tuneshift.result import Result

N = 60
PROMPTS = [f"prompt_{number}" for number in range(N)]


def result(scores: np.ndarray, response_length: np.ndarray, prompts: list[str] | None = None) -> Result:
    names = prompts or PROMPTS
    variants = xr.DataArray(
        np.stack([scores, 2 * scores]),
        dims=("variant", "prompt"),
        coords={
            "variant": ["first", "second"],
            "frame": ("variant", [True, False]),
            "scaled": ("variant", [True, True]),
            "threshold": ("variant", [7, 5]),
            "p": ("variant", [4.0, 2.0]),
            "prompt": names,
        },
    )
    lengths = {
        "response_length": response_length,
        "prompt_length": np.linspace(10, 40, len(names)),
        "instruction_length": np.arange(len(names)) % 7,
    }
    arrays = {
        name: xr.DataArray(np.asarray(values, float), dims="prompt", coords={"prompt": names})
        for name, values in lengths.items()
    }
    return Result.from_rows([], arrays={"instruction_scores": variants, **arrays})


def test_every_variant_has_its_own_line_with_the_published_test():
    rng = np.random.default_rng(1)
    base, tuned = rng.normal(0.4, 0.2, N), rng.normal(0.5, 0.2, N)
    lengths = np.full(N, 20.0)
    table = sensitivity(result(base, lengths), result(tuned, lengths))
    assert list(table["threshold"]) == [7, 5]
    first = table.iloc[0]
    welch = stats.ttest_ind(tuned, base, equal_var=False, alternative="greater")
    assert first["p_welch_one_sided"] == pytest.approx(welch.pvalue)
    assert first["difference"] == pytest.approx((tuned - base).mean())
    assert first["adjusted_difference"] == pytest.approx((tuned - base).mean())  # equal lengths explain nothing
    assert table.iloc[1]["difference"] == pytest.approx(2 * first["difference"])
    assert table.iloc[1]["cohens_d"] == pytest.approx(first["cohens_d"])


def test_a_difference_that_is_all_length_vanishes_when_lengths_are_held_constant():
    rng = np.random.default_rng(2)
    short, long = rng.integers(5, 30, N), rng.integers(60, 300, N)
    base, tuned = (np.log(lengths) + rng.normal(0, 0.1, N) for lengths in (long, short))
    line = sensitivity(result(base, long), result(tuned, short)).iloc[0]
    assert line["ci_high"] < 0
    assert abs(line["adjusted_difference"]) < 0.1
    assert line["p_adjusted_difference"] > 0.01


def test_only_prompts_that_both_scored_are_compared():
    rng = np.random.default_rng(3)
    base, tuned = rng.normal(size=N), rng.normal(size=N)
    base[:5], tuned[5:9] = np.nan, np.nan
    shuffled = [PROMPTS[number] for number in rng.permutation(N)]
    order = [shuffled.index(name) for name in PROMPTS]
    moved = np.empty(N)
    moved[order] = tuned
    lengths = np.full(N, 9.0)
    line = sensitivity(result(base, lengths), result(moved, lengths, shuffled)).iloc[0]
    assert line["n"] == N - 9
    assert line["difference"] == pytest.approx((tuned - base)[9:].mean())


def test_results_without_variants_have_no_table():
    assert not has_sensitivity(Result.from_rows([]))
    few = sensitivity(result(np.full(N, np.nan), np.ones(N)), result(np.ones(N), np.ones(N)))
    assert few.empty
