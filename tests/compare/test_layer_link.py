"""Do the layers that moved most change their score most? Found where it was planted, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tuneshift.compare import link_layers
from tuneshift.compare.layer_correlation import linked, linked_given_depth, one_over_pairs
from tuneshift.compare.layer_link import POOLED, link_points
from tuneshift.compare.pairs import PAIR_COLUMNS
from tuneshift.result import long_table


def smooth(generator: np.random.Generator, n_layers: int, n: int) -> np.ndarray:
    """Curves over layers (n, n_layers), neighbours alike, that rise with depth."""
    depth = np.linspace(0, 1, n_layers)
    alike = np.exp(-0.5 * np.square((depth[:, None] - depth) / 0.2)) + 1e-8 * np.eye(n_layers)
    return generator.normal(size=(n, n_layers)) @ np.linalg.cholesky(alike).T + depth


def over_pairs_of_smooth_curves(generator: np.random.Generator, n_layers: int, n_pairs: int, shared: float) -> float:
    """The p over pairs whose changes share a part of what is not depth's."""
    depth = np.arange(float(n_layers))
    moved, other = (smooth(generator, n_layers, n_pairs) for _ in range(2))
    changed = shared * moved + (1 - shared) * other
    r = [linked_given_depth(a, b, depth) for a, b in zip(changed, moved, strict=True)]
    return one_over_pairs(r, [n_layers] * n_pairs, [f"b{i}" for i in range(n_pairs)])[0].p


def test_the_correlation_over_layers_is_spearmans() -> None:
    change, movement = np.random.default_rng(1).normal(size=(2, 6))
    assert linked(change, movement) == pytest.approx(stats.spearmanr(change, movement).statistic)


def test_a_constant_has_no_link() -> None:
    assert np.isnan(linked(np.ones(5), np.arange(5.0)))


def test_smooth_curves_without_a_link_are_linked_over_pairs_one_time_in_twenty_at_most() -> None:
    generator = np.random.default_rng(3)
    p = [over_pairs_of_smooth_curves(generator, 25, 5, shared=0.0) for _ in range(200)]
    assert np.nanmean(np.array(p) < 0.05) <= 0.09  # permuting layers gave 40%


def test_a_planted_link_of_smooth_curves_is_found_over_pairs() -> None:
    generator = np.random.default_rng(4)
    p = [over_pairs_of_smooth_curves(generator, 25, 5, shared=0.7) for _ in range(40)]
    assert np.mean(np.array(p) < 0.05) > 0.9


def test_pairs_of_one_base_are_one_draw_and_two_bases_are_no_sample() -> None:
    z = np.arctanh([0.2, 0.6, 0.5, -0.1])
    pooled, n_bases = one_over_pairs(np.tanh(z).tolist(), [20] * 4, ["a", "a", "b", "c"])
    by_base = np.array([z[:2].mean(), z[2], z[3]])
    test = stats.ttest_1samp(by_base, 0)
    low, high = test.confidence_interval()
    assert n_bases == 3
    assert (pooled.r, pooled.low, pooled.high) == pytest.approx((np.tanh(by_base.mean()), np.tanh(low), np.tanh(high)))
    assert pooled.p == pytest.approx(test.pvalue)
    few, n_bases = one_over_pairs([0.2, 0.6, np.nan], [20] * 3, ["a", "b", "c"])
    assert n_bases == 2
    assert np.isnan([few.low, few.high, few.p]).all()


def test_what_only_grows_with_depth_is_a_link_until_depth_is_taken_out() -> None:
    generator = np.random.default_rng(6)
    depth = np.arange(13.0)
    plain, given = [], []
    for _ in range(200):
        change, movement = 0.5 * depth + generator.normal(size=(2, 13))  # they share nothing but their growth
        plain.append(linked(change, movement))
        given.append(linked_given_depth(change, movement, depth))
    assert np.mean(plain) > 0.6
    assert abs(np.mean(given)) < 0.07


def test_a_link_beyond_depth_is_found_given_depth() -> None:
    generator = np.random.default_rng(7)
    depth = np.arange(13.0)
    shared = generator.normal(size=13)
    change, movement = (2 * shared + 0.5 * depth + 0.2 * generator.normal(size=13) for _ in range(2))
    assert linked_given_depth(change, movement, depth) > 0.85


def test_the_partial_correlation_is_that_of_the_textbook() -> None:
    change, movement, depth = np.random.default_rng(8).normal(size=(3, 11))
    ab, ad, bd = (stats.spearmanr(*two).statistic for two in ((change, movement), (change, depth), (movement, depth)))
    expected = (ab - ad * bd) / np.sqrt((1 - ad**2) * (1 - bd**2))
    assert linked_given_depth(change, movement, depth) == pytest.approx(expected)


def test_where_depth_explains_all_or_layers_are_few_nothing_is_left_to_correlate() -> None:
    depth = np.arange(8.0)
    movement = np.random.default_rng(9).normal(size=8)
    assert np.isnan(linked_given_depth(np.exp(depth), movement, depth))
    assert np.isnan(linked_given_depth(movement[:5], movement[1:6], depth[:5]))


