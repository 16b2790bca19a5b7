"""How far two sets of directions are turned against each other (methods, section 6; a measure of this project)."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from tuneshift.numerics.threads import one_thread

_N_RANDOM = 20
_SMALL = 512


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


@cache
def random_angles(k: int, d: int, seed: int = 0) -> np.ndarray:
    """Return the principal angles in degrees (20, k) of a k-dimensional subspace and randomly rotated copies of it.

    What base and tuned layer would show if tuning had left nothing of the base's subspace. A uniformly random rotation
    takes any subspace to a uniformly random one, so that the answer depends on k and d only.
    """
    generator = np.random.default_rng(seed)
    fixed = np.eye(k, d)
    return np.stack([principal_angles(fixed, generator.standard_normal((k, d))) for _ in range(_N_RANDOM)])


def matched_components(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Match each component of `first` (k, d) with one of `second`, so that the sum of |cosine| is largest.

    Returns (places in `second` (k,), |cosine| of each pair (k,)).
    """
    cosines = np.abs(first.astype(np.float64) @ second.astype(np.float64).T)
    rows, columns = linear_sum_assignment(cosines, maximize=True)
    return columns, np.minimum(cosines[rows, columns], 1.0)


def _orthonormal(rows: np.ndarray) -> torch.Tensor:
    """Return an orthonormal basis of the rows' span, in float64: float32 leaves errors of 1e-6 in the angles."""
    return torch.linalg.qr(torch.from_numpy(rows.astype(np.float64)).T)[0].T
