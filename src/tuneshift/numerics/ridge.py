"""Ridge regression for many targets at once, with a penalty for each target chosen within the training stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tuneshift.errors import BadInput
from tuneshift.numerics.leave_out import ClosedForm, Refits, Targets, without_features
from tuneshift.numerics.penalty_search import best_penalties
from tuneshift.numerics.spectrum import Spectrum, dual, moments, primal, products
from tuneshift.numerics.splits import Fold, grouped, inner_folds
from tuneshift.numerics.threads import one_thread

ALPHAS = np.logspace(-3, 6, 19)
"""The penalties that are tried, for standardised features (methods, section 1)."""

_BLOCK = 16_384  # targets that are held on the device at once, at most
_ROWS = 2_048  # stimuli that are centred at once
_BLOCK_BYTES = 2**29  # what they may take there
_SMALL_WORK = 2e9  # multiplications up to which threads wait for each other longer than they save


@dataclass(frozen=True)
class RidgePredictions:
    """Held-out predictions of one fold: `values` (n_test, v), the penalty chosen for each target (v,)."""

    values: np.ndarray
    alphas: np.ndarray


@dataclass(frozen=True)
class Solved:
    """What is predicted for some targets, beyond their `mean` (v,): `predicted` (n_test, v), `chosen` penalties (v,).

    `error` (v,) is the sum of squares over the training stimuli left out.
    """

    predicted: torch.Tensor
    mean: torch.Tensor
    chosen: torch.Tensor
    error: torch.Tensor
    responses: torch.Tensor
    inner: Sequence[Fold]

    @property
    def explained(self) -> torch.Tensor:
        """Share of the variance (v,) of training stimuli left out that was predicted; 0 where there is none."""
        without = without_features(self.responses, self.inner)
        return torch.where(without > 0, 1 - self.error / without.clamp(min=1e-300), 0.0)


def ridge_predictivity(
    X: np.ndarray,
    Y: np.ndarray,
    groups: Sequence[object] | np.ndarray | None = None,
    *,
    folds: Sequence[Fold] | None = None,
    inner: Sequence[Sequence[Fold]] | None = None,
    alphas: np.ndarray = ALPHAS,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return the Pearson r (n_folds, v) between held-out responses and their ridge predictions.

    X: features (n, d); Y: responses (n, v), no NaN; groups: passage of each stimulus (n,), five folds of whole groups,
    unless `folds` are given. Features are standardised by the training stimuli of each fold; the penalty of each
    target is the one of `alphas` with the smallest error on training stimuli that are left out (methods, section 1):
    five parts of whole groups, or without groups five blocks of neighbouring rows, unless `inner` says for every
    fold which (row numbers within its training stimuli: kept, left out; the others are a gap). The error is exact and
    costs one decomposition, of n x n products where d >= n and of d x d ones where n > d. r is NaN for a target that
    does not vary on the test stimuli.

    Raises BadInput for NaN, arrays that are not of two dimensions or not of the same stimuli, penalties that are not
    finite and above 0, or fewer groups than folds.
    """
    X, Y = np.asarray(X), np.asarray(Y)
    alphas = checked_penalties(alphas)
    for name, given in (("features", X), ("responses", Y)):
        if given.ndim != 2:
            raise BadInput(f"{name} have {given.ndim} dimensions; give stimuli x columns, also where there is one.")
    if groups is not None and len(groups) != len(X):
        raise BadInput(f"there are {len(groups)} group labels for {len(X)} stimuli; give each stimulus one.")
    if len(X) != len(Y):
        raise BadInput(f"features have {len(X)} stimuli and responses {len(Y)}; they must be the same stimuli.")
    if not (np.isfinite(X).all() and np.isfinite(Y).all()):
        raise BadInput("features or responses hold NaN or infinite values; leave those stimuli or targets out first.")
    if folds is None:
        if groups is None:
            raise BadInput("give either groups or folds.")
        folds = grouped(groups)
    if inner is None:
        labels = None if groups is None else np.asarray([str(group) for group in groups])
        inner = [inner_folds(len(train), None if labels is None else labels[train]) for train, _ in folds]
    return np.stack(
        [fold_scores(X, Y, fold, own, alphas=alphas, device=device) for fold, own in zip(folds, inner, strict=True)]
    )


