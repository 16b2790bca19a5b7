"""Ridge regression for many targets at once, with a penalty for each target chosen within the training stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tuneshift.errors import BadInput
from tuneshift.numerics.splits import Fold, grouped
from tuneshift.numerics.threads import one_thread

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
    train, test = fold
    solver = RidgeSolver.of_features(X, fold, alphas, device)
    scores = []
    for block in column_blocks(Y.shape[1]):
        predicted, _, _ = solver.predict(Y[train, block])
        scores.append(pearson(predicted, torch.as_tensor(Y[test, block], device=solver.device)).cpu().numpy())
    return np.concatenate(scores)


def fold_predictions(
    X: np.ndarray, Y: np.ndarray, fold: Fold, *, alphas: np.ndarray = ALPHAS, device: str | torch.device = "cpu"
) -> RidgePredictions:
    """Return the predictions for the test stimuli of one fold and the penalties chosen; see `ridge_predictivity`."""
    train, _ = fold
    solver = RidgeSolver.of_features(X, fold, alphas, device)
    parts = [solver.predict(Y[train, block]) for block in column_blocks(Y.shape[1])]
    return RidgePredictions(
        np.concatenate([(values.double() + mean.double()).cpu().numpy() for values, mean, _ in parts], axis=1),
        np.concatenate([chosen.cpu().numpy() for _, _, chosen in parts]),
    )


def column_blocks(n_targets: int, size: int = _BLOCK) -> Iterator[slice]:
    """Cut targets into blocks that are worked on at once, so that memory does not grow with their number."""
    for start in range(0, max(n_targets, 1), size):
        yield slice(start, start + size)


def standardised(X: np.ndarray, fold: Fold, device: str | torch.device = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Return training and test features in float32, standardised by the training stimuli; a constant unit is all 0."""
    features = torch.as_tensor(X, device=device, dtype=torch.float32)
    seen, held_out = features[fold[0]], features[fold[1]]
    mean = seen.mean(0)
    spread = seen.std(0, correction=0)
    spread = torch.where(spread > 1e-6 * mean.abs().clamp(min=1e-12), spread, torch.inf)
    return (seen - mean) / spread, (held_out - mean) / spread


