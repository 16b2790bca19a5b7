"""Ridge with a penalty a target: the numbers of scikit-learn's refits, whatever the shape, solver and backend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from tuneshift.errors import BadInput
from tuneshift.numerics.leave_out import ClosedForm, Refits
from tuneshift.numerics.ridge import ALPHAS, RidgeSolver, fold_predictions, fold_scores, pearson, ridge_predictivity
from tuneshift.numerics.splits import Fold, contiguous, grouped, inner_folds

BACKENDS = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SHAPES = {
    "more stimuli than units": (120, 20),
    "more units than stimuli": (60, 200),
    "as many units as stimuli": (96, 96),
    "one unit": (50, 1),
    "two units more than stimuli to learn from": (60, 50),
}
FAR_APART = np.logspace(-1, 5, 7)
"""Far enough that rounding does not decide between two of them."""


@pytest.fixture(params=["every penalty computed", "penalties ruled out by limits"])
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few targets take the first way, many the second; whichever is tried, the numbers are the same."""
    if request.param != "every penalty computed":
        monkeypatch.setattr("tuneshift.numerics.penalty_search._SMALL_WORK", 0)
        for kind in (ClosedForm, Refits):
            monkeypatch.setattr(kind, "worth_foretelling", lambda self, n_targets: True)


@pytest.fixture(params=["two steps in one product", "two steps"])
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the matrices of both steps would take too much room, they are applied one after the other."""
    if request.param == "two steps":
        monkeypatch.setattr("tuneshift.numerics.leave_out._MOST_BYTES", 0)


def planted(n: int, d: int, v: int, seed: int = 0, decay: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Features on unequal scales, and responses from pure noise to almost no noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.lognormal(sigma=1.0, size=d) + rng.standard_normal(d)
    if decay:
        u, s, vt = np.linalg.svd(X, full_matrices=False)
        X = (u * s * np.arange(1.0, len(s) + 1) ** -decay) @ vt
    signal = X @ rng.standard_normal((d, v))
    Y = signal / signal.std(0) * np.linspace(0, 1, v) + rng.standard_normal((n, v)) * np.linspace(1, 0.05, v) + 3.0
    return X.astype(np.float32), Y.astype(np.float32)


def refits(
    X: np.ndarray, Y: np.ndarray, fold: Fold, inner: Sequence[Fold], alphas: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Refit scikit-learn's Ridge without every part: predictions (n_test, v), penalties' indices, errors (a, v)."""
    train, test = fold
    scaler = StandardScaler().fit(X[train].astype(float))
    seen, held_out = (scaler.transform(X[rows].astype(float)) for rows in (train, test))
    y = Y[train].astype(float)
    errors = np.zeros((len(alphas), Y.shape[1]))
    for index, alpha in enumerate(alphas):
        for kept, part in inner:
            guess = Ridge(alpha=alpha).fit(seen[kept], y[kept]).predict(seen[part]).reshape(len(part), -1)
            errors[index] += ((y[part] - guess) ** 2).sum(axis=0)
    chosen = errors.argmin(axis=0)
    model = Ridge(alpha=alphas[chosen]).fit(seen, y)
    return model.predict(held_out).reshape(len(test), -1), chosen, errors


def folds_of(n: int, gap: int) -> tuple[Fold, list[Fold]]:
    fold = contiguous(n, 5, gap)[1]
    return fold, inner_folds(len(fold[0]), None, gap, fold[0])


@pytest.mark.usefixtures("search", "room")
@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_penalties_and_predictions_are_those_of_refitting_without_every_part(shape: str, gap: int, device: str) -> None:
    X, Y = planted(*SHAPES[shape], 200)
    fold, inner = folds_of(len(X), gap)
    theirs, chosen, errors = refits(X, Y, fold, inner, FAR_APART)
    solver = RidgeSolver.of_fold(X, fold, inner, FAR_APART, device)
    found = solver.solve(Y[fold[0]])
    same = found.chosen.cpu().numpy() == chosen
    assert same.mean() >= 0.995
    assert np.allclose(found.error.cpu().numpy(), errors.min(axis=0), rtol=1e-5)
    ours = (found.predicted + found.mean).cpu().numpy()
    assert np.abs(ours - theirs)[:, same].max() < 1e-4 * Y.std()


def test_the_smaller_product_is_decomposed() -> None:
    for n, d, kind in ((60, 20, Refits), (60, 47, Refits), (60, 48, ClosedForm), (60, 300, ClosedForm)):
        X, _ = planted(n, d, 1)
        assert isinstance(RidgeSolver.of_fold(X, contiguous(n, 5)[0]).leave_out, kind), (n, d)  # 48 to learn from


