"""A tuned model against its base: each number checked by hand or against scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from tuneshift.compare import compare_pair
from tuneshift.result import Result

PEOPLE = [f"p{i}" for i in range(10)]


def brain(values: dict[str, np.ndarray]) -> Result:
    """A brain result: layer -> score of each participant; the summary row is their mean."""
    rows: list[dict[str, Any]] = []
    for layer, scores in values.items():
        key = {"dataset": "d", "split": "grouped", "mapping": "ridge", "layer": layer, "target": "mean", "metric": "r"}
        rows.append({**key, "participant": "mean", "value": scores.mean(), "unit": "r"})
        rows += [{**key, "participant": p, "value": s, "unit": "r"} for p, s in zip(PEOPLE, scores, strict=True)]
    return Result.from_rows(rows)


def test_participants_are_paired_and_tested() -> None:
    generator = np.random.default_rng(1)
    base, gain = generator.normal(0.1, 0.03, 10), generator.normal(0.01, 0.01, 10)
    row = compare_pair(brain({"3": base}), brain({"3": base + gain})).iloc[0]
    assert row["base"] == pytest.approx(base.mean())
    assert row["tuned"] == pytest.approx((base + gain).mean())
    assert row["difference"] == pytest.approx(gain.mean())
    assert row["ratio"] == pytest.approx((base + gain).mean() / base.mean())
    exact = stats.permutation_test((gain,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert row["p"] == pytest.approx(exact.pvalue)
    assert row["p_wilcoxon"] == pytest.approx(stats.wilcoxon(gain).pvalue)
    boot = stats.bootstrap((gain,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(2))
    assert row["ci_low"] == pytest.approx(boot.confidence_interval.low, abs=5e-4)
    assert row["ci_high"] == pytest.approx(boot.confidence_interval.high, abs=5e-4)
    assert (row["n"], row["n_up"], row["over"]) == (10, (gain > 0).sum(), "participants")


def test_p_values_are_adjusted_over_the_layers_of_a_metric() -> None:
    generator = np.random.default_rng(3)
    base = {str(layer): generator.normal(0.1, 0.03, 10) for layer in range(6)}
    tuned = {layer: scores + generator.normal(0.004 * int(layer), 0.01, 10) for layer, scores in base.items()}
    frame = compare_pair(brain(base), brain(tuned))
    np.testing.assert_allclose(frame["q"], stats.false_discovery_control(frame["p"]))


def test_participants_that_only_one_model_has_are_left_out() -> None:
    scores = np.linspace(0.1, 0.2, 10)
    tuned = brain({"1": scores + 0.01})
    tuned = Result(tuned.table[tuned.table["participant"] != "p3"])
    row = compare_pair(brain({"1": scores}), tuned).iloc[0]
    assert row["n"] == 9


def test_a_layer_that_only_one_model_has_is_no_pair() -> None:
    scores = np.linspace(0.1, 0.2, 10)
    frame = compare_pair(brain({"1": scores, "2": scores}), brain({"2": scores, "3": scores}))
    assert frame["layer"].tolist() == ["2"]


def test_a_score_of_another_sign_has_a_difference_and_no_ratio() -> None:
    row = compare_pair(brain({"1": np.full(10, -0.1)}), brain({"1": np.full(10, 0.1)})).iloc[0]
    assert row["difference"] == pytest.approx(0.2)
    assert np.isnan(row["ratio"])


def prompts(values: np.ndarray) -> Result:
    key = {"dataset": "d", "metric": "instruction_score", "mapping": "plain"}
    rows: list[dict[str, Any]] = [{**key, "target": "mean", "participant": "mean", "value": values.mean()}]
    rows += [{**key, "target": f"prompt:{i}", "participant": "mean", "value": v} for i, v in enumerate(values)]
    return Result.from_rows(rows)


def test_prompts_are_units_of_their_summary_not_scores_of_their_own() -> None:
    generator = np.random.default_rng(4)
    base, gain = generator.normal(0.4, 0.1, 40), generator.normal(0.08, 0.1, 40)
    frame = compare_pair(prompts(base), prompts(base + gain))
    assert len(frame) == 1
    row = frame.iloc[0]
    assert (row["n"], row["over"]) == (40, "prompts")
    assert row["difference"] == pytest.approx(gain.mean())
    assert row["p"] == pytest.approx(stats.ttest_1samp(gain, 0).pvalue, abs=0.01)


def reading(losses: np.ndarray, stories: np.ndarray) -> Result:
    row = {"dataset": "d", "mapping": "corrected", "metric": "delta_ll", "participant": "mean", "value": losses.mean()}
    array = xr.DataArray(losses, dims=("word",), coords={"document": ("word", stories)})
    return Result.from_rows([row], arrays={"delta_ll_corrected": array})


def test_words_are_paired_within_stories_because_words_of_a_story_are_not_independent() -> None:
    generator = np.random.default_rng(5)
    stories = np.repeat(np.arange(8), [50, 60, 70, 80, 50, 60, 70, 80])
    base = generator.normal(0, 1, len(stories))
    by_story = generator.normal(0.1, 0.05, 8)
    row = compare_pair(reading(base, stories), reading(base + by_story[stories], stories)).iloc[0]
    assert (row["n"], row["n_up"], row["over"]) == (8, (by_story > 0).sum(), "stories")
    assert row["difference"] == pytest.approx(by_story[stories].mean())
    weights = np.bincount(stories)
    exact = stats.permutation_test((by_story * weights,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert row["p"] == pytest.approx(exact.pvalue)
    assert row["ci_low"] < by_story[stories].mean() < row["ci_high"]


def test_numbers_without_units_have_no_interval_and_no_test() -> None:
    one, other = (Result.from_rows([{"dataset": "d", "metric": "perplexity", "value": v}]) for v in (30.0, 24.0))
    row = compare_pair(one, other).iloc[0]
    assert row["difference"] == -6
    assert pd.isna(row[["ci_low", "ci_high", "p", "q"]]).all()


def test_the_same_model_twice_differs_in_nothing() -> None:
    scores = np.linspace(0.1, 0.2, 10)
    row = compare_pair(brain({"1": scores}), brain({"1": scores})).iloc[0]
    assert (row["difference"], row["ratio"], row["p"], row["ci_low"], row["ci_high"]) == (0, 1, 1, 0, 0)
