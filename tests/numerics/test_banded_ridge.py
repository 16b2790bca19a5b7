"""Banded ridge: plain ridge with one band, himalaya's numbers with two, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from himalaya.backend import set_backend
from himalaya.ridge import BandedRidgeCV
from sklearn.linear_model import Ridge

from tuneshift.errors import BadInput
from tuneshift.numerics.banded_ridge import PENALTIES, band_shares, banded_predictions, explained_variance
from tuneshift.numerics.ridge import fold_predictions
from tuneshift.numerics.splits import contiguous, inner_folds

pytestmark = pytest.mark.filterwarnings("ignore:Solving banded ridge is slower")
BACKENDS = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def planted(n: int = 150, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """A wide band and a narrow one; targets from one, the other, both and neither."""
    rng = np.random.default_rng(seed)
    wide, narrow = rng.standard_normal((n, 200)), rng.standard_normal((n, 3))
    from_wide = wide @ rng.standard_normal((200, 4)) / np.sqrt(200)
    from_narrow = narrow @ rng.standard_normal((3, 4)) / np.sqrt(3)
    noise = rng.standard_normal((n, 4))
    return [wide, narrow], from_wide * [1, 0, 1, 0] + from_narrow * [0, 1, 1, 0] + 0.5 * noise


def standard(band: np.ndarray, train: np.ndarray) -> np.ndarray:
    return (band - band[train].mean(0)) / band[train].std(0)


@pytest.mark.parametrize("share", [1.0, 0.1, 0.001])
def test_given_its_mixture_and_penalty_it_is_ridge_on_scaled_bands(share: float) -> None:
    (wide, narrow), Y = planted()
    train, test = contiguous(150, 5)[1]
    ours = banded_predictions(
        [wide, narrow], Y, (train, test), shares=np.array([[share, 1.0]]), penalties=np.array([0.3])
    )
    scaled = np.hstack([standard(wide, train) * np.sqrt(share / 200), standard(narrow, train) / np.sqrt(3)])
    theirs = Ridge(alpha=0.3).fit(scaled[train], Y[train]).predict(scaled[test])
    assert np.abs(ours - theirs).max() < 1e-4 * Y.std()


def test_with_himalayas_penalties_it_gives_himalayas_predictions() -> None:
    set_backend("numpy")
    bands, Y = planted(seed=1)
    train, test = contiguous(150, 5)[0]
    scaled = [standard(band, train) / np.sqrt(band.shape[1]) for band in bands]
    model = BandedRidgeCV(
        groups="input",
        solver_params={"n_iter": 30, "alphas": PENALTIES, "progress_bar": False},
        cv=4,
        random_state=0,
        fit_intercept=True,
    ).fit([band[train] for band in scaled], Y[train])
    theirs = np.asarray(model.predict([band[test] for band in scaled]))
    penalties = np.exp(-model.deltas_)  # himalaya's logarithm of each band's weight, (2, v)
    for column in range(Y.shape[1]):
        total = (1 / penalties[:, column]).sum(keepdims=True)
        mixture = 1 / penalties[None, :, column] / total
        ours = banded_predictions(bands, Y[:, [column]], (train, test), shares=mixture, penalties=1 / total)
        assert np.abs(ours[:, 0] - theirs[:, column]).max() < 1e-4 * Y.std()


def test_chosen_mixtures_explain_at_least_as_much_as_himalayas_random_search() -> None:
    set_backend("numpy")
    every_ours, every_theirs = [], []
    for seed in range(3):
        bands, Y = planted(seed=seed)
        for train, test in contiguous(150, 5)[:2]:
            model = BandedRidgeCV(
                groups="input",
                solver_params={"n_iter": 30, "alphas": np.logspace(-3, 6, 10), "progress_bar": False},
                cv=4,
                random_state=0,
            ).fit([standard(band, train)[train] for band in bands], Y[train])
            guess = np.asarray(model.predict([standard(band, train)[test] for band in bands]))
            centre = Y[train].mean(0)
            every_theirs.append(explained_variance(guess, Y[test], centre))
            every_ours.append(explained_variance(banded_predictions(bands, Y, (train, test)), Y[test], centre))
    ours, theirs = np.mean(every_ours, axis=0), np.mean(every_theirs, axis=0)
    assert (ours > theirs - 0.05).all()
    assert ours.mean() > theirs.mean() - 0.01


def test_a_narrow_band_is_not_drowned_by_a_wide_one() -> None:
    bands, Y = planted(seed=2)
    together, alone, joined = [], [], []
    for train, test in contiguous(150, 5):
        centre = Y[train].mean(0)
        for out, given in ((together, bands), (alone, bands[1:]), (joined, [np.hstack(bands)])):
            out.append(explained_variance(banded_predictions(given, Y, (train, test)), Y[test], centre)[1])
    assert np.mean(alone) > 0.5
    assert np.mean(together) == pytest.approx(np.mean(alone), abs=0.03)
    assert np.mean(joined) < np.mean(alone) - 0.1


def test_the_mixtures_hold_each_band_alone() -> None:
    shares = band_shares(2)
    assert [0.0, 1.0] in shares.tolist()
    assert [1.0, 0.0] in shares.tolist()
    assert (shares.max(axis=1) == 1).all()
    assert band_shares(1).tolist() == [[1.0]]


@pytest.mark.parametrize("device", BACKENDS)
@pytest.mark.parametrize("n", [150, 700])
def test_mixture_and_penalty_are_those_of_refitting_without_every_part_and_its_gap(n: int, device: str) -> None:
    """203 units: products of stimuli are decomposed for 120 of them, products of units for 560."""
    bands, Y = planted(n, seed=3)
    fold = contiguous(n, 5, 4)[1]
    train, test = fold
    inner = inner_folds(len(train), None, 4, train)
    shares, penalties = np.array([[1.0, 0.0], [1.0, 1.0], [0.01, 1.0]]), np.logspace(-3, 2, 6)
    ours = banded_predictions(bands, Y, fold, inner=inner, shares=shares, penalties=penalties, device=device)
    best, theirs = np.full(Y.shape[1], np.inf), np.zeros(ours.shape)
    for mixture in shares:
        scaled = np.hstack(
            [standard(b, train) * np.sqrt(s / b.shape[1]) for b, s in zip(bands, mixture, strict=True)]
        )  # fmt: skip
        for penalty in penalties:
            seen, y = scaled[train], Y[train]
            error = sum(
                np.square(y[part] - Ridge(alpha=penalty).fit(seen[kept], y[kept]).predict(seen[part])).sum(0)
                for kept, part in inner
            )
            better = error < best
            best[better] = error[better]
            theirs[:, better] = Ridge(alpha=penalty).fit(seen, y).predict(scaled[test])[:, better]
    assert np.abs(ours - theirs).max() < 1e-4 * Y.std()


def test_one_band_is_plain_ridge() -> None:
    bands, Y = planted(seed=4)
    fold = contiguous(150, 5)[2]
    inner = inner_folds(len(fold[0]))
    ours = banded_predictions(bands[:1], Y, fold, inner=inner, penalties=np.array([0.5]))
    assert np.allclose(ours, fold_predictions(bands[0], Y, fold, inner, alphas=np.array([100.0])).values, atol=1e-4)


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e8])
@pytest.mark.parametrize("n", [150, 700])
def test_a_large_offset_of_a_band_costs_no_digits(n: int, offset: float) -> None:
    (wide, narrow), Y = planted(n, seed=5)
    fold = contiguous(n, 5)[1]
    shares = np.array([[1.0, 1.0], [0.1, 1.0]])
    before = banded_predictions([wide, narrow], Y, fold, shares=shares)
    after = banded_predictions([wide, narrow + offset], Y, fold, shares=shares)
    assert np.abs(after - before).max() < 1e-4 * Y.std()


def test_a_penalty_of_0_is_refused_with_words() -> None:
    bands, Y = planted()
    with pytest.raises(BadInput, match="finite and above 0"):
        banded_predictions(bands, Y, contiguous(150, 5)[0], penalties=np.array([0.0, 1.0]))
