"""How far each penalty misses training stimuli that are left out: in closed form, or fitted again in few dimensions.

Both give, for targets (m, n) of centred responses, the sum of squares over all stimuli left out, one after the other
part. Which is quicker depends on the shape, and only on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from tuneshift.numerics.foretelling import ROUNDING, OfRefits, OfSteps, landmark_weights
from tuneshift.numerics.spectrum import Spectrum, moments, primal
from tuneshift.numerics.splits import Fold


class Errors(Protocol):
    """The sums of squares (m,) of one penalty for some targets (their numbers; None: all)."""

    def __call__(self, index: int, rows: torch.Tensor | None, precisely: bool = False) -> torch.Tensor:
        """Compute in float32, or `precisely` in float64, in which penalties that hardly differ can be told apart."""
        ...


_MOST_BYTES = 2**27  # of matrices that are kept to save a step
_TIMES_AS_MANY = 6  # targets than stimuli, from which limits in closed form are worth their cost


@dataclass(frozen=True)
class Targets:
    """Centred `responses` (n, v), and the same in the basis of all training stimuli, `projected` (v, r)."""

    responses: torch.Tensor
    projected: torch.Tensor


class ClosedForm:
    """One decomposition of all training stimuli: e_S = (I - H_SS)^-1 r_S for the rows S of a part and its gap.

    H is the hat matrix of a penalty, intercept included, and r the training residuals; of e_S the rows of the part
    count, those of its gap do not (leaving out one row at a time is the case that textbooks give). For features that
    can fit any responses, as those of more units than stimuli do: then I - H = U W U', with the basis U and what the
    penalty leaves of each dimension, W; nothing cancels for small penalties, and a common factor of W drops out.
    """

    def __init__(self, found: Spectrum, inner: Sequence[Fold], alphas: torch.Tensor) -> None:
        left = alphas / (found.values[:, None] + alphas)  # (r, n_alphas)
        self.left = left / left.amax(0)
        self.found, self.alphas = found, alphas
        self._foretelling: OfSteps | None = None
        self.parts = [_rows(fold, len(found.vectors), found.vectors.device) for fold in inner]
        self.fused = (
            8 * found.vectors.numel() * len(alphas) <= _MOST_BYTES
        )  # two steps in one product, if there is room
        precise = [self._steps(index) for index in range(len(alphas))]
        self.precise = precise if self.fused else None
        self.steps = [[step.float() for step in steps] for steps in precise]

    def _steps(self, index: int) -> list[torch.Tensor]:
        """From the basis to what is left out, in float64: training residuals (r, n), then part by part (|S|, m)."""
        basis, column = self.found.vectors, self.left[:, index]
        residuals = (basis * column).T
        inverses = [
            torch.linalg.inv((basis[rows] * column) @ basis[rows].T)[counted].T.contiguous()
            for rows, counted in self.parts
        ]
        if not self.fused:
            return [residuals.contiguous(), *inverses]
        both = zip(self.parts, inverses, strict=True)
        return [torch.cat([residuals[:, rows] @ inverse for (rows, _), inverse in both], dim=1)]

    def errors(self, given: Targets) -> Errors:
        """Return how to compute the sum of squares of a penalty for some targets."""

        def of(index: int, rows: torch.Tensor | None, precisely: bool = False) -> torch.Tensor:
            projected, steps = _some(given.projected, rows), self.steps[index]
            if precisely:
                projected = projected.double()
                steps = self._steps(index) if self.precise is None else self.precise[index]
            residual = projected @ steps[0]
            if self.fused:
                return _squares(residual)
            each = zip(self.parts, steps[1:], strict=True)
            return torch.stack([_squares(residual[:, held] @ inverse) for (held, _), inverse in each]).sum(0)

        return of

    def worth_foretelling(self, n_targets: int) -> bool:
        """Whether the limits, a product of n x n x n a penalty and more, cost less than they save."""
        return n_targets > _TIMES_AS_MANY * len(self.found.vectors)

    def limits(self, given: Targets, known: Sequence[int], computed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return estimates (v, n_alphas) of all errors and what they can be off by, from those `computed` (v, known).

        `known` are the same penalties in every call.
        """
        if self._foretelling is None:
            self._foretelling = OfSteps([self._whole(steps) for steps in self.steps], known)
        return self._foretelling.limits(given.projected, computed)

    def _whole(self, steps: list[torch.Tensor]) -> torch.Tensor:
        if self.fused:
            return steps[0]
        each = zip(self.parts, steps[1:], strict=True)
        return torch.cat([steps[0][:, rows] @ inverse for (rows, _), inverse in each], dim=1)


