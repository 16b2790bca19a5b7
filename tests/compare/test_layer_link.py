"""Do the layers that moved most change their score most? Found where it was planted, and nowhere else."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tuneshift.compare import link_layers
from tuneshift.compare.layer_link import POOLED, link_points
from tuneshift.compare.layer_permutation import N_PERMUTATIONS, linked, linked_given_depth
from tuneshift.compare.pairs import PAIR_COLUMNS
from tuneshift.result import long_table


def test_the_permutation_p_is_that_of_all_orders() -> None:
    generator = np.random.default_rng(1)
    change, movement = generator.normal(size=(2, 6))
    r, p = linked([(change, movement)])
    assert r == pytest.approx(stats.spearmanr(change, movement).statistic)
    every = [abs(stats.spearmanr(np.array(order), movement).statistic) for order in permutations(change)]
    assert p == pytest.approx(np.mean(np.array(every) >= abs(r) - 1e-12), abs=0.02)


def test_a_planted_link_is_found() -> None:
    movement = np.linspace(1, 30, 13)
    noise = np.random.default_rng(2).normal(0, 1, 13)
    r, p = linked([(movement + noise, movement)])
    assert r > 0.9
    assert p == pytest.approx(1 / (N_PERMUTATIONS + 1))


def test_no_link_is_found_one_time_in_twenty() -> None:
    generator = np.random.default_rng(3)
    p = [linked([(generator.normal(size=9), generator.normal(size=9))])[1] for _ in range(200)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.1
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_weak_links_of_many_pairs_are_found_together() -> None:
    generator = np.random.default_rng(4)
    pairs = []
    for _ in range(12):
        movement = generator.normal(size=7)
        pairs.append((movement + generator.normal(0, 1.5, 7), movement))
    alone = [linked([pair])[1] for pair in pairs]
    assert np.mean(np.array(alone) < 0.05) < 0.5
    assert linked(pairs)[1] < 0.01


def test_a_constant_has_no_link() -> None:
    assert np.isnan(linked([(np.ones(5), np.arange(5.0))])).all()


def test_what_only_grows_with_depth_is_a_link_until_depth_is_taken_out() -> None:
    generator = np.random.default_rng(6)
    depth = np.arange(13.0)
    plain, given = [], []
    for _ in range(200):
        change, movement = 0.5 * depth + generator.normal(size=(2, 13))  # they share nothing but their growth
        plain.append(linked([(change, movement)])[1])
        given.append(linked_given_depth([(change, movement, depth)])[1])
    assert np.mean(np.array(plain) <= 0.05) > 0.8
    assert 0.01 <= np.mean(np.array(given) <= 0.05) <= 0.1
    assert stats.kstest(given, "uniform").pvalue > 0.01


def test_a_link_beyond_depth_is_found_given_depth() -> None:
    generator = np.random.default_rng(7)
    depth = np.arange(13.0)
    shared = generator.normal(size=13)
    change, movement = (2 * shared + 0.5 * depth + 0.2 * generator.normal(size=13) for _ in range(2))
    r, p = linked_given_depth([(change, movement, depth)])
    assert r > 0.85
    assert p < 0.001


def test_the_partial_correlation_is_that_of_the_textbook() -> None:
    change, movement, depth = np.random.default_rng(8).normal(size=(3, 11))
    ab, ad, bd = (stats.spearmanr(*two).statistic for two in ((change, movement), (change, depth), (movement, depth)))
    expected = (ab - ad * bd) / np.sqrt((1 - ad**2) * (1 - bd**2))
    assert linked_given_depth([(change, movement, depth)])[0] == pytest.approx(expected)


def test_where_depth_explains_all_or_layers_are_few_nothing_is_left_to_correlate() -> None:
    depth = np.arange(8.0)
    movement = np.random.default_rng(9).normal(size=8)
    assert np.isnan(linked_given_depth([(np.exp(depth), movement, depth)])).all()
    assert np.isnan(linked_given_depth([(movement[:5], movement[1:6], depth[:5])])).all()


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
    assert frame["spearman_r"].tolist() == pytest.approx([1, 1, 1])
    assert frame.loc["t1", ["n_layers", "n_pairs"]].tolist() == [8, 1]
    assert frame.loc[POOLED, ["n_layers", "n_pairs"]].tolist() == [16, 2]
    assert frame.loc["t1", "inside"] == "rotation_deg"
    assert (frame["p"] < 0.01).all()


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


def test_q_is_adjusted_over_the_measures_of_one_score_and_pair() -> None:
    generator = np.random.default_rng(11)
    pairs, table = tables({"t": generator.normal(size=9)}, {"t": generator.uniform(size=9)})
    measures = [table]
    for metric in ("weight_change", "state_change"):
        measures.append(table.assign(metric=metric, value=generator.permutation(table["value"].to_numpy())))
    frame = link_layers(pairs, pd.concat(measures, ignore_index=True))
    assert len(frame) == 3
    for p, q in (("p", "q"), ("partial_p", "partial_q")):
        assert frame[q].tolist() == pytest.approx(stats.false_discovery_control(frame[p]).tolist())


def test_fewer_than_four_layers_are_no_link() -> None:
    assert link_layers(*tables({"t": np.arange(3.0)}, {"t": np.arange(3.0)})).empty