def tables(changes: dict[str, np.ndarray], rotations: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    pairs, rows = [], []
    for model, change in changes.items():
        for layer, value in enumerate(change):
            row: dict[str, Any] = {"model": model, "base_model": "base", "measurement": "brain", "dataset": "d"}
            row |= {"split": "grouped", "mapping": "ridge", "layer": str(layer), "target": "mean", "metric": "r"}
            pairs.append({**row, "difference": value})
        pairs.append({**pairs[-1], "layer": "nested", "difference": 99.0})
        pairs.append({**pairs[-2], "target": "region A", "difference": 99.0})
        for layer, value in enumerate(rotations[model]):
            inside = {"model": model, "measurement": "internals", "layer": str(layer), "metric": "rotation_deg"}
            rows.append({**inside, "target": "mean", "value": value})
            rows.append({**inside, "target": "head 3", "value": 0.0})
    frame = pd.DataFrame(pairs, columns=[*PAIR_COLUMNS, "specification"])
    return frame, long_table(rows)


def test_tables_of_a_study_give_a_row_a_pair_and_one_for_all_pairs() -> None:
    generator = np.random.default_rng(5)
    rotations = {"t1": generator.uniform(1, 20, 8), "t2": generator.uniform(1, 20, 8)}
    changes = {model: -0.001 * rotation for model, rotation in rotations.items()}  # what counts is how much, not where
    frame = link_layers(*tables(changes, rotations)).set_index("model")
    assert set(frame.index) == {"t1", "t2", POOLED}
    assert frame.loc[["t1", "t2"], "spearman_r"].tolist() == pytest.approx([1, 1])
    half_a_step = 3 / (8 * 63)  # a perfect order of 8 layers has no infinite z
    assert frame.loc[POOLED, "spearman_r"] == pytest.approx(1 - half_a_step)
    assert frame.loc["t1", ["n_layers", "n_pairs"]].tolist() == [8, 1]
    assert frame.loc[POOLED, ["n_layers", "n_pairs"]].tolist() == [16, 2]
    assert frame.loc["t1", "inside"] == "rotation_deg"
    assert frame["partial_p"].isna().all()  # both were tuned from one base


def test_single_pairs_have_a_correlation_and_no_p_and_all_pairs_together_have_both() -> None:
    generator = np.random.default_rng(5)
    rotations = {f"t{i}": generator.uniform(1, 20, 12) for i in range(4)}
    changes = {model: 0.1 * rotation + generator.normal(0, 0.5, 12) for model, rotation in rotations.items()}
    pairs, table = tables(changes, rotations)
    own_base = pairs.assign(base_model="base of " + pairs["model"])
    frame = link_layers(own_base, table).set_index("model")
    alone = frame.drop(index=POOLED)
    assert alone["partial_r"].notna().all()
    assert alone[["partial_low", "partial_high", "partial_p", "partial_q"]].isna().all(axis=None)
    pooled = frame.loc[POOLED]
    assert pooled[["n_pairs", "n_bases"]].tolist() == [4, 4]
    assert 0 < pooled["partial_low"] < pooled["partial_r"] < pooled["partial_high"]
    assert pooled["partial_p"] < 0.05
    # Bases that were tuned from one model are one: three of them, and one more, are two.
    roots = {f"base of t{i}": "root" for i in range(3)}
    two = link_layers(own_base, table, bases=roots).set_index("model").loc[POOLED]
    assert two["n_bases"] == 2
    assert pd.isna(two["partial_p"])


def test_a_similarity_counts_as_movement_where_it_is_lost() -> None:
    kept = np.linspace(0.9, 0.2, 8)
    pairs, table = tables({"t": 0.01 * (1 - kept)}, {"t": kept})
    table["metric"] = "state_cka"
    frame = link_layers(pairs, table)
    assert frame["inside"].tolist() == ["1 - state_cka"]
    assert frame["spearman_r"].tolist() == pytest.approx([1])
    assert link_points(pairs, table)["movement"].tolist() == pytest.approx((1 - kept).tolist())


def test_normalised_scores_and_untrained_twins_are_no_further_links() -> None:
    generator = np.random.default_rng(10)
    pairs, table = tables({"t": generator.normal(size=8)}, {"t": generator.uniform(size=8)})
    others = [pairs.assign(metric=metric) for metric in ("r_normalised", "r_untrained", "unique_r2")]
    frame = link_layers(pd.concat([pairs, *others], ignore_index=True), table)
    assert set(frame["metric"]) == {"r", "unique_r2"}


def test_q_is_adjusted_over_the_measures_of_one_score() -> None:
    generator = np.random.default_rng(11)
    models = [f"t{i}" for i in range(3)]
    pairs, table = tables(*({model: generator.uniform(size=9) for model in models} for _ in range(2)))
    pairs = pairs.assign(base_model="base of " + pairs["model"])
    measures = [table]
    for metric in ("weight_change", "state_change"):
        measures.append(table.assign(metric=metric, value=generator.permutation(table["value"].to_numpy())))
    frame = link_layers(pairs, pd.concat(measures, ignore_index=True))
    pooled = frame[frame["model"] == POOLED]
    assert len(pooled) == 3
    assert pooled["partial_q"].tolist() == pytest.approx(stats.false_discovery_control(pooled["partial_p"]).tolist())


def test_fewer_than_four_layers_are_no_link() -> None:
    assert link_layers(*tables({"t": np.arange(3.0)}, {"t": np.arange(3.0)})).empty
