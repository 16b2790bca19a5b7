"""Means over people who all met the same stimuli: intervals, tests and the smallest difference that would be seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tuneshift.numerics.crossed import crossed, even_contributions

LAYOUTS = [(5, 5), (5, 24), (12, 4), (12, 24), (27, 10)]


def layout(
    rng: np.random.Generator, n: int, people: int, groups: int, spread: tuple[float, float, float]
) -> np.ndarray:
    """Contributions of studies without any effect: people differ, groups of stimuli differ, and both at once."""
    shapes = ((n, people, 1), (n, 1, groups), (n, people, groups))
    return sum(size * rng.standard_normal(shape) for size, shape in zip(spread, shapes, strict=True)) / groups


def test_people_alone_are_students_t() -> None:
    values = np.random.default_rng(0).normal(1.0, 2.0, 9)
    found = crossed(even_contributions(values[None]))
    expected = stats.ttest_1samp(values, 0)
    assert found.value[0] == pytest.approx(values.mean())
    assert found.p()[0] == pytest.approx(expected.pvalue)
    assert [end[0] for end in found.interval()] == pytest.approx(list(expected.confidence_interval()))


def test_one_person_with_even_groups_is_students_t_over_groups() -> None:
    values = np.random.default_rng(1).normal(0.3, 1.0, 14)
    found = crossed(values[None, None] / 14)
    expected = stats.ttest_1samp(values, 0)
    assert found.p()[0] == pytest.approx(expected.pvalue)
    assert found.freedom[0] == pytest.approx(13)


def test_variances_are_those_of_a_two_way_layout_worked_by_hand() -> None:
    # Two people, two groups: each person's number is the sum of a row.
    table = np.array([[1.0, 3.0], [2.0, 8.0]])
    found = crossed(table[None])
    assert found.value[0] == pytest.approx(7.0)
    # People: 4 and 10, variance of their mean 18 / 2 = 9. Groups: influences -2 and 2, sum of squares 8, times 2.
    # Both at once: influences -1, 1 and -3, 3, less their means -2, 2: ±1 each, halved, squared, summed 1, times 4 = 4.
    assert found.standard_error[0] ** 2 == pytest.approx(9 + 16 - 4)


@pytest.mark.parametrize(("people", "groups"), LAYOUTS)
@pytest.mark.parametrize("spread", [(1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1)])
def test_an_interval_of_95_percent_holds_the_truth_in_95_percent(
    people: int, groups: int, spread: tuple[float, float, float]
) -> None:
    low, high = crossed(layout(np.random.default_rng(2), 2000, people, groups, spread)).interval()
    # Above .98 only where neither people nor stimuli differ in themselves: then both variances hold the same rest.
    assert 0.92 <= np.mean((low <= 0) & (high >= 0)) <= 0.995


@pytest.mark.parametrize(("people", "groups"), [(5, 5), (12, 24), (1, 3), (3, 1)])
def test_a_difference_of_the_size_said_to_be_seen_is_seen_in_80_percent(people: int, groups: int) -> None:
    spread = (float(people > 1), float(groups > 1), 1.0 if min(people, groups) > 1 else 0.0)
    null = layout(np.random.default_rng(3), 2000, people, groups, spread)
    smallest = crossed(null).detectable().mean()
    assert 0.75 <= np.mean(crossed(null + smallest / groups).p() < 0.05) <= 0.85


def test_equivalence_is_declared_in_at_most_5_percent_at_the_bound() -> None:
    at_the_bound = layout(np.random.default_rng(4), 2000, 12, 24, (1, 1, 1)) + 1.0 / 24
    within = crossed(at_the_bound).p_within(1.0) < 0.05
    assert 0.03 <= within.mean() <= 0.07


def test_a_person_who_met_some_groups_only_counts_with_those() -> None:
    table = np.array([[1.0, 3.0, np.nan], [2.0, 8.0, 2.0], [np.nan, np.nan, np.nan]])
    found = crossed(table[None])
    assert found.value[0] == pytest.approx((4 + 12) / 2)
    assert (found.n_people[0], found.n_groups[0]) == (2, 3)


def test_one_person_and_one_group_say_nothing_of_their_spread() -> None:
    found = crossed(np.array([[[1.0]], [[np.nan]]]))
    assert found.value[0] == 1.0
    assert np.isnan(found.value[1])
    assert np.isnan([*found.standard_error, *found.p(), *found.detectable(), *found.interval()[0]]).all()


def test_the_same_in_everyone_and_everywhere_is_certain() -> None:
    found = crossed(np.full((1, 4, 3), 0.5))
    assert found.p()[0] == 0.0
    assert found.detectable()[0] == 0.0
    assert found.interval()[0][0] == found.interval()[1][0] == pytest.approx(1.5)
    assert crossed(np.zeros((1, 4, 3))).p()[0] == 1.0
