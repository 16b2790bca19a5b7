"""Correlations over models against scipy and statsmodels, and families that are not independent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from tuneshift.compare import correlate_with_properties, score_points
from tuneshift.compare.correlations import SIZE, partial_correlation, pearson_interval, without_each_family
from tuneshift.result import long_table


def models_table(scores: np.ndarray, accuracy: np.ndarray) -> pd.DataFrame:
    """A brain score and an accuracy of each model, and rows that are no score of a model."""
    rows: list[dict[str, Any]] = []
    for i, (score, share) in enumerate(zip(scores, accuracy, strict=True)):
        brain = {"model": f"m{i}", "measurement": "brain", "dataset": "d", "metric": "r", "target": "mean"}
        rows.append({**brain, "layer": "nested", "participant": "mean", "value": score})
        rows.append({**brain, "layer": "4", "participant": "mean", "value": score + 1})
        rows.append({**brain, "layer": "nested", "participant": "p1", "value": score - 1})
        ability = {"model": f"m{i}", "measurement": "ability", "dataset": "mmlu", "metric": "accuracy"}
        rows.append({**ability, "participant": "mean", "value": share})
    return long_table(rows)


def planted(n: int = 20, seed: int = 1) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    generator = np.random.default_rng(seed)
    size = generator.uniform(8, 10.5, n)
    accuracy = 0.1 * size + generator.normal(0, 0.1, n)
    score = 0.05 * size + 0.1 * accuracy + generator.normal(0, 0.03, n)
    return score, accuracy, {f"m{i}": 10**s for i, s in enumerate(size)}


def test_further_metrics_of_a_task_are_no_further_abilities() -> None:
    score, accuracy, sizes = planted()
    table = models_table(score, accuracy)
    named = {f"m{i}": "f" for i in range(len(score))}
    further = table[table["measurement"] == "ability"].assign(metric="acc_norm", mapping="none", value=0.5)
    both = pd.concat([table, further], ignore_index=True)
    expected = correlate_with_properties(table, sizes, named)
    pd.testing.assert_frame_equal(correlate_with_properties(both, sizes, named), expected)
    assert set(expected["property"]) == {SIZE, "mmlu accuracy"}


def test_correlations_are_those_of_scipy() -> None:
    score, accuracy, sizes = planted()
    frame = correlate_with_properties(models_table(score, accuracy), sizes, {}).set_index("property")
    assert set(frame.index) == {SIZE, "mmlu accuracy"}
    log_size = np.log10(list(sizes.values()))
    for name, x in ((SIZE, log_size), ("mmlu accuracy", accuracy)):
        row = frame.loc[name]
        assert row["pearson_r"] == pytest.approx(stats.pearsonr(x, score).statistic)
        assert row["pearson_p"] == pytest.approx(stats.pearsonr(x, score).pvalue)
        assert row["spearman_r"] == pytest.approx(stats.spearmanr(x, score).statistic)
        assert row["n"] == 20
    np.testing.assert_allclose(frame["pearson_q"], stats.false_discovery_control(frame["pearson_p"]))


def test_the_partial_correlation_given_size_is_that_of_a_regression() -> None:
    score, accuracy, sizes = planted()
    frame = correlate_with_properties(models_table(score, accuracy), sizes, {}).set_index("property")
    log_size = np.log10(list(sizes.values()))
    row = frame.loc["mmlu accuracy"]
    r = np.corrcoef([accuracy, score, log_size])
    by_hand = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert row["partial_r"] == pytest.approx(by_hand)
    fit = sm.OLS(score, sm.add_constant(np.column_stack([accuracy, log_size]))).fit()
    assert row["partial_p"] == pytest.approx(fit.pvalues[1])
    assert pd.isna(frame.loc[SIZE, "partial_r"])


def test_an_accuracy_that_goes_with_a_score_through_size_alone_has_no_partial_correlation() -> None:
    generator = np.random.default_rng(2)
    size = generator.uniform(8, 10.5, 400)
    accuracy, score = size + generator.normal(0, 0.3, 400), size + generator.normal(0, 0.3, 400)
    assert stats.pearsonr(accuracy, score).statistic > 0.8
    r, p = partial_correlation(accuracy, score, size)
    assert abs(r) < 0.1
    assert p > 0.05


def test_the_interval_of_a_correlation_covers_a_planted_one() -> None:
    rho, n, covered = 0.6, 25, []
    generator = np.random.default_rng(3)
    for draw in range(150):
        x, e = generator.normal(size=(2, n))
        low, high = pearson_interval(x, rho * x + np.sqrt(1 - rho**2) * e, seed=draw)
        covered.append(low <= rho <= high)
    assert 0.86 <= np.mean(covered) <= 0.98  # percentile intervals of r run a little narrow at 25 models


def test_tuned_copies_of_few_base_models_do_not_make_the_interval_narrow() -> None:
    """Copies of a model add models and no knowledge: the interval over base models stays, the other one shrinks."""
    rho, n, n_copies = 0.5, 20, 5
    covered: dict[str, list[bool]] = {"base models": [], "models": []}
    generator = np.random.default_rng(5)
    for draw in range(80):
        x, e = generator.normal(size=(2, n))
        y = rho * x + np.sqrt(1 - rho**2) * e
        copies, names = np.repeat(np.arange(n), n_copies), np.repeat([f"m{i}" for i in range(n)], n_copies)
        near = generator.normal(0, 0.01, len(copies))
        for over, groups in (("base models", names), ("models", None)):
            low, high = pearson_interval(x[copies], y[copies] + near, seed=draw, groups=groups)
            covered[over].append(low <= rho <= high)
    assert np.mean(covered["base models"]) >= 0.84
    assert np.mean(covered["models"]) < 0.7


def test_drawing_groups_of_one_model_is_drawing_models() -> None:
    x, y = np.random.default_rng(6).normal(size=(2, 12))
    assert pearson_interval(x, y) == pearson_interval(x, y, groups=np.array([f"m{i:02d}" for i in range(12)]))


def test_the_table_says_over_what_its_interval_is() -> None:
    score, accuracy, sizes = planted(n=12)
    table = models_table(score, accuracy)

    def row(bases: dict[str, str]) -> pd.Series:
        return correlate_with_properties(table, sizes, {}, bases).set_index("property").loc[SIZE]

    assert row({})[["n_bases", "interval_over"]].tolist() == [12, "models"]
    chain = {"m1": "m0", "m2": "m1", "m4": "m3"}  # m2 was tuned from m1, which was tuned from m0
    assert row(chain)[["n_bases", "interval_over"]].tolist() == [9, "base models"]
    two = {f"m{i}": f"m{i % 2}" for i in range(2, 12)}
    few = row(two)[["n_bases", "interval_over", "pearson_low", "pearson_high"]].tolist()
    assert few == [2, "too few base models", -1, 1]  # two points lie on a line, whatever was planted


def test_a_correlation_that_one_family_makes_falls_without_it() -> None:
    generator = np.random.default_rng(4)
    families = np.array(["giants"] * 4 + ["small"] * 8 + ["smaller"] * 8)
    x = np.where(families == "giants", 3.0, 0.0) + generator.normal(0, 0.3, 20)
    y = np.where(families == "giants", 3.0, 0.0) + generator.normal(0, 0.3, 20)
    assert stats.pearsonr(x, y).statistic > 0.9
    without = without_each_family(x, y, families)
    assert without.keys() == {"giants", "small", "smaller"}
    assert abs(without["giants"]) < 0.5
    assert without["small"] > 0.9
    stay = families != "giants"
    assert without["giants"] == pytest.approx(stats.pearsonr(x[stay], y[stay]).statistic)


def test_the_table_says_how_far_any_one_family_moves_the_correlation() -> None:
    score, accuracy, sizes = planted()
    families = {f"m{i}": "abcd"[i % 4] for i in range(20)}
    row = correlate_with_properties(models_table(score, accuracy), sizes, families).set_index("property").loc[SIZE]
    named = np.array([families[f"m{i}"] for i in range(20)])
    each = without_each_family(np.log10(list(sizes.values())), score, named)
    found = (row["without_family_low"], row["without_family_high"])
    assert found == pytest.approx((min(each.values()), max(each.values())))
    assert row["n_families"] == 4


def test_fewer_than_four_models_are_no_correlation() -> None:
    score, accuracy, sizes = planted(3)
    assert correlate_with_properties(models_table(score, accuracy), sizes, {}).empty


def test_a_score_that_never_varies_has_no_correlation() -> None:
    _, accuracy, sizes = planted(8)
    frame = correlate_with_properties(models_table(np.full(8, 0.1), accuracy), sizes, {})
    assert frame["pearson_r"].isna().all()
    assert frame["pearson_q"].isna().all()


def test_models_without_a_known_size_are_correlated_with_abilities_all_the_same() -> None:
    score, accuracy, _ = planted(8)
    frame = correlate_with_properties(models_table(score, accuracy), {}, {})
    assert frame["property"].tolist() == ["mmlu accuracy"]
    assert frame["partial_r"].isna().all()


def test_points_of_a_scatter_plot_are_summary_scores_only() -> None:
    score, accuracy, sizes = planted(6)
    points = score_points(models_table(score, accuracy), sizes)
    assert len(points) == 2 * 6
    np.testing.assert_allclose(np.sort(points["y"].unique()), np.sort(score))
