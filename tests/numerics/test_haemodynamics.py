"""From words to scans: the shape of the response, delays, and a filter that removes drift and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct

from tuneshift.numerics.haemodynamics import (
    canonical_response,
    cleaned_stretch,
    convolved,
    delay_steps,
    delayed,
    high_pass,
)


def test_the_canonical_response_peaks_after_five_seconds_dips_after_fifteen_and_sums_to_one() -> None:
    step = 0.1
    response = canonical_response(step)
    times = np.arange(len(response)) * step
    assert response.sum() == pytest.approx(1.0)
    assert times[response.argmax()] == pytest.approx(5.0, abs=0.2)
    assert times[response.argmin()] == pytest.approx(15.7, abs=1.0)
    assert -response.min() / response.max() == pytest.approx(0.09, abs=0.02)  # SPM's undershoot
    assert response[0] == 0.0
    assert abs(response[-1]) < 1e-2 * response.max()


def test_one_word_gives_one_response_at_its_own_time() -> None:
    scans = np.arange(0, 60, 0.5)
    out = convolved(np.array([[2.0]]), np.array([10.0]), scans)[:, 0]
    assert np.allclose(out[scans < 10], 0, atol=1e-12)
    expected = np.interp(scans - 10, np.arange(320) * 0.1, canonical_response(), left=0, right=0)
    assert np.allclose(out, 2 * expected, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(
    times=st.lists(st.integers(0, 900), min_size=1, max_size=30, unique=True),
    seed=st.integers(0, 1000),
)
def test_the_response_to_many_words_is_the_sum_of_the_responses_to_each(times: list[int], seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((len(times), 3))
    onsets = np.sort(np.array(times)) / 10.0
    scans = np.arange(0, 120, 2.0)
    together = convolved(features, onsets, scans)
    single = sum(convolved(features[i : i + 1], onsets[i : i + 1], scans) for i in range(len(times)))
    assert np.allclose(together, single, atol=1e-9)


def test_words_before_the_first_scan_still_reach_it_and_words_after_the_last_do_not() -> None:
    scans = np.arange(20.0, 60.0, 2.0)
    assert convolved(np.ones((1, 1)), np.array([15.0]), scans)[0, 0] > 0
    assert not convolved(np.ones((1, 1)), np.array([70.0]), scans).any()


def test_delays_of_2_to_8_seconds_put_a_word_one_to_four_scans_of_2_seconds_late() -> None:
    scans = np.arange(20.0, 60.0, 2.0)
    out = delayed(np.array([[1.0, 5.0]]), np.array([24.7]), scans, 2.0).reshape(len(scans), 4, 2)
    for delay in range(4):
        expected = np.zeros(len(scans))
        expected[2 + delay + 1] = 1.0  # the word falls in the third scan
        assert np.array_equal(out[:, delay, 0], expected)
        assert np.array_equal(out[:, delay, 1], 5 * expected)


def test_words_within_one_scan_are_summed_and_words_that_reach_no_scan_are_left_out() -> None:
    scans = np.arange(0.0, 10.0, 2.0)
    out = delayed(np.array([[1.0], [2.0], [7.0]]), np.array([2.1, 3.9, 40.0]), scans, 2.0, (2.0, 2.0))
    assert out[:, 0].tolist() == [0.0, 0.0, 3.0, 0.0, 0.0]


@settings(deadline=None)
@given(
    n_scans=st.integers(20, 300),
    repetition_time=st.sampled_from([0.72, 1.0, 2.0, 3.0]),
    seed=st.integers(0, 1000),
)
def test_slow_drift_and_mean_are_removed_exactly(n_scans: int, repetition_time: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cutoff = 64.0
    slow = int(2 * n_scans * repetition_time / cutoff)
    place = np.arange(n_scans) + 0.5
    drift = sum(rng.normal() * np.cos(np.pi * k * place / n_scans) for k in range(slow + 1))
    signal = rng.standard_normal(n_scans)
    plain = high_pass(signal[:, None], repetition_time, cutoff)
    drifting = high_pass((signal + 10 * drift)[:, None], repetition_time, cutoff)
    assert np.allclose(plain, drifting, atol=1e-8)
    assert abs(plain.mean()) < 1e-9


def test_the_filter_takes_out_the_slow_cosines_and_keeps_every_other_one() -> None:
    """In the basis of cosines (scipy's DCT) the filter is a brick wall."""
    signal = np.random.default_rng(0).standard_normal((362, 4))
    filtered = high_pass(signal, 2.0, 128.0)
    before, after = (dct(x, axis=0, norm="ortho") for x in (signal, filtered))
    slowest_kept = int(2 * 362 * 2.0 / 128.0) + 1
    assert np.allclose(after[:slowest_kept], 0, atol=1e-10)
    assert np.allclose(after[slowest_kept:], before[slowest_kept:], atol=1e-10)
    assert np.allclose(high_pass(filtered, 2.0, 128.0), filtered, atol=1e-10)


def test_delays_count_time_and_not_rows_where_runs_have_a_pause_between_them() -> None:
    scans = np.concatenate([np.arange(0.0, 10.0, 2.0), 70.0 + np.arange(0.0, 10.0, 2.0)])
    words = np.array([2.5, 9.9, 72.5])
    out = delayed(np.array([[1.0], [10.0], [100.0]]), words, scans, 2.0, (2.0, 4.0))
    first, second = np.zeros(10), np.zeros(10)
    first[2], first[7] = 1.0, 100.0  # the word at 9.9 s is answered in the pause, where nobody scanned
    second[3], second[8] = 1.0, 100.0
    assert np.array_equal(out[:, 0], first)
    assert np.array_equal(out[:, 1], second)


def test_scan_times_that_are_a_little_off_their_grid_still_hold_their_words() -> None:
    exact = np.arange(0.0, 400.0, 2.0)
    jittered = exact + np.random.default_rng(0).uniform(-0.02, 0.02, len(exact))
    words = np.arange(0.5, 380.0, 0.7) + 0.05
    words = words[np.abs((words + 1) % 2 - 1) > 0.1]  # none within the jitter of a scan's beginning
    ones = np.ones((len(words), 1))
    assert np.array_equal(delayed(ones, words, jittered, 2.0), delayed(ones, words, exact, 2.0))


@pytest.mark.parametrize(
    ("repetition_time", "delays", "expected"),
    [
        (2.0, (2.0, 8.0), [2, 4, 6, 8]),
        (0.72, (2.0, 8.0), 2 + 0.72 * np.arange(9)),
        (1.5, (2.0, 8.0), [2, 3.5, 5, 6.5, 8]),
        (0.1, (2.0, 2.3), [2, 2.1, 2.2, 2.3]),  # no rounding takes the last one away
        (3.0, (2.0, 9.0), [2, 5, 8]),
        (10.0, (2.0, 8.0), [2]),
    ],
)
def test_delays_are_seconds_whatever_the_repetition_time(
    repetition_time: float, delays: tuple[float, float], expected: list[float]
) -> None:
    assert np.allclose(delay_steps(repetition_time, delays), expected)
    scans = np.arange(0.0, 40.0, repetition_time)
    out = delayed(np.ones((1, 1)), np.array([5.0]), scans, repetition_time, delays)
    assert out.shape == (len(scans), len(expected))
    answered = scans[out.argmax(axis=0)]
    late = answered - 5.0
    assert (late <= np.asarray(expected) + 1e-6).all()
    assert (late > np.asarray(expected) - repetition_time - 1e-6).all()


def test_a_late_response_at_a_short_repetition_time_is_fitted_only_by_delays_in_seconds() -> None:
    """Four scans of 0.72 s end at 2.9 s, before the response begins."""
    rng = np.random.default_rng(0)
    words = np.sort(rng.uniform(0, 280, 700))
    said = rng.standard_normal((700, 1))
    scans = np.arange(0.0, 300.0, 0.72)
    answer = convolved(said, words, scans)[:, 0]
    explained = {}
    for delays in ((0.72, 2.88), (2.0, 8.0), (2.0, 12.0)):
        late = delayed(said, words, scans, 0.72, delays)
        left = answer - late @ np.linalg.lstsq(late, answer, rcond=None)[0]
        explained[delays] = 1 - left.var() / answer.var()
    assert explained[0.72, 2.88] < 0.2
    assert explained[2.0, 8.0] > 0.8
    assert explained[2.0, 12.0] > 0.95


def test_a_stretch_is_filtered_and_z_scored_and_missing_scans_count_for_nothing() -> None:
    rng = np.random.default_rng(1)
    signal = 500 + 20 * rng.standard_normal((90, 3)) + np.linspace(0, 300, 90)[:, None]
    clean = cleaned_stretch(signal, 2.0, 128.0)
    plain = high_pass(signal, 2.0, 128.0)
    assert np.allclose(clean, plain / plain.std(axis=0))
    holes = signal.copy()
    holes[[3, 50], 1] = np.nan
    patched = cleaned_stretch(holes, 2.0, 128.0)
    assert np.isnan(patched[[3, 50], 1]).all()
    assert np.nanmean(patched[:, 1]) == pytest.approx(0, abs=1e-9)
    assert np.nanstd(patched[:, 1]) == pytest.approx(1)
    assert np.array_equal(patched[:, [0, 2]], clean[:, [0, 2]])
    assert np.allclose(cleaned_stretch(signal, 2.0, None), (signal - signal.mean(0)) / signal.std(0))


def test_a_column_that_hardly_varies_within_a_stretch_is_constant_there() -> None:
    tail = np.exp(-0.5 * (np.arange(60) + 20.0) ** 2)[:, None]  # 1e-87: a unit far away from this stretch
    assert not cleaned_stretch(tail, 2.0, 128.0, least=1e-6).any()
    assert not cleaned_stretch(np.full((60, 1), 3.0), 2.0, 128.0).any()