class Refits:
    """Every part's fit anew, in d dimensions: for n > d, where the closed form's matrices would be the larger ones.

    `seen` (n, d) are centred, and `total` (d, d) the products of their units.
    """

    def __init__(
        self, seen: torch.Tensor, total: torch.Tensor, found: Spectrum, inner: Sequence[Fold], alphas: torch.Tensor
    ) -> None:
        self.values, self.alphas = found.values, alphas
        self._foretelling: list[OfRefits] | None = None
        self.parts = [self._fit(seen, total, fold) for fold in inner]

    def _fit(
        self, seen: torch.Tensor, total: torch.Tensor, fold: Fold
    ) -> tuple[torch.Tensor, torch.Tensor, Spectrum, torch.Tensor]:
        kept, part = (torch.as_tensor(rows, device=seen.device) for rows in fold)
        mean = seen[kept].double().mean(0)
        centred = total - moments(seen[_others(kept, len(seen))]) - len(kept) * torch.outer(mean, mean)
        fit = primal((seen[kept].double() - mean).float(), (seen[part].double() - mean).float(), centred)
        shrink = 1 / (fit.values[:, None] + self.alphas)
        return kept, part, Spectrum(fit.values, fit.vectors.float(), fit.test_basis.T.contiguous()), shrink

    def errors(self, given: Targets) -> Errors:
        """Return how to compute the sum of squares of a penalty for some targets."""
        parts = self._sides(given)

        def of(index: int, rows: torch.Tensor | None, precisely: bool = False) -> torch.Tensor:
            total = torch.zeros((), dtype=torch.float64, device=self.alphas.device)
            for (projected, held), (_, _, fit, shrink) in zip(parts, self.parts, strict=True):
                kind = torch.float64 if precisely else torch.float32
                step = fit.test_basis.to(kind) * shrink[:, index, None].to(kind)
                sides = [_some(side, rows).to(kind) for side in (held, projected)]
                total = total + _squares(torch.addmm(sides[0], sides[1], step, alpha=-1))
            return total

        return of

    def worth_foretelling(self, n_targets: int) -> bool:
        """Whether the limits, a product of n x d x v and a few of d x d x d a part, cost less than they save."""
        return n_targets > len(self.values)

    def limits(self, given: Targets, known: Sequence[int], computed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return estimates (v, n_alphas) of all errors and what they can be off by, from those `computed` (v, known).

        `known` are the same penalties in every call.
        """
        weights = landmark_weights(self.values, self.alphas, known)
        if self._foretelling is None:
            self._foretelling = [
                OfRefits(fit.test_basis.T, fit.values, self.alphas, known, weights) for _, _, fit, _ in self.parts
            ]
        estimate, doubt = computed @ weights, ROUNDING * (computed @ weights.abs())
        for foretelling, (projected, held) in zip(self._foretelling, self._sides(given), strict=True):
            more, limit = foretelling.limits(projected, held)
            estimate, doubt = estimate + more, doubt + limit
        return estimate, doubt

    def _sides(self, given: Targets) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Part by part the targets in the basis of the fit (v, r), and those left out (v, |S|)."""
        sides = []
        for kept, part, fit, _ in self.parts:
            mine = given.responses[kept]
            mean = mine.mean(0)
            sides.append(((mine - mean).T @ fit.vectors, (given.responses[part] - mean).T.contiguous()))
        return sides


def without_features(responses: torch.Tensor, inner: Sequence[Fold]) -> torch.Tensor:
    """Return the sums of squares (v,) by which the mean of the other stimuli misses responses (n, v) left out."""
    total = torch.zeros(responses.shape[1], dtype=torch.float64, device=responses.device)
    for fold in inner:
        kept, part = (torch.as_tensor(rows, device=responses.device) for rows in fold)
        total += (responses[part] - responses[kept].mean(0)).square().sum(0)
    return total


def _rows(fold: Fold, n: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows S that are not kept, ascending, and which of them belong to the part (the others are its gap)."""
    kept, part = (torch.as_tensor(rows, device=device) for rows in fold)
    rows = _others(kept, n)
    return rows, torch.searchsorted(rows, part)


def _others(kept: torch.Tensor, n: int) -> torch.Tensor:
    """The rows out of n that are not kept, ascending."""
    out = torch.ones(n, dtype=torch.bool, device=kept.device)
    out[kept] = False
    return out.nonzero()[:, 0]


def _squares(residuals: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(residuals, dim=1).double().square()


def _some(values: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
    return values if rows is None else values[rows]
