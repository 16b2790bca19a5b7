"""Correlations over models against scipy and statsmodels, and families that are not independent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from tuneshift.compare import correlate_with_properties, score_points
from tuneshift.compare.correlations import SIZE, without_each_family
from tuneshift.compare.related_models import partial, pearson, spearman
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
        bounds = stats.pearsonr(x, score).confidence_interval()
        assert (row["pearson_low"], row["pearson_high"]) == pytest.approx((bounds.low, bounds.high))
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
    found = partial(accuracy, score, size, np.arange(400))
    assert abs(found.r) < 0.1
    assert found.p > 0.05


def test_leaving_out_bases_is_the_jackknife_of_fishers_z() -> None:
    generator = np.random.default_rng(8)
    bases = np.array(list("aabbbccdde"))
    x, y = generator.normal(size=(2, len(bases)))
    z = np.array([np.arctanh(np.corrcoef(x[bases != name], y[bases != name])[0, 1]) for name in "abcde"])
    error = np.sqrt(4 / 5 * np.sum((z - z.mean()) ** 2))
    whole = np.arctanh(np.corrcoef(x, y)[0, 1])
    found = pearson(x, y, bases)
    assert (found.low, found.high) == pytest.approx(
        (np.tanh(whole - 2.776445 * error), np.tanh(whole + 2.776445 * error))
    )
    assert found.p == pytest.approx(2 * stats.t.sf(abs(whole) / error, 4))


def test_spearman_of_independent_models_has_the_standard_error_of_bonett_and_wright() -> None:
    x, y = np.random.default_rng(9).normal(size=(2, 15))
    r = stats.spearmanr(x, y).statistic
    found = spearman(x, y, np.arange(15))
    reach = 1.959964 * np.sqrt((1 + r * r / 2) / 12)
    assert (found.low, found.high) == pytest.approx(tuple(np.tanh(np.arctanh(r) + np.array([-reach, reach]))))


def test_interval_and_p_of_spearman_and_of_relatives_never_disagree() -> None:
    generator = np.random.default_rng(10)
    bases = np.repeat(np.arange(7), [1, 2, 3, 1, 2, 2, 1])
    for _ in range(100):
        x = generator.normal(size=12)
        y = 0.5 * x + generator.normal(size=12)
        for found in (spearman(x, y, np.arange(12)), *(kind(x, y, bases) for kind in (pearson, spearman))):
            assert found.low <= found.r <= found.high
            assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_four_models_in_perfect_order_are_no_evidence() -> None:
    """Four models stand in perfect order, up or down, in 2 of 24 cases."""
    found = spearman(np.arange(4.0), np.arange(4.0) ** 2, np.arange(4))
    assert found.r == found.high == 1
    assert found.p > 2 / 24


def test_tuned_copies_of_base_models_add_models_and_no_knowledge() -> None:
    """Scores without any relation to size: taken as strangers, relatives find one in a third of studies."""
    generator = np.random.default_rng(5)
    of_base = np.array([2, 3, 3, 6, 3, 3, 3, 2])  # 8 bases with 17 tuned models
    bases = np.repeat(np.arange(8), of_base)
    honest, naive = [], []
    for _ in range(300):
        x = generator.normal(size=8)[bases]
        y = generator.normal(size=8)[bases] + generator.normal(0, 0.2, 25)
        honest.append(pearson(x, y, bases).p < 0.05)
        naive.append(stats.pearsonr(x, y).pvalue < 0.05)
    assert 0.02 <= np.mean(honest) <= 0.085  # 5% of 300, within 2.7 standard errors
    assert np.mean(naive) > 0.25


def test_what_size_explains_is_found_given_size_in_one_of_twenty_studies_of_relatives() -> None:
    generator = np.random.default_rng(7)
    bases = np.repeat(np.arange(8), 3)
    found = []
    for _ in range(200):
        size = generator.normal(size=8)[bases]
        ability, score = (size + generator.normal(size=8)[bases] + generator.normal(0, 0.3, 24) for _ in range(2))
        found.append(partial(ability, score, size, bases).p < 0.05)
    assert np.mean(found) <= 0.09


def test_models_whose_size_is_one_without_some_base_allow_any_correlation() -> None:
    x, y = np.array([1.0, 1, 1, 1, 1, 2]), np.random.default_rng(11).normal(size=6)
    found = pearson(x, y, np.array(list("aabbcd")))
    assert (found.low, found.high) == (-1, 1)
    assert np.isnan(found.p)


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
    assert row(two)[["pearson_p", "pearson_q", "spearman_p"]].isna().all()
    assert pd.isna(
        correlate_with_properties(table, sizes, {}, two).set_index("property").loc["mmlu accuracy", "partial_p"]
    )
    four = row({f"m{i}": f"m{i % 4}" for i in range(4, 12)})
    assert np.isfinite(four["pearson_p"])
    assert four[["spearman_low", "spearman_high"]].tolist() == [-1, 1]
    assert pd.isna(four["spearman_p"])  # ranks of four bases are often in perfect order


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