def fold_scores(
    X: np.ndarray,
    Y: np.ndarray,
    fold: Fold,
    inner: Sequence[Fold] | None = None,
    *,
    alphas: np.ndarray = ALPHAS,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return the Pearson r (v,) of one fold; see `ridge_predictivity`."""
    train, test = fold
    solver = RidgeSolver.of_fold(X, fold, inner, alphas, device)
    scores = []
    for block in column_blocks(Y.shape[1], solver.block):
        found = solver.solve(Y[train, block])
        scores.append(pearson(found.predicted, torch.as_tensor(Y[test, block], device=solver.device)).cpu().numpy())
    return np.concatenate(scores)


def fold_predictions(
    X: np.ndarray,
    Y: np.ndarray,
    fold: Fold,
    inner: Sequence[Fold] | None = None,
    *,
    alphas: np.ndarray = ALPHAS,
    device: str | torch.device = "cpu",
) -> RidgePredictions:
    """Return the predictions for the test stimuli of one fold and the penalties chosen; see `ridge_predictivity`."""
    train, _ = fold
    solver = RidgeSolver.of_fold(X, fold, inner, alphas, device)
    parts = [solver.solve(Y[train, block]) for block in column_blocks(Y.shape[1], solver.block)]
    return RidgePredictions(
        np.concatenate([(found.predicted.double() + found.mean.double()).cpu().numpy() for found in parts], axis=1),
        np.concatenate([solver.alphas[found.chosen].cpu().numpy() for found in parts]),
    )


def column_blocks(n_targets: int, size: int = _BLOCK) -> Iterator[slice]:
    """Cut targets into blocks that are worked on at once, so that memory does not grow with their number."""
    for start in range(0, max(n_targets, 1), size):
        yield slice(start, start + size)


def standardised(
    seen: np.ndarray, held_out: np.ndarray, device: str | torch.device = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return training and test features in float32, standardised by the training stimuli; a constant unit is all 0.

    They are centred in the type they are given in, like responses: an offset would cost digits of float32.
    """
    train, test = (_floating(torch.as_tensor(side, device=device)) for side in (seen, held_out))
    total = sum((rows.double().sum(0) for rows in train.split(_ROWS)), train.new_zeros((), dtype=torch.float64))
    mean = (total / len(train)).expand(train.shape[1])
    rounding = (8 * torch.finfo(train.dtype).eps * mean.abs()).clamp(min=1e-18)
    train, test = (
        torch.cat([(rows - mean.to(side.dtype)).float() for rows in side.split(_ROWS)]) for side in (train, test)
    )
    rest = train.mean(0)  # the mean's own rounding
    train, test = train.sub_(rest), test.sub_(rest)
    spread = train.std(0, correction=0)
    spread = torch.where(spread > rounding, spread, torch.inf)
    return train.div_(spread), test.div_(spread)


def _floating(values: torch.Tensor) -> torch.Tensor:
    """Integers as float64, halves as float32, else the type as it is."""
    if not values.is_floating_point():
        return values.double()
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def checked_penalties(alphas: np.ndarray) -> np.ndarray:
    """Return penalties (n_alphas,) in float64; raises BadInput for none, or for one that is not finite and above 0."""
    try:
        penalties = np.asarray(alphas, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput(f"penalties must be numbers, and are {alphas!r}.") from None
    if penalties.ndim != 1 or not penalties.size:
        raise BadInput(f"penalties have the shape {penalties.shape}; give at least one, in a list.")
    bad = penalties[~(np.isfinite(penalties) & (penalties > 0))]
    if len(bad):
        raise BadInput(f"penalties must be finite and above 0, and {bad[0]:g} is among them; give small ones instead.")
    return penalties


class RidgeSolver:
    """What all targets of one fold share: one decomposition of its features, and what leaving out a part of them does.

    `inner` are the parts (row numbers within the training stimuli: kept, left out), `alphas` the penalties tried.
    """

    def __init__(
        self, found: Spectrum, leave_out: ClosedForm | Refits, inner: Sequence[Fold], alphas: torch.Tensor
    ) -> None:
        self.device = found.vectors.device
        self.alphas, self.inner, self.leave_out = alphas, inner, leave_out
        self.values, self.vectors, self.test_basis = found.values.float(), found.vectors.float(), found.test_basis

    @classmethod
    def of_fold(
        cls,
        X: np.ndarray,
        fold: Fold,
        inner: Sequence[Fold] | None = None,
        alphas: np.ndarray = ALPHAS,
        device: str | torch.device = "cpu",
    ) -> RidgeSolver:
        """Prepare the features (n, d) of one fold."""
        return cls.of_features(X[fold[0]], X[fold[1]], inner, alphas, device)

    @classmethod
    def of_features(
        cls,
        seen: np.ndarray,
        held_out: np.ndarray,
        inner: Sequence[Fold] | None = None,
        alphas: np.ndarray = ALPHAS,
        device: str | torch.device = "cpu",
    ) -> RidgeSolver:
        """Prepare training features (n, d) and test features (n_test, d), standardised by the training stimuli."""
        inner = inner_folds(len(seen)) if inner is None else inner
        with one_thread(len(seen) ** 2 * seen.shape[1] <= _SMALL_WORK):
            return cls.of_standardised(*standardised(seen, held_out, device), inner, alphas)

    @classmethod
    def of_standardised(
        cls, seen: torch.Tensor, held_out: torch.Tensor, inner: Sequence[Fold], alphas: np.ndarray
    ) -> RidgeSolver:
        """Prepare features that are centred on the training stimuli; by the smaller of their two products."""
        if len(seen) <= seen.shape[1]:
            return cls.of_products(*products(seen, held_out), seen.shape[1], inner, alphas)
        penalties = torch.as_tensor(checked_penalties(alphas), device=seen.device)
        total = moments(seen)
        found = primal(seen, held_out, total)
        return cls(found, Refits(seen, total, found, inner, penalties), inner, penalties)

    @classmethod
    def of_products(
        cls, gram: torch.Tensor, cross: torch.Tensor, rank: int, inner: Sequence[Fold], alphas: np.ndarray
    ) -> RidgeSolver:
        """Prepare features known by their products: `gram` (n, n), `cross` (n_test, n), and their number `rank`."""
        penalties = torch.as_tensor(checked_penalties(alphas), device=gram.device)
        found = dual(gram, cross, rank)
        if found.full:
            return cls(found, ClosedForm(found, inner, penalties), inner, penalties)
        # Fewer dimensions than stimuli, however many units: those dimensions are the features.
        seen = (found.vectors * found.values.sqrt()).float()
        return cls(found, Refits(seen, moments(seen), found, inner, penalties), inner, penalties)

    @property
    def block(self) -> int:
        """How many targets may be solved at once."""
        n, rank = self.vectors.shape
        return int(max(256, min(_BLOCK, _BLOCK_BYTES // (4 * (3 * n + (len(self.inner) + 4) * rank)))))

    def solve(self, Y: np.ndarray) -> Solved:
        """Return what is predicted for the test stimuli from training responses (n, v), with the best penalties."""
        with one_thread(len(Y) ** 2 * Y.shape[1] <= _SMALL_WORK / 4):
            responses = _floating(torch.as_tensor(Y, device=self.device))
            mean = responses.mean(0)
            centred = (responses - mean).float()  # in this order: a large mean would cost digits
            given = Targets(centred, centred.T @ self.vectors)
            chosen, error = best_penalties(given, self.leave_out)
            return Solved(self._predicted(given.projected, chosen), mean, chosen, error, centred, self.inner)

    def _predicted(self, projected: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        weights = projected / (self.values + self.alphas[chosen].float().reshape(-1, 1))
        return self.test_basis @ weights.T


def pearson(predicted: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    """Return r (v,) between columns of two (n, v) tensors: NaN where `observed` is constant, 0 for a constant guess.

    NaN for fewer than three rows: of two it is 1 or -1, whatever they are.
    """
    if len(observed) < 3:
        return torch.full(observed.shape[1:], torch.nan, dtype=torch.float64, device=observed.device)
    predicted, observed = predicted.double(), observed.double()
    predicted = predicted - predicted.mean(0)
    observed = observed - observed.mean(0)
    size, guess = torch.linalg.vector_norm(observed, dim=0), torch.linalg.vector_norm(predicted, dim=0)
    covariance = (predicted * observed).sum(0)
    r = covariance / (size * guess).clamp(min=1e-300)
    r = torch.where(guess > 0, r, torch.zeros_like(r))
    return torch.where(size > 0, r, torch.full_like(r, torch.nan))
