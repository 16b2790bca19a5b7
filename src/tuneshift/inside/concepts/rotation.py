"""How far two sets of directions are turned against each other (methods, section 6; a measure of this project)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from tuneshift.numerics.threads import one_thread

_N_RANDOM = 20
_SMALL = 512


@dataclass(frozen=True)
class Rotation:
    """How far k directions are turned, in degrees.

    `principal` (..., k) are the principal angles between the subspaces, which do not care how directions within them
    mix; `matched` (..., k) the angles between directions matched one to one, which do.
    """

    principal: np.ndarray
    matched: np.ndarray

    def summaries(self) -> dict[tuple[str, str], np.ndarray]:
        """Return (...,) by metric and its name: mean and largest principal angle, mean angle of matched components."""
        return {
            ("rotation_deg", "mean principal angle"): self.principal.mean(axis=-1),
            ("rotation_largest_deg", "largest principal angle"): self.principal.max(axis=-1),
            ("rotation_matched_deg", "matched components"): self.matched.mean(axis=-1),
        }


def principal_angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the principal angles in degrees (k,) between two subspaces, smallest first.

    `first` and `second` (k, d) hold linearly independent rows. Angles up to 45 degrees come from their sines and larger
    ones from their cosines, so that equal subspaces give 0 and not the square root of the rounding error (Björck &
    Golub 1973).
    """
    with one_thread(first.shape[1] <= _SMALL):
        a, b = (_orthonormal(rows) for rows in (first, second))
        inner = a @ b.T
        cosines = torch.linalg.svdvals(inner).clamp(0, 1)
        sines = torch.linalg.svdvals(b - inner.T @ a).flip(0).clamp(0, 1)
    angles: np.ndarray = torch.where(cosines**2 > 0.5, torch.arcsin(sines), torch.arccos(cosines)).numpy()
    return np.degrees(angles)


def matched_components(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Match each component of `first` (k, d) with one of `second`, so that the sum of |cosine| is largest.

    Returns (places in `second` (k,), angle in degrees between the lines of each pair (k,)).
    """
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (_exact(first), _exact(second)))
    cosines = a @ b.T
    rows, columns = linear_sum_assignment(np.abs(cosines), maximize=True)
    signs = np.where(cosines[rows, columns] < 0, -1.0, 1.0)[:, None]
    apart = np.linalg.norm(a - signs * b[columns], axis=1)  # the cosine would lose angles below a hundredth of a degree
    return columns, np.degrees(2 * np.arcsin(np.clip(apart / 2, 0, 1)))


@cache
def random_rotation(k: int, d: int, seed: int = 0) -> Rotation:
    """Return what base and tuned layer would show if tuning had left nothing of the base: 20 draws, (20, k) each.

    A uniformly random rotation takes any k directions to uniformly random ones, so that the answer depends on k and d
    only.
    """
    generator = np.random.default_rng(seed)
    fixed = np.eye(k, d)
    draws = [_orthonormal(generator.standard_normal((k, d))).numpy() for _ in range(_N_RANDOM)]
    return Rotation(
        np.stack([principal_angles(fixed, draw) for draw in draws]),
        np.stack([matched_components(fixed, draw)[1] for draw in draws]),
    )


def _exact(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float64)


def _orthonormal(rows: np.ndarray) -> torch.Tensor:
    """Return an orthonormal basis of the rows' span, in float64: float32 leaves errors of 1e-6 in the angles."""
    return torch.linalg.qr(torch.from_numpy(rows.astype(np.float64)).T)[0].T