class RidgeSolver:
    """What all targets of one fold share: the eigenvectors of the Gram matrix, and the test stimuli in their basis.

    `gram` (n_train, n_train) and `cross` (n_test, n_train) are the products of centred features among the training
    stimuli, and of the test stimuli with them, `rank` the number of features.
    """

    def __init__(self, gram: torch.Tensor, cross: torch.Tensor, rank: int, alphas: np.ndarray) -> None:
        n_train = len(gram)
        self.device = gram.device
        with one_thread(n_train <= _SMALL_MATRIX):
            # In float64: the small eigenvalues decide how small penalties act.
            values, vectors = torch.linalg.eigh(gram.double())
        # Centred features span n - 1 dimensions at most: the vector of ones is the intercept's.
        rank = int(min(n_train - 1, rank, int((values > values[-1].clamp(min=1e-12) * 1e-9).sum())))
        values, vectors = values[n_train - rank :], vectors[:, n_train - rank :]
        self.values, self.vectors = values.float(), vectors.float()
        self.full = rank == n_train - 1  # the features can fit the training responses exactly
        self.test_basis = cross @ self.vectors  # (n_test, rank)
        self.alphas = torch.as_tensor(alphas, device=self.device, dtype=torch.float32)
        # What a penalty leaves of each dimension, and of each training stimulus: one minus its leverage. Written so
        # that nothing cancels when the penalty is small; both times the same factor, so that nothing vanishes either.
        left = self.alphas.double() / (values[:, None] + self.alphas.double())  # (rank, n_alphas)
        squares = vectors.square()
        outside = 0 if self.full else 1 - 1 / n_train - squares.sum(1, keepdim=True)
        scale = left.amax(0) if self.full and rank else torch.ones_like(self.alphas).double()
        self.left = (left / scale).float()
        self.weights = (scale / (outside + squares @ left)).square().float()  # (n_train, n_alphas)

    @classmethod
    def of_features(
        cls, X: np.ndarray, fold: Fold, alphas: np.ndarray = ALPHAS, device: str | torch.device = "cpu"
    ) -> RidgeSolver:
        """Prepare features (n, d), standardised by the training stimuli of the fold."""
        with one_thread(len(fold[0]) ** 2 * X.shape[1] <= _SMALL_WORK):
            seen, held_out = standardised(X, fold, device)
            return cls(seen @ seen.T, held_out @ seen.T, X.shape[1], alphas)

    def predict(self, Y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return, given training responses (n_train, v), what is predicted, beyond the mean, for the test stimuli.

        Beside it (n_test, v), the mean (v,) and the penalty chosen (v,).
        """
        predicted, mean, chosen, _ = self.solve(Y)
        return predicted, mean, self.alphas[chosen]

    def solve(self, Y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return predictions and mean as `predict` does, the penalty's index, and its leave-one-out error (v,)."""
        responses, mean = self._centred(Y)
        with one_thread(len(Y) ** 2 * Y.shape[1] <= _SMALL_WORK / 4):
            projected = responses.T @ self.vectors  # (v, rank)
            rest = None if self.full else responses.T - projected @ self.vectors.T
            chosen, error = _BestPenalty(self, projected, rest).search()
            return self._predicted(projected, chosen), mean, chosen, error

    def with_penalties(self, Y: np.ndarray, chosen: torch.Tensor) -> torch.Tensor:
        """Return predictions (n_test, v) in float64, the mean included, with these penalties' indices (v,)."""
        responses, mean = self._centred(Y)
        return self._predicted(responses.T @ self.vectors, chosen).double() + mean.double()

    def errors(self, Y: np.ndarray, Y_test: np.ndarray) -> torch.Tensor:
        """Return the sum of squares (n_alphas, v) by which each penalty misses the test responses (n_test, v)."""
        responses, mean = self._centred(Y)
        projected = responses.T @ self.vectors
        target = (torch.as_tensor(Y_test, device=self.device) - mean).float()
        index = torch.arange(len(self.alphas), device=self.device)
        return torch.stack([(self._predicted(projected, i) - target).square().sum(0) for i in index])

    def _centred(self, Y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        responses = torch.as_tensor(Y, device=self.device)
        mean = responses.mean(0)
        return (responses - mean).float(), mean  # in this order: a large mean would cost digits

    def _predicted(self, projected: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        weights = projected / (self.values + self.alphas[chosen].reshape(-1, 1))
        return self.test_basis @ weights.T


class _BestPenalty:
    """For each target the penalty with the smallest leave-one-out sum of squares, as if all had been computed.

    The sum of squares of penalty a is E_a = sum_i d_ia r_ia^2: training residuals r_a, weighted by leverage. Exactly
    it costs a matrix product. Norms of residuals, and products between those of two penalties, cost next to nothing
    in the basis of eigenvectors. So once r_b is known, r_a = k r_b + e with e at right angles to r_b, and
    E_a = k^2 sum_i d_ia r_ib^2 + m_a (|r_a|^2 - k^2 |r_b|^2) to within h_a |e| |r_a + k r_b|, where d_a lies between
    m_a - h_a and m_a + h_a. A penalty whose lower limit is above a sum that was found is out.
    """

    def __init__(self, solver: RidgeSolver, projected: torch.Tensor, rest: torch.Tensor | None) -> None:
        self.solver, self.projected, self.rest = solver, projected, rest
        self.squares = projected.square()
        self.outside = 0.0 if rest is None else rest.square().sum(1, keepdim=True)
        self.training = self._products(self.squares, slice(None), solver.left)  # |r_a|^2 (v, n_alphas)
        weights = solver.weights.double()
        self.middle = (weights.amax(0) + weights.amin(0)) / 2
        self.reach = (weights.amax(0) - weights.amin(0)) / 2

    def _products(self, squares: torch.Tensor, rows: torch.Tensor | slice, left: torch.Tensor) -> torch.Tensor:
        outside = self.outside if isinstance(self.outside, float) else self.outside[rows]
        return (squares @ (left * self.solver.left) + outside).double()

    def search(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the penalty's index (v,) and its leave-one-out sum of squares (v,)."""
        n_targets, n_alphas = self.training.shape
        if n_targets * n_alphas * self.solver.vectors.numel() <= _SMALL_WORK:
            return self._compared()
        error = torch.full((n_targets,), torch.inf, dtype=torch.float64, device=self.training.device)
        chosen = torch.zeros(n_targets, dtype=torch.long, device=self.training.device)
        lower = self.training * (self.middle - self.reach)
        likely = self.training * self.solver.weights.double().mean(0)
        open_rows = torch.arange(n_targets, device=chosen.device)
        for _ in range(n_alphas):
            asked = likely[open_rows].argmin(1)
            for index in range(n_alphas):
                rows = open_rows[asked == index]
                if not len(rows):
                    continue
                exact, estimate, doubt = self._from_reference(index, rows)
                better = exact < error[rows]
                chosen[rows[better]] = index
                error[rows[better]] = exact[better]
                lower[rows] = torch.maximum(lower[rows], estimate - doubt - 1e-5 * estimate.abs())
                likely[rows] = torch.where(likely[rows].isinf(), torch.inf, estimate)
                likely[rows, index] = torch.inf  # done
            likely.masked_fill_(lower >= error[:, None], torch.inf)
            open_rows = (~likely.isinf().all(1)).nonzero()[:, 0]
            if not len(open_rows):
                break
        return chosen, error.float()

    def _compared(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same by computing every penalty: with few targets, ruling out costs more than it saves."""
        sums = []
        for index in range(len(self.solver.alphas)):
            residual = self._residual(self.projected, self.rest, index)
            sums.append((residual.square_() @ self.solver.weights[:, index]).double())
        error, chosen = torch.stack(sums, dim=1).min(1)
        return chosen, error.float()

    def _residual(self, projected: torch.Tensor, rest: torch.Tensor | None, index: int) -> torch.Tensor:
        """Return the training residuals (m, n_train) that a penalty leaves, by the solver's scale."""
        residual = projected @ (self.solver.vectors * self.solver.left[:, index]).T
        return residual if rest is None else residual.add_(rest)

    def _from_reference(self, index: int, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the exact sum of one penalty (m,), and from it estimates of all, with what they may be off by."""
        every = len(rows) == len(self.projected)
        projected, squares = (x if every else x[rows] for x in (self.projected, self.squares))
        rest = self.rest if every or self.rest is None else self.rest[rows]
        residual = self._residual(projected, rest, index)
        weighted = (residual.square_() @ self.solver.weights).double()  # sum_i d_ia r_ib^2
        training = self.training[rows]
        own = training[:, index, None]
        common = self._products(squares, rows, self.solver.left[:, index, None])
        factor = common / own.clamp(min=1e-300)
        explained = factor * common
        apart = (training - explained).clamp(min=0) + 1e-6 * training  # |e|^2, and what float32 may have lost of it
        estimate = factor.square() * weighted + self.middle * (training - explained)
        doubt = self.reach * (apart * (4 * explained + apart)).sqrt()
        return weighted[:, index], estimate, doubt


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
