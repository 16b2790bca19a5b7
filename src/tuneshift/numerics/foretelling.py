"""What the errors of a few penalties say about the errors of all others, and how far from the truth it can be at most.

The error of a penalty is a quadratic form of a target. That of one penalty, less a sum of those of others with fixed
weights, is a quadratic form as well: its diagonal is computed exactly, which costs next to nothing, and what is left
is at most its largest eigenvalue times the size of the target. So the limits hold for every target, whatever the
others are. They say nothing of chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

ROUNDING = 1e-5  # of float32, relative to the sizes of what is added up
_FITTED = 4  # every fourth row of a form decides how penalties are weighted
_PLACES = (0.35, 0.65, 0.92)  # of the penalties from which others are foretold, in ascending order


def landmarks(alphas: torch.Tensor) -> list[int]:
    """Return which penalties are computed for every target: three, spread over the upper two thirds of them."""
    order = alphas.argsort().tolist()
    return [order[place] for place in sorted({round(share * (len(order) - 1)) for share in _PLACES})]


class OfSteps:
    """Limits for errors |M p|^2 of targets p (m, r), from the matrices M' (r, n) of all penalties, in float32."""

    def __init__(self, steps: Sequence[torch.Tensor], known: Sequence[int]) -> None:
        forms = [step @ step.T for step in steps]
        diagonals = torch.stack([form.diagonal().double() for form in forms], dim=1)  # (r, n_alphas)
        for form in forms:
            form.fill_diagonal_(0)
        scales = diagonals.clamp(min=1e-30).rsqrt().float()
        others = torch.stack([forms[index] for index in known])
        weights, sizes = [], []
        for index, (form, scale, size) in enumerate(zip(forms, scales.T, diagonals.T, strict=True)):
            some = slice(None, None, _FITTED)  # of the rows: whatever the weights are, the limits hold
            of_some = scale[some, None] * scale
            flat = torch.stack([(each[some] * of_some).flatten() for each in (form, *others)])
            products = (flat @ flat.T).double()
            weight = _least_squares(products[1:, 1:], products[1:, 0])
            left = form.clone()
            for w, other in zip(weight.tolist(), others, strict=True):
                left.sub_(other, alpha=w)
            left.mul_(scale).mul_(scale[:, None])
            limit = ROUNDING if index in known else 1.001 * largest_eigenvalue(left) + ROUNDING
            weights.append(weight)
            sizes.append(limit * size)
        self.weights = torch.stack(weights, dim=1)
        exact = diagonals - diagonals[:, list(known)] @ self.weights
        self.columns = torch.cat([exact, exact.abs(), torch.stack(sizes, dim=1)], dim=1).float()

    def limits(self, projected: torch.Tensor, computed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return estimates (m, n_alphas) and what they can be off by, from `computed` (m, n_known) errors."""
        diagonal, rounding, doubt = (projected.square() @ self.columns).double().chunk(3, dim=1)
        spread = rounding + computed @ self.weights.abs()
        return computed @ self.weights + diagonal, doubt + ROUNDING * spread


class OfRefits:
    """Limits for errors |h - B (c / (values + alpha))|^2 of one left-out part.

    `basis` B (n_test, r) are its features and `values` (r,) the squared singular values of the fit without it. The
    weights of penalties are those of `landmark_weights` for all parts, so that errors may be summed over parts.
    """

    def __init__(
        self,
        basis: torch.Tensor,
        values: torch.Tensor,
        alphas: torch.Tensor,
        known: Sequence[int],
        weights: torch.Tensor,
    ) -> None:
        self.basis, self.n_alphas = basis, len(alphas)
        shrink = 1 / (values[:, None] + alphas)  # (r, n_alphas)
        kept = values[:, None] * shrink
        white = basis / values.float()
        size = white.square().sum(0).double()
        largest = largest_eigenvalue(white.T @ white if len(white) > len(values) else white @ white.T, 3)
        # The off-diagonal part of a positive form lies between these two.
        off_diagonal = 1.001 * max(largest - float(size.min()), float(size.max()))
        quadratic, doubt = [], []
        for index in range(len(alphas)):
            columns = torch.cat([kept[:, [index]], kept[:, list(known)]], dim=1)
            signs = torch.cat([weights.new_ones(1), -weights[:, index]])
            orthogonal, triangle = torch.linalg.qr(columns)
            strength, turn = torch.linalg.eigh(triangle * signs @ triangle.T)
            doubt.append((orthogonal @ turn).square() @ strength.abs() * off_diagonal)
            quadratic.append(columns.square() @ signs * size)
        linear = -2 * (shrink - shrink[:, list(known)] @ weights)
        self.linear = torch.cat([linear, linear.abs()], dim=1).float()
        squares = torch.stack(quadratic, dim=1)
        self.squares = torch.cat([squares, squares.abs(), torch.stack(doubt, dim=1)], dim=1).float()
        self.rest = 1 - weights.sum(0)
        self.gap = (kept - kept[:, list(known)] @ weights).abs().amax(0)

    def limits(self, projected: torch.Tensor, held: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is to be added to the weighted sum of computed errors (m, n_alphas), and the limits of that."""
        cross = (held @ self.basis) * projected
        first, size_of_first = (
            (cross @ self.linear[:, : self.n_alphas]).double(),
            cross.abs() @ self.linear[:, self.n_alphas :],
        )
        square, size, doubt = (projected.square() @ self.squares).double().chunk(3, dim=1)
        whole = held.square().sum(1, dtype=torch.float64)[:, None]
        spread = size_of_first.double() + size + whole * (self.rest.abs() + self.gap)
        return first + square + whole * self.rest, doubt + ROUNDING * spread


def landmark_weights(values: torch.Tensor, alphas: torch.Tensor, known: Sequence[int]) -> torch.Tensor:
    """Return how errors of the known penalties are weighted to foretell each (n_known, n_alphas)."""
    kept = values[:, None] / (values[:, None] + alphas)
    products = (kept.T @ kept).square()
    known = list(known)
    return _least_squares(products[known][:, known], products[known])


def largest_eigenvalue(symmetric: torch.Tensor, squarings: int = 2) -> float:
    """Return what no eigenvalue of a matrix (n, n) exceeds in size: its Schatten norm of order 2^(squarings + 1)."""
    size = torch.linalg.matrix_norm(symmetric)
    if size == 0:
        return 0.0
    power, log = symmetric / size, size.double().log()
    for level in range(1, squarings + 1):
        power = power @ power
        size = torch.linalg.matrix_norm(power)
        power, log = power / size, log + size.double().log() / 2**level
    return float(log.exp())


def _least_squares(products: torch.Tensor, with_target: torch.Tensor) -> torch.Tensor:
    """Solve normal equations; penalties that say the same share their weight."""
    return torch.linalg.pinv(products, rtol=1e-10, hermitian=True) @ with_target


def _off_diagonal(form: torch.Tensor) -> torch.Tensor:
    form.fill_diagonal_(0)
    return form
