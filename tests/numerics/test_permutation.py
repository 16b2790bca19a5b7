"""Permuting groups: uniform p where nothing is there, small p where something is, and no alarm from drift."""

from __future__ import annotations

import numpy as np
import pytest

from tuneshift.numerics.permutation import TestPart, group_bootstrap, group_permutation


def part(rng: np.random.Generator, strength: float, n_groups: int = 8, length: int = 6, v: int = 5) -> TestPart:
    n = n_groups * length
    predicted = rng.standard_normal((n, v))
    return TestPart(
        predicted, strength * predicted + rng.standard_normal((n, v)), np.repeat(np.arange(n_groups), length)
    )


def test_a_real_prediction_has_the_smallest_p_and_noise_a_uniform_one() -> None:
    rng = np.random.default_rng(0)
    p, overall, null = group_permutation([part(rng, 1.0), part(rng, 1.0)], n_resamples=200)
    assert overall == pytest.approx(1 / 201)
    assert np.median(p) < 0.02
    assert abs(null.mean()) < 0.15  # an eighth of the groups stay where they are
    noise = [group_permutation([part(rng, 0.0, v=1)], n_resamples=99, seed=i)[1] for i in range(100)]
    assert 0.35 < np.mean(noise) < 0.65
    assert np.mean(np.array(noise) <= 0.05) <= 0.12


def test_slow_drift_of_predictions_and_responses_raises_no_alarm() -> None:
    """Single stimuli in random order would give far too small p; whole groups do not."""
    rng = np.random.default_rng(1)
    small = 0
    for seed in range(100):
        steps = rng.standard_normal((2, 60, 1))
        walks = np.concatenate([np.cumsum(steps[:, i : i + 6], axis=1) for i in range(0, 60, 6)], axis=1)
        found = group_permutation([TestPart(walks[0], walks[1], np.arange(60) // 6)], n_resamples=99, seed=seed)
        small += found[1] <= 0.05
    assert small <= 13


def test_the_interval_over_groups_is_that_of_refitting_on_drawn_rows() -> None:
    rng = np.random.default_rng(2)
    one = part(rng, 0.7, n_groups=12, v=1)
    means = []
    for _ in range(1000):
        rows = np.concatenate([np.flatnonzero(one.groups == g) for g in rng.integers(12, size=12)])
        means.append(np.corrcoef(one.predicted[rows, 0], one.observed[rows, 0])[0, 1])
    assert group_bootstrap([one], 1000) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.05)


def test_one_group_says_nothing_about_other_stimuli() -> None:
    assert np.isnan(group_bootstrap([part(np.random.default_rng(3), 1.0, n_groups=1)])).all()


def test_the_interval_does_not_depend_on_the_unit_of_the_responses() -> None:
    """Femtotesla written in tesla are numbers of 1e-14."""
    one = part(np.random.default_rng(4), 0.7)
    tiny = TestPart(one.predicted * 1e-14, one.observed * 1e-14, one.groups)
    assert group_bootstrap([tiny], 200) == pytest.approx(group_bootstrap([one], 200))


def test_few_groups_a_fold_do_not_pull_the_interval_below_the_score() -> None:
    """Drawing five passages again loses a fifth of what lies between passages: of the score, not of its spread."""
    rng = np.random.default_rng(5)
    off = []
    for seed in range(30):
        passages = np.repeat(rng.standard_normal((2, 10, 40)), 6, axis=1)  # five in each of two folds
        predicted = passages[0] + 0.5 * rng.standard_normal((60, 40))
        observed = passages[0] + rng.standard_normal((60, 40)) + passages[1]
        parts = [TestPart(predicted[rows], observed[rows], np.arange(30) // 6) for rows in (slice(30), slice(30, 60))]
        score = np.mean([[np.corrcoef(p.predicted[:, v], p.observed[:, v])[0, 1] for v in range(40)] for p in parts])
        off.append(np.mean(group_bootstrap(parts, 300, seed)) - score)
    assert abs(np.mean(off)) < 0.03  # what is left is the skew of r


def test_a_fold_that_a_target_was_not_recorded_in_is_missing_and_not_a_score_of_0() -> None:
    """Counted as r = 0, missing folds halved the interval around a mean that they did not enter."""
    rng = np.random.default_rng(6)
    whole = [part(rng, 1.0, v=4) for _ in range(2)]
    scores = [[np.corrcoef(p.predicted[:, v], p.observed[:, v])[0, 1] for v in range(4)] for p in whole]
    holes = [TestPart(p.predicted.copy(), p.observed.copy(), p.groups) for p in whole]
    for target in (1, 2):
        holes[1].predicted[:, target] = np.nan
        holes[1].observed[:, target] = np.nan
    expected = np.mean([np.mean([scores[0][v], scores[1][v]]) if v in (0, 3) else scores[0][v] for v in range(4)])
    low, high = group_bootstrap(holes, 1000)
    assert low < expected < high
    assert (low + high) / 2 == pytest.approx(expected, abs=0.03)
    p, overall, null = group_permutation(holes, n_resamples=199)
    assert np.allclose(p, 1 / 200)
    assert overall == pytest.approx(1 / 200)
    assert abs(null.mean()) < 0.15


def test_a_target_that_was_never_recorded_has_no_p_and_touches_nobody_elses() -> None:
    rng = np.random.default_rng(7)
    parts = [part(rng, 0.6, v=3) for _ in range(2)]
    before = group_permutation(parts, 99)
    with_empty = [
        TestPart(
            np.column_stack([p.predicted, np.full(48, np.nan)]),
            np.column_stack([p.observed, np.full(48, np.nan)]),
            p.groups,
        )
        for p in parts
    ]
    after = group_permutation(with_empty, 99)
    assert np.isnan(after[0][3])
    assert np.array_equal(after[0][:3], before[0])
    assert after[1] == before[1]
    assert group_bootstrap(with_empty, 200) == pytest.approx(group_bootstrap(parts, 200))


def test_stimuli_missing_within_a_fold_are_left_out_of_its_correlation() -> None:
    rng = np.random.default_rng(8)
    one = part(rng, 1.0, v=1)
    holes = TestPart(one.predicted.copy(), one.observed.copy(), one.groups)
    holes.observed[:12] = np.nan
    short = TestPart(one.predicted[12:], one.observed[12:], one.groups[12:])
    middle = [np.mean(group_bootstrap([each], 2000)) for each in (holes, short)]
    assert middle[0] == pytest.approx(middle[1], abs=0.02)
