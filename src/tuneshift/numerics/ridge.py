"""Ridge regression for many targets at once, with a penalty for each target chosen within the training stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from tuneshift.errors import BadInput
from tuneshift.numerics.splits import Fold, grouped

ALPHAS = np.logspace(-3, 6, 19)
"""The penalties that are tried, for standardised features (methods, section 1)."""

_BLOCK = 16_384  # targets that are held on the device at once
_SMALL_MATRIX = 1_000  # rows up to which a second thread does not speed up a decomposition
_SMALL_WORK = 2e9  # multiplications up to which threads wait for each other longer than they save


@dataclass(frozen=True)
class RidgePredictions:
    """Held-out predictions of one fold: `values` (n_test, v), the penalty chosen for each target (v,)."""

    values: np.ndarray
    alphas: np.ndarray


def ridge_predictivity(
    X: np.ndarray,
    Y: np.ndarray,
    groups: Sequence[object] | np.ndarray | None = None,
    *,
    folds: Sequence[Fold] | None = None,
    alphas: np.ndarray = ALPHAS,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return the Pearson r (n_folds, v) between held-out responses and their ridge predictions.

    X: features (n, d); Y: responses (n, v), no NaN; groups: passage of each stimulus (n,), five folds of whole groups,
    unless `folds` are given. Features are standardised by the training stimuli of each fold; the penalty of each
    target is the one of `alphas` with the smallest leave-one-out error on the training stimuli, in closed form from
    one eigendecomposition of the (n, n) Gram matrix. r is NaN for a target that does not vary on the test stimuli.

    Raises BadInput for NaN, or fewer groups than folds.
    """
    X, Y = np.asarray(X), np.asarray(Y)
    if len(X) != len(Y):
        raise BadInput(f"features have {len(X)} stimuli and responses {len(Y)}; they must be the same stimuli.")
    if not (np.isfinite(X).all() and np.isfinite(Y).all()):
        raise BadInput("features or responses hold NaN or infinite values; leave those stimuli or targets out first.")
    if folds is None:
        if groups is None:
            raise BadInput("give either groups or folds.")
        folds = grouped(groups)
    return np.stack([fold_scores(X, Y, fold, alphas=alphas, device=device) for fold in folds])


def fold_scores(
    X: np.ndarray, Y: np.ndarray, fold: Fold, *, alphas: np.ndarray = ALPHAS, device: str | torch.device = "cpu"
) -> np.ndarray:
    """Return the Pearson r (v,) of one fold; see `ridge_predictivity`."""
    solver = _solver(X, fold, alphas, device)
    return np.concatenate([solver.scores(Y[:, block]) for block in _blocks(Y.shape[1])])


def fold_predictions(
    X: np.ndarray, Y: np.ndarray, fold: Fold, *, alphas: np.ndarray = ALPHAS, device: str | torch.device = "cpu"
) -> RidgePredictions:
    """Return the predictions for the test stimuli of one fold and the penalties chosen; see `ridge_predictivity`."""
    solver = _solver(X, fold, alphas, device)
    parts = [solver.predict(Y[:, block]) for block in _blocks(Y.shape[1])]
    return RidgePredictions(
        np.concatenate([(values.double() + mean.double()).cpu().numpy() for values, mean, _ in parts], axis=1),
        np.concatenate([chosen.cpu().numpy() for _, _, chosen in parts]),
    )


def _blocks(n_targets: int) -> Iterator[slice]:
    for start in range(0, max(n_targets, 1), _BLOCK):
        yield slice(start, start + _BLOCK)


@contextmanager
def _one_thread(when: bool) -> Iterator[None]:
    """Compute on one thread: many small steps on several wait for each other, for seconds on a busy machine."""
    before = torch.get_num_threads()
    if when and before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _solver(X: np.ndarray, fold: Fold, alphas: np.ndarray, device: str | torch.device) -> _FoldSolver:
    with _one_thread(len(fold[0]) ** 2 * X.shape[1] <= _SMALL_WORK):
        return _FoldSolver(X, fold, alphas, torch.device(device))


