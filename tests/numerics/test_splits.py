"""Splits: nothing that is tested was trained on, and nothing near it either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tuneshift.errors import BadInput
from tuneshift.numerics.splits import contiguous, grouped, inner_folds, shuffled, with_gap

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


@given(n=st.integers(10, 200), gap=st.floats(0, 20), step=st.sampled_from([0.72, 1.0, 2.0]), seed=st.integers(0, 99))
def test_the_gap_is_counted_in_the_unit_of_where_rows_lie(n: int, gap: float, step: float, seed: int) -> None:
    """Rows of two runs with a pause between them: neighbours in the table, far apart in time."""
    rng = np.random.default_rng(seed)
    place = step * np.arange(n) + 100.0 * (np.arange(n) >= n // 2)
    test = np.sort(rng.choice(n, size=n // 5, replace=False))
    train, same = with_gap((np.setdiff1d(np.arange(n), test), test), place, gap)
    assert np.array_equal(same, test)
    near = np.abs(place[:, None] - place[None, test]).min(axis=1) <= gap * (1 + 1e-9)
    near[test] = True
    expected = np.flatnonzero(~near) if gap > 0 else np.setdiff1d(np.arange(n), test)
    assert np.array_equal(train, expected)


@given(labels=PASSAGES, n_folds=st.integers(2, 6))
def test_whole_passages_are_left_out_to_choose_penalties_where_there_are_two(labels: list[str], n_folds: int) -> None:
    passages = np.array(labels)
    if len(set(labels)) < 2:
        return
    folds = inner_folds(len(labels), passages, n_folds=n_folds)
    assert 1 <= len(folds) <= min(n_folds, len(set(labels)))
    for kept, left_out in folds:
        assert len(kept) >= 2
        assert not set(passages[kept]) & set(passages[left_out])
        assert len(kept) + len(left_out) == len(labels)


def test_without_passages_blocks_with_their_gap_are_left_out_and_never_single_scans() -> None:
    place = np.r_[0:50, 82:200].astype(float)  # a held-out block and its gap are missing in the middle
    folds = inner_folds(len(place), None, 16, place)
    assert len(folds) == 5
    for kept, left_out in folds:
        assert len(left_out) >= 33
        assert np.array_equal(left_out, np.arange(left_out[0], left_out[-1] + 1))
        assert np.abs(place[kept][:, None] - place[left_out]).min() > 16
    one_passage = inner_folds(len(place), np.full(len(place), "chapter 1"), 16, place)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, one_passage, strict=True))


def test_lone_sentences_are_left_out_in_five_parts() -> None:
    folds = inner_folds(40, np.array([f"sentence {i}" for i in range(40)]))
    assert [len(left_out) for _, left_out in folds] == [8] * 5


def test_too_few_scans_to_choose_penalties_are_refused_with_words() -> None:
    with pytest.raises(BadInput, match="12 training stimuli are too few to choose penalties"):
        inner_folds(12, None, 11)
