"""Followed against not followed: agreement with scipy and statsmodels, and tasks that must not be mixed."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf
from pandas import DataFrame
from scipy import stats

from tuneshift.inside.attribution.followed import followed_tests
from tuneshift.inside.attribution.instructions import find_instruction

RNG = np.random.default_rng(20240)


def test_the_overall_test_is_the_published_welch_test():
    scores, followed = RNG.normal(size=60), (RNG.random(60) < 0.4).astype(float)
    found = followed_tests(scores, followed, ["one"] * 60)[0]
    yes, no = scores[followed > 0], scores[followed == 0]
    expected = stats.ttest_ind(yes, no, equal_var=False, alternative="greater")
    assert found.p_one_sided == pytest.approx(expected.pvalue)
    assert found.difference == pytest.approx(yes.mean() - no.mean())
    assert found.ci_low < found.difference < found.ci_high


def test_within_tasks_is_a_regression_with_an_intercept_for_every_task():
    tasks = RNG.choice(["copy", "list", "upper"], size=80)
    followed = (RNG.random(80) < 0.5).astype(float)
    scores = RNG.normal(size=80) + 0.5 * followed + (tasks == "copy")
    found = {test.task: test for test in followed_tests(scores, followed, list(tasks))}["within tasks"]
    frame = DataFrame({"score": scores, "followed": followed, "task": tasks})
    fitted = smf.ols("score ~ followed + C(task)", frame).fit()
    assert found.difference == pytest.approx(fitted.params["followed"])
    assert found.p_two_sided == pytest.approx(fitted.pvalues["followed"])
    assert found.cohens_d == pytest.approx(fitted.params["followed"] / np.sqrt(fitted.scale))


def test_a_difference_between_tasks_is_none_within_them():
    easy = ["copy"] * 40 + ["reverse"] * 40
    followed = np.r_[np.ones(36), np.zeros(4), np.ones(4), np.zeros(36)]
    scores = np.r_[np.full(40, 0.1), np.full(40, 0.9)] + RNG.normal(0, 0.05, 80)
    found = {test.task: test for test in followed_tests(scores, followed, easy)}
    assert found["all"].ci_high < -0.5
    assert found["within tasks"].ci_low < 0 < found["within tasks"].ci_high


def test_a_planted_difference_lies_in_its_interval_95_times_in_100():
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        followed = (rng.random(120) < 0.5).astype(float)
        scores = rng.normal(0.3 * followed, 0.5)
        found = followed_tests(scores, followed, [None] * 120)[0]
        covered += found.ci_low <= 0.3 <= found.ci_high
    assert 89 <= covered <= 99  # binomial(100, .95) within 3 standard errors, and a little for the percentile bootstrap


def test_too_few_prompts_give_no_test():
    found = followed_tests(np.array([0.1, 0.2, 0.3]), np.array([1.0, 0.0, np.nan]), ["a", "a", "a"])
    assert [(test.n_followed, test.n_not) for test in found] == [(1, 1)]
    assert np.isnan(found[0].p_one_sided)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Write a poem about rain.", ["Write a poem about rain."]),
        ("The dog ran home. Please translate this into French.", ["Please translate this into French."]),
        ("What is the capital of Peru?", ["What is the capital of Peru?"]),
        ("Can you help me?\nHere is my text.", ["Can you help me?"]),
        ("It rained all day.", []),
        ("", []),
    ],
)
def test_rules_find_what_asks_for_something(prompt, expected):
    assert [prompt[start:end] for start, end in find_instruction(prompt)] == expected
