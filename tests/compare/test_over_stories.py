"""A correlation with size over stories: what another draw of stories would have given, drawn for all models alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tuneshift.compare import correlate_with_properties, score_points
from tuneshift.compare.over_stories import correlation_over_stories, with_story_intervals
from tuneshift.result import long_table

N_MODELS, STORIES, WORDS = 12, 8, 40


def _shares(slope: float, seed: int = 0, noise: float = 1.0) -> tuple[dict[str, float], dict[str, xr.DataArray]]:
    """Sizes of models, and each word's share of a score that goes with the logarithm of size."""
    random = np.random.default_rng(seed)
    sizes = {f"m{i}": float(10 ** (8 + 0.25 * i)) for i in range(N_MODELS)}
    document = np.repeat([f"s{i}" for i in range(STORIES)], WORDS)
    story = random.normal(0, 3, STORIES)  # a hard story is hard for every model
    own = random.normal(0, noise, (N_MODELS, STORIES))
    arrays = {}
    for i, (name, size) in enumerate(sizes.items()):
        level = slope * np.log10(size) + np.repeat(story + own[i], WORDS)
        values = level + random.normal(0, 1, len(document))
        arrays[name] = xr.DataArray(values, dims=("word",), coords={"document": ("word", document)})
    return sizes, arrays


def _study(sizes: dict[str, float], arrays: dict[str, xr.DataArray]) -> pd.DataFrame:
    rows = [
        {"model": name, "measurement": "reading", "dataset": "d", "mapping": "given", "metric": "delta_ll",
         "value": float(shares.mean())}
        for name, shares in arrays.items()
    ]  # fmt: skip
    table = long_table(rows).assign(specification="reading d")
    found = correlate_with_properties(table, sizes, {})
    points = score_points(table, sizes)
    return with_story_intervals(found, points, lambda model, _: {"delta_ll_given": arrays[model]})


def test_a_story_left_out_is_left_out_with_all_its_words_for_every_model() -> None:
    sizes, arrays = _shares(slope=-0.5)
    x = np.log10(list(sizes.values()))
    values = np.array([shares.values for shares in arrays.values()])
    words = np.array([10, 20, 30, 40, 50, 60, 70, 40])
    story = np.repeat(np.arange(STORIES), words)
    sums = np.array([np.bincount(story, row) for row in values])
    r = np.array([np.corrcoef(x, values[:, story != s].mean(1))[0, 1] for s in range(STORIES)])
    slope = r / np.sqrt(1 - r**2)
    reach = 2.364624 * np.sqrt(
        (STORIES - 1) / STORIES * np.sum((slope - slope.mean()) ** 2)
    )  # t of 7 degrees of freedom
    whole = np.corrcoef(x, values.mean(1))[0, 1]
    low, high = (at / np.sqrt(1 + at**2) for at in whole / np.sqrt(1 - whole**2) + np.array([-reach, reach]))
    assert correlation_over_stories(x, sums, words.astype(float)) == pytest.approx((low, high))


def test_of_five_stories_a_slope_that_only_they_have_is_excluded_one_time_in_twenty() -> None:
    generator = np.random.default_rng(6)
    x, beyond = np.arange(12.0) - 5.5, []
    for _ in range(300):
        sums = generator.normal(size=(12, 5)) * 0.3 + generator.normal(size=5) * x[:, None]
        sums += generator.normal(size=12)[:, None] * 0.1
        low, high = correlation_over_stories(x, sums, np.ones(5))
        beyond.append(low > 0 or high < 0)
    assert 0.02 <= np.mean(beyond) <= 0.09


def test_a_planted_effect_of_size_stands_over_stories_and_no_effect_does_not() -> None:
    planted = _study(*_shares(slope=-1.0)).iloc[0]
    assert planted["over_stories_high"] < -0.5
    assert planted["n_stories"] == STORIES
    nothing = _study(*_shares(slope=0.0, noise=2.0, seed=3)).iloc[0]
    assert nothing["over_stories_low"] < 0 < nothing["over_stories_high"]


def test_the_interval_holds_the_correlation_of_all_words() -> None:
    for seed in range(5):
        row = _study(*_shares(slope=-0.5, seed=seed)).iloc[0]
        assert row["over_stories_low"] < row["pearson_r"] < row["over_stories_high"]


def test_the_order_in_which_models_were_measured_changes_nothing() -> None:
    sizes, arrays = _shares(slope=-0.3)
    backwards = dict(reversed(list(arrays.items())))
    pd.testing.assert_frame_equal(_study(sizes, arrays), _study(sizes, backwards))


def test_models_scored_on_other_words_have_no_common_draw() -> None:
    sizes, arrays = _shares(slope=-1.0)
    arrays["m3"] = arrays["m3"][:-1]
    assert pd.isna(_study(sizes, arrays).iloc[0]["over_stories_low"])
    sizes, arrays = _shares(slope=-1.0)
    two = {name: shares[: 2 * WORDS] for name, shares in arrays.items()}
    assert pd.isna(_study(sizes, two).iloc[0]["n_stories"])


def test_scores_that_are_no_means_over_words_have_none() -> None:
    sizes, _ = _shares(slope=0.0)
    rows = [
        {"model": name, "measurement": "brain", "dataset": "d", "metric": "r", "layer": "nested", "value": 0.1 * i,
         "target": "mean", "participant": "mean"}
        for i, name in enumerate(sizes)
    ]  # fmt: skip
    table = long_table(rows).assign(specification="brain d")
    found = correlate_with_properties(table, sizes, {})
    with_columns = with_story_intervals(found, score_points(table, sizes), lambda model, _: {})
    assert with_columns[["over_stories_low", "over_stories_high", "n_stories"]].isna().all(axis=None)
    empty = with_story_intervals(found.iloc[:0], score_points(table, sizes).iloc[:0], lambda model, _: {})
    assert "n_stories" in empty
