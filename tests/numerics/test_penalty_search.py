"""A target's penalty is that of refits whatever kind of target it is, and whatever the other targets are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from tuneshift.numerics.foretelling import largest_eigenvalue
from tuneshift.numerics.leave_out import ClosedForm, Refits, Targets
from tuneshift.numerics.penalty_search import landmarks
from tuneshift.numerics.ridge import ALPHAS, RidgeSolver
from tuneshift.numerics.splits import Fold, grouped

N_EACH = 4
N_TARGETS = 800
SHAPES = {"more units than stimuli": (150, 200), "more stimuli than units": (150, 40)}


def passage_effect(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.repeat(rng.standard_normal(len(X) // 10), 10) * 5 + 0.1 * rng.standard_normal(len(X))


def one_outlying_passage(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(len(X)) + 50.0 * (np.arange(len(X)) // 10 == rng.integers(len(X) // 10))


def one_outlying_stimulus(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.eye(len(X))[rng.integers(len(X))]


def pure_noise(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(len(X))


def perfectly_predictable(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return X @ rng.standard_normal(X.shape[1])


def heavy_tailed(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_cauchy(len(X))


def a_million_times_as_large(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return 1e6 * (X @ rng.standard_normal(X.shape[1]) / 10 + rng.standard_normal(len(X)))


def slow_trend(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.arange(len(X)) + rng.standard_normal(len(X))


KINDS: tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...] = (
    passage_effect,
    one_outlying_passage,
    one_outlying_stimulus,
    pure_noise,
    perfectly_predictable,
    heavy_tailed,
    a_million_times_as_large,
    slow_trend,
)


@pytest.fixture
def always_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneshift.numerics.penalty_search._SMALL_WORK", 0)
    for kind in (ClosedForm, Refits):
        monkeypatch.setattr(kind, "worth_foretelling", lambda self, n_targets: True)


def crowd(n: int, d: int, places: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, Fold, list[Fold]]:
    """Many targets of one kind, and at `places` a few of every other, kind after kind; features drift slowly."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 0.2 * np.cumsum(rng.standard_normal((n, d)), axis=0)
    Y = X @ rng.standard_normal((d, N_TARGETS)) / d**0.5 / 2 + rng.standard_normal((n, N_TARGETS))
    for number, place in enumerate(places):
        Y[:, place] = KINDS[number // N_EACH](X, rng)
    groups = np.arange(n) // 10
    fold = grouped(groups)[0]
    return X, Y, fold, grouped(groups[fold[0]])


def refit_errors(X: np.ndarray, Y: np.ndarray, fold: Fold, inner: list[Fold]) -> np.ndarray:
    """Sums of squares (n_alphas, v) of scikit-learn's Ridge, fitted again without every part."""
    seen = StandardScaler().fit_transform(X[fold[0]])
    y = Y[fold[0]]
    errors = np.zeros((len(ALPHAS), Y.shape[1]))
    for index, alpha in enumerate(ALPHAS):
        for kept, part in inner:
            guess = Ridge(alpha).fit(seen[kept], y[kept]).predict(seen[part])
            errors[index] += np.square(y[part] - guess).sum(axis=0)
    return errors


@pytest.mark.usefixtures("always_limits")
@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_rare_kinds_of_target_get_the_penalties_of_refits_wherever_they_stand(shape: str, seed: int) -> None:
    sampled = np.linspace(0, N_TARGETS - 1, 256).astype(int)  # what a look at every fifth target would see
    unseen = np.setdiff1d(np.arange(N_TARGETS), sampled)
    places = np.random.default_rng(seed).choice(unseen, N_EACH * len(KINDS), replace=False)
    X, Y, fold, inner = crowd(*SHAPES[shape], places, seed)
    errors = refit_errors(X, Y, fold, inner)
    found = RidgeSolver.of_fold(X, fold, inner).solve(Y[fold[0]])
    chosen = found.chosen.numpy()
    best = errors.min(axis=0)
    # The best, or one whose error differs by less than rounding can show.
    as_good = errors[chosen, np.arange(N_TARGETS)] <= best * (1 + 1e-5) + 1e-9 * np.square(Y[fold[0]]).sum(0)
    assert (chosen == errors.argmin(axis=0)).mean() >= 0.995
    for number, kind in enumerate(KINDS):
        mine = places[number * N_EACH : (number + 1) * N_EACH]
        assert as_good[mine].all(), kind.__name__
    assert as_good.all()


@pytest.mark.usefixtures("always_limits")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_penalty_of_a_target_does_not_depend_on_which_others_are_solved_with_it(shape: str) -> None:
    places = np.arange(3, 3 + 20 * N_EACH * len(KINDS), 20)
    X, Y, fold, inner = crowd(*SHAPES[shape], places, 7)
    solver = RidgeSolver.of_fold(X, fold, inner)
    together = solver.solve(Y[fold[0]])
    for some in (places, places[-5:], np.arange(0, N_TARGETS, 7)):
        alone = solver.solve(Y[fold[0]][:, some])
        differ = (alone.chosen != together.chosen[some]).numpy()
        apart = (alone.error / together.error[some] - 1).abs().numpy()
        assert apart[differ].max(initial=0) < 1e-6  # a tie
        assert differ.mean() < 0.01


@pytest.mark.parametrize("shape", SHAPES)
def test_no_error_lies_beyond_its_limits(shape: str) -> None:
    places = np.arange(3, 3 + 20 * N_EACH * len(KINDS), 20)
    X, Y, fold, inner = crowd(*SHAPES[shape], places, 11)
    solver = RidgeSolver.of_fold(X, fold, inner)
    centred = torch.as_tensor(Y[fold[0]] - Y[fold[0]].mean(0)).float()
    targets = Targets(centred, centred.T @ solver.vectors)
    errors = solver.leave_out.errors(targets)
    exact = torch.stack([errors(index, None, precisely=True) for index in range(len(ALPHAS))], dim=1)
    known = landmarks(solver.alphas)
    estimate, doubt = solver.leave_out.limits(targets, known, exact[:, known])
    assert ((exact - estimate).abs() <= doubt).all()
    usual = np.setdiff1d(np.arange(N_TARGETS), places)
    assert (doubt / exact)[usual].median() < 1  # and they say something


def test_three_penalties_are_computed_for_all_in_whatever_order_they_are_given() -> None:
    assert landmarks(torch.as_tensor(ALPHAS)) == [6, 12, 17]
    assert landmarks(torch.as_tensor(ALPHAS[::-1].copy())) == [12, 6, 1]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_the_limit_of_eigenvalues_is_above_all_of_them_and_not_by_far(size: float) -> None:
    some = torch.as_tensor(np.random.default_rng(0).standard_normal((200, 200)) * size).float()
    largest = float(torch.linalg.eigvalsh((some + some.T).double()).abs().max())
    assert largest < largest_eigenvalue(some + some.T) < 2 * largest
    assert largest_eigenvalue(some * 0) == 0
