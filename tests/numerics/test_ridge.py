"""Ridge with a penalty a target: the numbers scikit-learn gives, whatever the shape of the features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from tuneshift.errors import BadInput
from tuneshift.numerics.ridge import ALPHAS, RidgeSolver, fold_predictions, fold_scores, pearson, ridge_predictivity
from tuneshift.numerics.splits import Fold, contiguous, grouped


@pytest.fixture(params=["every penalty computed", "penalties ruled out"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few targets take the first way, many the second; whichever is tried, the numbers are the same."""
    if request.param == "penalties ruled out":
        monkeypatch.setattr("tuneshift.numerics.ridge._SMALL_WORK", 0)


def planted(n: int, d: int, v: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features on unequal scales, and responses from pure noise to almost no noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.lognormal(sigma=1.0, size=d) + rng.standard_normal(d)
    signal = X @ rng.standard_normal((d, v))
    Y = signal / signal.std(0) * np.linspace(0, 1, v) + rng.standard_normal((n, v)) * np.linspace(1, 0.05, v) + 3.0
    return X.astype(np.float32), Y.astype(np.float32)


def scikit_learn(X: np.ndarray, Y: np.ndarray, fold: Fold, alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    train, test = fold
    scaler = StandardScaler().fit(X[train].astype(float))
    model = RidgeCV(alphas=alphas, alpha_per_target=True).fit(scaler.transform(X[train].astype(float)), Y[train])
    return model.predict(scaler.transform(X[test].astype(float))), model.alpha_


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize(("n", "d"), [(120, 20), (60, 200), (80, 80), (50, 1)])
def test_predictions_and_penalties_are_those_of_scikit_learn(n: int, d: int) -> None:
    X, Y = planted(n, d, 30)
    fold = contiguous(n, 5)[1]
    alphas = np.logspace(-1, 5, 7)  # far enough apart that rounding does not decide between two of them
    ours = fold_predictions(X, Y, fold, alphas=alphas)
    theirs, penalties = scikit_learn(X, Y, fold, alphas)
    assert np.allclose(ours.alphas, penalties, rtol=1e-5)
    assert np.abs(ours.values - theirs).max() < 1e-4 * Y.std()


@pytest.mark.usefixtures("search")
def test_penalties_close_to_each_other_still_give_the_same_predictions() -> None:
    X, Y = planted(100, 300, 40, seed=1)
    fold = contiguous(100, 5)[0]
    ours = fold_predictions(X, Y, fold)
    theirs, _ = scikit_learn(X, Y, fold, ALPHAS)
    r = pearson(torch.as_tensor(ours.values), torch.as_tensor(theirs))
    assert r[1:].min() > 0.999


@pytest.mark.usefixtures("search")
def test_given_the_penalty_of_each_target_it_is_plain_ridge() -> None:
    X, Y = planted(90, 40, 12, seed=2)
    train, test = contiguous(90, 5)[2]
    ours = fold_predictions(X, Y, (train, test))
    scaler = StandardScaler().fit(X[train].astype(float))
    for column, alpha in enumerate(ours.alphas):
        model = Ridge(alpha=float(alpha)).fit(scaler.transform(X[train].astype(float)), Y[train, column])
        theirs = model.predict(scaler.transform(X[test].astype(float)))
        assert np.abs(ours.values[:, column] - theirs).max() < 2e-4 * Y[:, column].std()


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize("d", [15, 150])
def test_the_penalty_is_the_one_that_leaving_out_each_stimulus_in_turn_would_choose(d: int) -> None:
    """The closed form against the slow way: refit without each training stimulus."""
    X, Y = planted(40, d, 6, seed=3)
    train, test = contiguous(40, 4)[0]
    alphas = np.array([0.1, 10.0, 1000.0])
    features = StandardScaler().fit(X[train].astype(float)).transform(X[train].astype(float))
    errors = np.zeros((len(alphas), Y.shape[1]))
    for out in range(len(train)):
        kept = np.delete(np.arange(len(train)), out)
        for index, alpha in enumerate(alphas):
            guess = Ridge(alpha=alpha).fit(features[kept], Y[train][kept]).predict(features[out : out + 1])
            errors[index] += (Y[train][out] - guess[0]) ** 2
    assert np.allclose(fold_predictions(X, Y, (train, test), alphas=alphas).alphas, alphas[errors.argmin(0)], rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(12, 60), d=st.integers(1, 90), v=st.integers(1, 8), seed=st.integers(0, 10**6))
def test_whatever_the_shape_predictions_with_the_chosen_penalty_are_scikit_learns(
    n: int, d: int, v: int, seed: int
) -> None:
    X, Y = planted(n, d, v, seed)
    alphas = np.array([1.0, 100.0, 10_000.0])
    train, test = contiguous(n, 3)[1]
    ours = fold_predictions(X, Y, (train, test), alphas=alphas)
    scaler = StandardScaler().fit(X[train].astype(float))
    model = Ridge(alpha=ours.alphas.astype(float)).fit(scaler.transform(X[train].astype(float)), Y[train])
    theirs = model.predict(scaler.transform(X[test].astype(float))).reshape(len(test), v)
    assert np.abs(ours.values - theirs).max() < 1e-3 * max(float(Y.std()), 1.0)


def test_scores_are_pearson_r_of_predictions_fold_by_fold() -> None:
    X, Y = planted(100, 30, 10, seed=4)
    groups = np.repeat(np.arange(10), 10)
    scores = ridge_predictivity(X, Y, groups)
    assert scores.shape == (5, 10)
    for fold, row in zip(grouped(groups), scores, strict=True):
        predicted = fold_predictions(X, Y, fold).values
        for column in range(10):
            assert row[column] == pytest.approx(
                stats.pearsonr(predicted[:, column], Y[fold[1], column].astype(float))[0], abs=1e-5
            )


def test_noise_scores_around_zero_and_signal_near_one() -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((300, 50))
    Y = np.column_stack([rng.standard_normal((300, 200)), X @ rng.standard_normal((50, 20))])
    scores = ridge_predictivity(X, Y, folds=contiguous(300, 5)).mean(0)
    assert abs(scores[:200].mean()) < 0.02
    assert scores[200:].min() > 0.95


def test_scale_and_offset_of_features_and_responses_change_nothing() -> None:
    X, Y = planted(80, 60, 8, seed=6)
    fold = contiguous(80, 5)[3]
    before = fold_scores(X, Y, fold)
    after = fold_scores(X * 50.0 - 7.0, Y * 0.01 + 100.0, fold)
    assert np.allclose(before, after, atol=5e-3)


def test_a_unit_that_is_constant_in_training_has_no_say() -> None:
    X, Y = planted(80, 20, 5, seed=7)
    fold = contiguous(80, 5)[0]
    with_constant = np.column_stack([X, np.full(80, 3.0)])
    with_constant[fold[1], -1] = 1e3  # varies only where it is tested
    assert np.allclose(fold_scores(with_constant, Y, fold), fold_scores(X, Y, fold), atol=1e-5)


def test_features_that_say_nothing_score_zero_and_a_constant_target_scores_nothing() -> None:
    _, Y = planted(60, 5, 4, seed=8)
    Y[:, 2] = 1.0
    scores = fold_scores(np.ones((60, 7)), Y, contiguous(60, 5)[0])
    assert np.isnan(scores[2])
    assert np.abs(scores[[0, 1, 3]]).max() == 0.0


def test_responses_are_scored_one_by_one_so_that_many_are_like_few() -> None:
    X, Y = planted(50, 30, 1, seed=9)
    many = np.repeat(Y, 20_000, axis=1)  # more than one block of targets
    fold = contiguous(50, 5)[0]
    assert np.allclose(fold_scores(X, many, fold), fold_scores(X, Y, fold)[0], atol=1e-5)


@pytest.mark.parametrize("where", ["features", "responses"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_with_words(where: str, bad: float) -> None:
    X, Y = planted(40, 5, 3)
    (X if where == "features" else Y)[4, 1] = bad
    with pytest.raises(BadInput, match="NaN or infinite"):
        ridge_predictivity(X, Y, folds=contiguous(40, 4))


def test_bad_shapes_and_missing_groups_are_refused_with_words() -> None:
    X, Y = planted(40, 5, 3)
    with pytest.raises(BadInput, match="40 stimuli and responses 39"):
        ridge_predictivity(X, Y[:-1], folds=contiguous(40, 4))
    with pytest.raises(BadInput, match="groups or folds"):
        ridge_predictivity(X, Y)
    with pytest.raises(BadInput, match="at least 5 passages, and there are 2"):
        ridge_predictivity(X, Y, np.arange(40) % 2)


@pytest.mark.usefixtures("search")
@pytest.mark.parametrize(("n", "d"), [(90, 25), (60, 400)])
@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_penalties_ruled_out_unseen_would_not_have_been_chosen(n: int, d: int, decay: float) -> None:
    """The search by limits against every penalty tried on every target."""
    X, Y = planted(n, d, 200, seed=10)
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    X = ((u * s * np.arange(1, len(s) + 1) ** -decay) @ vt).astype(np.float32)
    solver = RidgeSolver.of_features(X, contiguous(n, 5)[2])
    responses = Y[contiguous(n, 5)[2][0]]
    _, _, chosen, found = solver.solve(responses)
    centred = torch.as_tensor(responses - responses.mean(0)).double()
    vectors, left = solver.vectors.double(), solver.left.double()
    rest = 0 if solver.full else centred - vectors @ (vectors.T @ centred)
    errors = torch.stack(
        [
            ((vectors * left[:, i]) @ (vectors.T @ centred) + rest).square().T @ solver.weights[:, i].double()
            for i in range(len(ALPHAS))
        ]
    )
    smallest = errors.amin(0)
    assert torch.allclose(errors.gather(0, chosen[None])[0], smallest, rtol=1e-5)
    assert torch.allclose(found.double(), smallest, rtol=1e-4)


def test_two_held_out_stimuli_have_no_correlation() -> None:
    """Of two points r is 1 or -1; averaged over folds it would count as if it were known."""
    rng = np.random.default_rng(0)
    folds = [(np.arange(10, 30), np.arange(2)), (np.arange(10), np.arange(10, 30))]
    r = ridge_predictivity(rng.standard_normal((30, 4)), rng.standard_normal((30, 6)), folds=folds)
    assert np.isnan(r[0]).all()
    assert np.isfinite(r[1]).all()
