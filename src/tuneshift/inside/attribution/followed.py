"""Do prompts that a model followed have a higher instruction score? Overall, and within tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

N_BOOTSTRAP = 4000
_FEWEST = 3


@dataclass(frozen=True)
class FollowedTest:
    """Instruction scores of followed against not followed prompts; differences are followed - not followed.

    `difference` with its 95% bootstrap interval (prompts drawn within each group), `cohens_d` (pooled spread),
    `p_one_sided`: Welch's t-test that followed is above, as published; `p_two_sided` of the same test.
    """

    task: str
    n_followed: int
    n_not: int
    difference: float
    ci_low: float
    ci_high: float
    cohens_d: float
    p_one_sided: float
    p_two_sided: float


def followed_tests(
    scores: np.ndarray, followed: np.ndarray, tasks: Sequence[str | None], seed: int = 0
) -> list[FollowedTest]:
    """Compare scores (n,) of followed (1.0) and not followed (0.0) prompts; NaN in `followed` is left out.

    One row for all prompts; one "within tasks" (the same difference with an intercept for every task, so that a task
    which is easy and leans on its text cannot carry the result); and one for each task that has at least 3 of both.
    """
    scores, followed = np.asarray(scores, dtype=float), np.asarray(followed, dtype=float)
    names = np.array([task or "" for task in tasks])
    known = np.isfinite(scores) & np.isfinite(followed)
    scores, followed, names = scores[known], followed[known] > 0, names[known]
    found = [_test("all", scores[followed], scores[~followed], seed)]
    if len(set(names)) > 1:
        found.append(_within_tasks(scores, followed, names, seed))
    for task in dict.fromkeys(names):
        mine = names == task
        if min((mine & followed).sum(), (mine & ~followed).sum()) >= _FEWEST:
            found.append(_test(task or "no task", scores[mine & followed], scores[mine & ~followed], seed))
    return found


def as_rows(tests: Sequence[FollowedTest]) -> list[dict[str, object]]:
    """Return tests as plain mappings, for a result's details."""
    return [asdict(test) for test in tests]


def _within_tasks(scores: np.ndarray, followed: np.ndarray, names: np.ndarray, seed: int) -> FollowedTest:
    """Regress scores on followed with an intercept for every task; the interval draws prompts within task and group."""
    nan = float("nan")
    n_yes, n_no = int(followed.sum()), int((~followed).sum())
    tasks, numbers = np.unique(names, return_inverse=True)
    cells = numbers * 2 + followed
    freedom = len(scores) - len(tasks) - 1
    slope, residual, spread = _fixed_effects(scores, followed, numbers)
    if not np.isfinite(slope) or freedom < 1 or min(n_yes, n_no) < _FEWEST:
        return FollowedTest("within tasks", n_yes, n_no, slope, nan, nan, nan, nan, nan)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(cells == cell) for cell in np.unique(cells)]
    draws = np.empty(N_BOOTSTRAP // 4)
    for draw in range(len(draws)):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        draws[draw] = _fixed_effects(scores[rows], followed[rows], numbers[rows])[0]
    low, high = np.quantile(draws, [0.025, 0.975])
    sigma = np.sqrt((residual**2).sum() / freedom)
    if sigma == 0:
        return FollowedTest("within tasks", n_yes, n_no, slope, float(low), float(high), nan, nan, nan)
    t = slope / (sigma / np.sqrt(spread))
    one, two = stats.t.sf(t, freedom), 2 * stats.t.sf(abs(t), freedom)
    return FollowedTest(
        "within tasks", n_yes, n_no, slope, float(low), float(high), slope / sigma, float(one), float(two)
    )


def _fixed_effects(scores: np.ndarray, followed: np.ndarray, numbers: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Return slope, residuals (n,) and the spread of `followed` within tasks (0: no task holds both kinds)."""
    counts = np.maximum(np.bincount(numbers), 1)
    y = scores - (np.bincount(numbers, scores) / counts)[numbers]
    x = followed - (np.bincount(numbers, followed) / counts)[numbers]
    spread = float(x @ x)
    slope = float(x @ y / spread) if spread > 0 else float("nan")
    return slope, y - slope * x, spread


def _test(task: str, yes: np.ndarray, no: np.ndarray, seed: int) -> FollowedTest:
    nan = float("nan")
    if min(len(yes), len(no)) < _FEWEST:
        difference = float(yes.mean() - no.mean()) if len(yes) and len(no) else nan
        return FollowedTest(task, len(yes), len(no), difference, nan, nan, nan, nan, nan)
    rng = np.random.default_rng(seed)
    draws = _means(yes, rng) - _means(no, rng)
    low, high = np.quantile(draws, [0.025, 0.975])
    pooled = np.sqrt(((len(yes) - 1) * yes.var(ddof=1) + (len(no) - 1) * no.var(ddof=1)) / (len(yes) + len(no) - 2))
    difference = float(yes.mean() - no.mean())
    spread = pooled > 0
    return FollowedTest(
        task,
        len(yes),
        len(no),
        difference,
        float(low),
        float(high),
        float(difference / pooled) if spread else nan,
        float(stats.ttest_ind(yes, no, equal_var=False, alternative="greater").pvalue) if spread else nan,
        float(stats.ttest_ind(yes, no, equal_var=False).pvalue) if spread else nan,
    )


def _means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    means: np.ndarray = values[rng.integers(len(values), size=(N_BOOTSTRAP, len(values)))].mean(1)
    return means
