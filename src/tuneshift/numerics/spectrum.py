"""The singular value decomposition of features, from the smaller of their two products with themselves."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tuneshift.numerics.threads import one_thread

_SMALL_MATRIX = 1_000  # rows up to which a second thread does not speed up a decomposition
_ROWS = 2_048  # rows, or units, that are held in float64 at once
_ZERO = 1e-11  # squared singular values below this share of the largest are rounding


@dataclass(frozen=True)
class Spectrum:
    """Centred training features X = U S V' of one fit, and its test features in the same basis.

    `values` (r,) are the squared singular values and `vectors` (n, r) is U, in float64; `test_basis` (n_test, r) is
    X_test V S, in float32: ridge with penalty a predicts test_basis @ (U'y / (values + a)), beyond the mean of y.
    """

    values: torch.Tensor
    vectors: torch.Tensor
    test_basis: torch.Tensor

    @property
    def full(self) -> bool:
        """Whether the features can fit any training responses exactly (the intercept takes one dimension)."""
        return len(self.values) == len(self.vectors) - 1


def spectrum(seen: torch.Tensor, held_out: torch.Tensor) -> Spectrum:
    """Decompose training features (n, d), already centred, by the smaller side: d x d where n > d, else n x n."""
    if len(seen) > seen.shape[1]:
        return primal(seen, held_out)
    return dual(*products(seen, held_out), seen.shape[1])


def products(seen: torch.Tensor, held_out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return products among training stimuli (n, n), and of test stimuli with them (n_test, n), in float64."""
    gram = seen.new_zeros((len(seen), len(seen)), dtype=torch.float64)
    cross = seen.new_zeros((len(held_out), len(seen)), dtype=torch.float64)
    for start in range(0, seen.shape[1], _ROWS):
        units = seen[:, start : start + _ROWS].double()
        gram.addmm_(units, units.T)
        cross.addmm_(held_out[:, start : start + _ROWS].double(), units.T)
    return gram, cross


def moments(seen: torch.Tensor) -> torch.Tensor:
    """Return the products among units (d, d), summed over stimuli, in float64."""
    total = seen.new_zeros((seen.shape[1], seen.shape[1]), dtype=torch.float64)
    for start in range(0, len(seen), _ROWS):
        rows = seen[start : start + _ROWS].double()
        total.addmm_(rows.T, rows)
    return total


def dual(gram: torch.Tensor, cross: torch.Tensor, rank: int) -> Spectrum:
    """Decompose by the products of stimuli: `gram` (n, n), `cross` (n_test, n), of at most `rank` features."""
    n = len(gram)
    values, vectors = _eigen(gram)
    # Centred features span n - 1 dimensions at most: the vector of ones is the intercept's.
    rank = min(n - 1, rank, _n_above_rounding(values))
    values, vectors = values[n - rank :], vectors[:, n - rank :]
    return Spectrum(values, vectors, (cross.double() @ vectors).float())


def primal(seen: torch.Tensor, held_out: torch.Tensor, total: torch.Tensor | None = None) -> Spectrum:
    """Decompose by the products of units; `total` (d, d) are those of the training features, where they are known."""
    values, vectors = _eigen(moments(seen) if total is None else total)
    rank = min(len(seen) - 1, _n_above_rounding(values))
    values, vectors = values[len(values) - rank :], vectors[:, vectors.shape[1] - rank :]
    size = values.sqrt()
    return Spectrum(values, _rotated(seen, vectors / size), (_rotated(held_out, vectors * size)).float())


def _eigen(symmetric: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvalues, ascending, and vectors, in float64: the small ones decide how small penalties act."""
    with one_thread(len(symmetric) <= _SMALL_MATRIX):
        values, vectors = torch.linalg.eigh(symmetric.double())
    return values, vectors


def _n_above_rounding(values: torch.Tensor) -> int:
    return int((values > values[-1].clamp(min=1e-12) * _ZERO).sum()) if len(values) else 0


def _rotated(rows: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return rows (n, d) in float32 times a basis (d, r), in float64."""
    return torch.cat([rows[start : start + _ROWS].double() @ basis for start in range(0, max(len(rows), 1), _ROWS)])