@pytest.mark.usefixtures("search", "room")
@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
@pytest.mark.parametrize(("n", "d"), [(90, 25), (60, 400)])
def test_close_penalties_and_every_spectrum_choose_as_refits_do(n: int, d: int, decay: float) -> None:
    X, Y = planted(n, d, 400, seed=10, decay=decay)
    fold, inner = folds_of(n, 0)
    theirs, chosen, errors = refits(X, Y, fold, inner, ALPHAS)
    solver = RidgeSolver.of_fold(X, fold, inner)
    found = solver.solve(Y[fold[0]])
    picked = np.take_along_axis(errors, found.chosen.numpy()[None], axis=0)[0]
    assert np.allclose(picked, errors.min(axis=0), rtol=1e-4)  # two penalties may tie to rounding
    assert (found.chosen.numpy() == chosen).mean() >= 0.995
    r = pearson(found.predicted, torch.as_tensor(theirs))
    assert r[20:].min() > 0.999


def test_stimuli_that_come_twice_leave_fewer_dimensions_than_stimuli_and_the_choice_is_the_same() -> None:
    X, Y = planted(40, 300, 60, seed=3)
    X, Y = np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0) + 0.5 * planted(80, 1, 60, seed=4)[1]
    fold, inner = folds_of(80, 0)
    theirs, chosen, _ = refits(X, Y, fold, inner, FAR_APART)
    solver = RidgeSolver.of_fold(X, fold, inner, FAR_APART)
    assert isinstance(solver.leave_out, Refits)  # in as many dimensions as there are different stimuli
    found = solver.solve(Y[fold[0]])
    assert (found.chosen.numpy() == chosen).all()
    assert np.abs((found.predicted + found.mean).numpy() - theirs).max() < 1e-4 * Y.std()


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(24, 60), d=st.integers(1, 90), v=st.integers(1, 8), gap=st.integers(0, 2), seed=st.integers(0, 10**6)
)
def test_whatever_the_shape_errors_and_predictions_are_those_of_refits(
    n: int, d: int, v: int, gap: int, seed: int
) -> None:
    X, Y = planted(n, d, v, seed)
    alphas = np.array([1.0, 100.0, 10_000.0])
    fold = contiguous(n, 3, gap)[1]
    inner = inner_folds(len(fold[0]), None, gap, fold[0], 3)
    _, _, errors = refits(X, Y, fold, inner, alphas)
    ours = RidgeSolver.of_fold(X, fold, inner, alphas).solve(Y[fold[0]])
    assert np.allclose(ours.error.numpy(), errors.min(axis=0), rtol=1e-3, atol=1e-6)
    scaler = StandardScaler().fit(X[fold[0]].astype(float))
    model = Ridge(alpha=alphas[ours.chosen.numpy()]).fit(scaler.transform(X[fold[0]].astype(float)), Y[fold[0]])
    theirs = model.predict(scaler.transform(X[fold[1]].astype(float))).reshape(len(fold[1]), v)
    assert np.abs((ours.predicted + ours.mean).numpy() - theirs).max() < 1e-3 * max(float(Y.std()), 1.0)


def test_neighbours_that_give_a_left_out_scan_away_do_not_choose_its_penalty() -> None:
    """Slow features and slow noise: one scan left out is told by its neighbours, a block is not."""
    rng = np.random.default_rng(0)
    kernel = np.exp(-0.5 * (np.arange(-12, 13) / 4.0) ** 2)
    slow = lambda k: np.stack([np.convolve(x, kernel, "same") for x in rng.standard_normal((k, 240))], axis=1)  # noqa: E731
    X, Y = slow(300), slow(50)
    fold = contiguous(240, 6, 16)[2]
    single = [(np.delete(np.arange(len(fold[0])), i), np.array([i])) for i in range(len(fold[0]))]
    blocks = inner_folds(len(fold[0]), None, 16, fold[0])
    chosen = {
        name: np.median(fold_predictions(X, Y, fold, inner).alphas)
        for name, inner in (("single", single), ("blocks", blocks))
    }
    assert chosen["single"] < 0.1
    assert chosen["blocks"] > 100 * chosen["single"]


def test_what_was_explained_of_stimuli_left_out_is_0_for_noise_and_1_without_any() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 30))
    Y = np.column_stack([X @ rng.standard_normal((30, 20)), rng.standard_normal((200, 20))])
    fold, inner = folds_of(200, 0)
    explained = RidgeSolver.of_fold(X, fold, inner).solve(Y[fold[0]]).explained.numpy()
    assert explained[:20].min() > 0.98
    assert abs(explained[20:].mean()) < 0.02