class _FoldSolver:
    """What all targets of one fold share: the eigenvectors of the Gram matrix, and the test stimuli in their basis."""

    def __init__(self, X: np.ndarray, fold: Fold, alphas: np.ndarray, device: torch.device) -> None:
        train, test = fold
        self.train, self.test, self.device = train, test, device
        features = torch.as_tensor(X, device=device, dtype=torch.float32)
        seen, held_out = features[train], features[test]
        mean = seen.mean(0)
        spread = seen.std(0, correction=0)
        spread = torch.where(spread > 1e-6 * mean.abs().clamp(min=1e-12), spread, torch.inf)  # constant: no weight
        seen, held_out = (seen - mean) / spread, (held_out - mean) / spread
        # Products in float32, the decomposition in float64: its small eigenvalues decide how small penalties act.
        with _one_thread(len(train) <= _SMALL_MATRIX):
            values, vectors = torch.linalg.eigh((seen @ seen.T).double())
        # Centred features span n - 1 dimensions at most: the vector of ones is the intercept's.
        rank = int(min(len(train) - 1, X.shape[1], int((values > values[-1].clamp(min=1e-12) * 1e-9).sum())))
        self.values = values[len(values) - rank :].float()
        self.vectors = vectors[:, len(values) - rank :].float()
        self.full = rank == len(train) - 1  # the features can fit the training responses exactly
        self.test_basis = held_out @ (seen.T @ self.vectors)  # (n_test, rank): K_test U
        self.alphas = torch.as_tensor(alphas, device=device, dtype=torch.float32)
        # What a penalty leaves of each dimension, and of each training stimulus: one minus its leverage. Written so
        # that nothing cancels when the penalty is small.
        self.left = self.alphas / (self.values[:, None] + self.alphas)  # (rank, n_alphas)
        squares = vectors[:, len(values) - rank :].square()
        outside = torch.zeros(len(train), 1) if self.full else (1 - 1 / len(train) - squares.sum(1, keepdim=True))
        left = self.alphas.double() / (values[len(values) - rank :, None] + self.alphas.double())
        self.slack = (outside.to(squares) + squares @ left).float()  # (n_train, n_alphas)

    def predict(self, Y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return for the test stimuli what is predicted beyond the mean (n_test, v), the mean and the penalty (v,)."""
        responses = torch.as_tensor(Y[self.train], device=self.device)
        mean = responses.mean(0)
        responses = (responses - mean).float()  # in this order: a large mean would cost digits
        with _one_thread(len(self.train) ** 2 * Y.shape[1] * len(self.alphas) <= _SMALL_WORK):
            projected = self.vectors.T @ responses  # (rank, v)
            best = self._best_penalty(responses, projected)
            weights = projected / (self.values[:, None] + self.alphas[best])
            return self.test_basis @ weights, mean, self.alphas[best]

    def _best_penalty(self, responses: torch.Tensor, projected: torch.Tensor) -> torch.Tensor:
        """Return the index (v,) of the penalty with the smallest leave-one-out squared error."""
        rest = None if self.full else torch.addmm(responses, self.vectors, projected, alpha=-1)
        errors = []
        for index in range(len(self.alphas)):
            residual = self.vectors @ (projected * self.left[:, index, None])
            if rest is not None:
                residual += rest
            residual /= self.slack[:, index, None]
            errors.append(torch.linalg.vector_norm(residual, dim=0))
        return torch.stack(errors).argmin(0)

    def scores(self, Y: np.ndarray) -> np.ndarray:
        """Return the Pearson r (v,) between predictions and responses of the test stimuli."""
        predicted, _, _ = self.predict(Y)
        return pearson(predicted, torch.as_tensor(Y[self.test], device=self.device)).cpu().numpy()


def pearson(predicted: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    """Return r (v,) between columns of two (n, v) tensors: NaN where `observed` is constant, 0 for a constant guess."""
    predicted, observed = predicted.double(), observed.double()
    predicted = predicted - predicted.mean(0)
    observed = observed - observed.mean(0)
    size, guess = torch.linalg.vector_norm(observed, dim=0), torch.linalg.vector_norm(predicted, dim=0)
    covariance = (predicted * observed).sum(0)
    r = covariance / (size * guess).clamp(min=1e-300)
    r = torch.where(guess > 0, r, torch.zeros_like(r))
    return torch.where(size > 0, r, torch.full_like(r, torch.nan))
