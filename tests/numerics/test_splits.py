"""Splits: nothing that is tested was trained on, and nothing near it either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.numerics.splits import contiguous, grouped, shuffled

PASSAGES = st.lists(st.sampled_from("abcdefgh"), min_size=8, max_size=120)


@given(labels=PASSAGES, n_folds=st.integers(2, 5))
def test_no_passage_stands_on_both_sides_and_every_stimulus_is_tested_once(labels: list[str], n_folds: int) -> None:
    if len(set(labels)) < n_folds:
        with pytest.raises(BadInput, match="use fewer folds"):
            grouped(labels, n_folds)
        return
    folds = grouped(labels, n_folds)
    assert len(folds) == n_folds
    passages = np.array(labels)
    for train, test in folds:
        assert not set(passages[train]) & set(passages[test])
        assert len(train) + len(test) == len(labels)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(labels)))


@given(labels=PASSAGES)
def test_the_kind_of_label_does_not_matter(labels: list[str]) -> None:
    if len(set(labels)) < 3:
        return
    numbers = [ord(label) for label in labels]
    for (_, by_word), (_, by_number) in zip(grouped(labels, 3), grouped(numbers, 3), strict=True):
        assert len(by_word) == len(by_number)


@given(n=st.integers(4, 400), n_folds=st.integers(2, 10), gap=st.integers(0, 12))
def test_the_gap_around_each_block_of_time_is_in_neither_part(n: int, n_folds: int, gap: int) -> None:
    longest = -(-n // n_folds)
    assume(n >= 2 * n_folds and longest + 2 * gap < n)  # the other cases are refused, see below
    folds = contiguous(n, n_folds, gap)
    for train, test in folds:
        assert np.array_equal(test, np.arange(test[0], test[-1] + 1))
        assert len(train)
        distance = np.abs(train[:, None] - test[None, :]).min()
        assert distance > gap
        assert len(train) >= n - len(test) - 2 * gap
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(n))


def test_shuffled_holds_out_a_random_tenth_ten_times_and_repeats_with_its_seed() -> None:
    folds = shuffled(200, seed=3)
    assert len(folds) == 10
    for train, test in folds:
        assert len(test) == 20
        assert len(train) == 180
        assert not np.intersect1d(train, test).size
    again, other = shuffled(200, seed=3), shuffled(200, seed=4)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(folds, other, strict=True))


def test_too_few_stimuli_are_refused_with_words() -> None:
    with pytest.raises(BadInput, match="7 stimuli are too few for 5 contiguous folds"):
        contiguous(7, 5)
    with pytest.raises(BadInput, match="leaves none of 20 stimuli"):
        contiguous(20, 5, gap=30)
    with pytest.raises(BadInput, match="12 stimuli are too few for random splits"):
        shuffled(12)