def test_scores_are_pearson_r_of_predictions_fold_by_fold_with_whole_groups_left_out() -> None:
    X, Y = planted(100, 30, 10, seed=4)
    groups = np.repeat(np.arange(10), 10)
    scores = ridge_predictivity(X, Y, groups)
    assert scores.shape == (5, 10)
    for (train, test), row in zip(grouped(groups), scores, strict=True):
        predicted = fold_predictions(X, Y, (train, test), grouped(groups[train])).values
        for column in range(10):
            assert row[column] == pytest.approx(
                stats.pearsonr(predicted[:, column], Y[test, column].astype(float))[0], abs=1e-5
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


@pytest.mark.parametrize("d", [7, 70])
def test_features_that_say_nothing_score_zero_and_a_constant_target_scores_nothing(d: int) -> None:
    _, Y = planted(60, 5, 4, seed=8)
    Y[:, 2] = 1.0
    scores = fold_scores(np.ones((60, d)), Y, contiguous(60, 5)[0])
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
    with pytest.raises(BadInput, match="at least 5 groups to hold out, and there are 2"):
        ridge_predictivity(X, Y, np.arange(40) % 2)


def test_two_held_out_stimuli_have_no_correlation() -> None:
    """Of two points r is 1 or -1; averaged over folds it would count as if it were known."""
    rng = np.random.default_rng(0)
    folds = [(np.arange(10, 30), np.arange(2)), (np.arange(10), np.arange(10, 30))]
    r = ridge_predictivity(rng.standard_normal((30, 4)), rng.standard_normal((30, 6)), folds=folds)
    assert np.isnan(r[0]).all()
    assert np.isfinite(r[1]).all()


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e6, 1e7, 1e8])
@pytest.mark.parametrize("d", [20, 200])
def test_a_large_offset_of_features_costs_no_digits(d: int, offset: float) -> None:
    rng = np.random.default_rng(13)
    X = rng.standard_normal((80, d))
    Y = X @ rng.standard_normal((d, 6)) / d**0.5 + rng.standard_normal((80, 6))
    fold, inner = folds_of(80, 0)
    theirs, chosen, _ = refits(X, Y, fold, inner, FAR_APART)
    found = RidgeSolver.of_fold(X + offset, fold, inner, FAR_APART).solve(Y[fold[0]])
    assert (found.chosen.numpy() == chosen).all()
    assert np.abs((found.predicted + found.mean).numpy() - theirs).max() < 1e-4 * Y.std()
    whole = (X * 10).astype(np.int64)  # integers are not cut to float32 either
    assert np.allclose(fold_scores(whole + int(offset), Y, fold), fold_scores(whole, Y, fold), atol=1e-4)


@pytest.mark.parametrize("bad", [[0.0, 1.0], [-1.0, 1.0], [np.nan], [1.0, np.inf]])
@pytest.mark.parametrize("d", [5, 70])
def test_penalties_that_are_none_are_refused_with_words(d: int, bad: list[float]) -> None:
    """With 0 and more units than stimuli the error left out is 0/0, and would be taken for the smallest."""
    X, Y = planted(40, d, 3)
    for call in (
        lambda: ridge_predictivity(X, Y, folds=contiguous(40, 4), alphas=np.array(bad)),
        lambda: fold_predictions(X, Y, contiguous(40, 4)[0], alphas=np.array(bad)),
    ):
        with pytest.raises(BadInput, match="finite and above 0"):
            call()


def test_no_penalties_one_dimension_and_groups_of_another_length_are_refused_with_words() -> None:
    X, Y = planted(40, 5, 3)
    folds = contiguous(40, 4)
    with pytest.raises(BadInput, match="at least one"):
        ridge_predictivity(X, Y, folds=folds, alphas=np.array([]))
    with pytest.raises(BadInput, match="penalties must be numbers"):
        ridge_predictivity(X, Y, folds=folds, alphas=np.array(["much"]))
    with pytest.raises(BadInput, match="responses have 1 dimensions"):
        ridge_predictivity(X, Y[:, 0], folds=folds)
    with pytest.raises(BadInput, match="features have 1 dimensions"):
        ridge_predictivity(X[:, 0], Y, folds=folds)
    with pytest.raises(BadInput, match="39 group labels for 40 stimuli"):
        ridge_predictivity(X, Y, np.arange(39) // 4)


def test_penalties_may_come_as_a_list_of_integers_in_any_order() -> None:
    X, Y = planted(40, 5, 3)
    folds = contiguous(40, 4)
    assert np.array_equal(
        ridge_predictivity(X, Y, folds=folds, alphas=[100, 1, 10]),  # type: ignore[arg-type]
        ridge_predictivity(X, Y, folds=folds, alphas=np.array([1.0, 10.0, 100.0])),
    )
