"""Ridge regression whose bands of features (a model's, the text's surface) each have a penalty of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch

from tuneshift.numerics.ridge import RidgeSolver, column_blocks, standardised
from tuneshift.numerics.spectrum import products
from tuneshift.numerics.splits import Fold, inner_folds

PENALTIES = np.logspace(-4, 4, 17)
"""Penalties of kernels whose mean diagonal is one."""

_EXPONENTS = (-np.inf, -3.0, -2.0, -1.0, 0.0)


def band_shares(n_bands: int) -> np.ndarray:
    """Return the mixtures of bands that are tried (n_mixtures, n_bands): each band off, or a power of ten below 1."""
    grid = np.array(list(product(_EXPONENTS, repeat=n_bands)))
    return np.asarray(10.0 ** grid[grid.max(axis=1) == 0])


def banded_predictions(
    bands: Sequence[np.ndarray],
    Y: np.ndarray,
    fold: Fold,
    *,
    inner: Sequence[Fold] | None = None,
    shares: np.ndarray | None = None,
    penalties: np.ndarray = PENALTIES,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return predictions (n_test, v) of one fold from bands of features, each (n, d_b), and responses (n, v)."""
    train, test = fold
    sides = [(band[train], band[test]) for band in bands]
    return banded(sides, Y[train], inner=inner, shares=shares, penalties=penalties, device=device)


def banded(
    bands: Sequence[tuple[np.ndarray, np.ndarray]],
    responses: np.ndarray,
    *,
    inner: Sequence[Fold] | None = None,
    shares: np.ndarray | None = None,
    penalties: np.ndarray = PENALTIES,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return predictions (n_test, v) from bands of training (n, d_b) and test features, and training responses (n, v).

    Banded ridge (Nunez-Elizalde et al. 2019; Dupre la Tour et al. 2022): for each target, the mixture of bands (a row
    of `shares`, by default `band_shares`) and the penalty with the smallest error on training stimuli left out in
    parts: `inner`, row numbers within them, by default five blocks. Every band is standardised by the training
    stimuli, and scaled so that its units count as one together: 4,096 units and 4 nuisance features start equal.
    Products of units are decomposed where there are fewer units than stimuli, else products of stimuli, which bands
    only have to add up.
    """
    shares = band_shares(len(bands)) if shares is None else shares
    inner = inner_folds(len(responses)) if inner is None else inner
    solver_of = _mixer([_scaled(*standardised(*band, device)) for band in bands], inner, penalties)
    n_targets = responses.shape[1]
    best = torch.full((n_targets,), torch.inf, dtype=torch.float64, device=device)
    out = np.zeros((len(bands[0][1]), n_targets))
    for mixture in shares:
        solver = solver_of(mixture)
        for block in column_blocks(n_targets, solver.block):
            found = solver.solve(responses[:, block])
            better = found.error < best[block]
            best[block] = torch.where(better, found.error, best[block])
            columns = np.arange(n_targets)[block][better.cpu().numpy()]
            out[:, columns] = (found.predicted + found.mean)[:, better].cpu().numpy()
    return out


def _scaled(seen: torch.Tensor, held_out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale a band so that the mean square of a training stimulus is one."""
    size = seen.square().sum(1).mean().clamp(min=1e-12).sqrt()
    return seen / size, held_out / size


def _mixer(
    bands: Sequence[tuple[torch.Tensor, torch.Tensor]], inner: Sequence[Fold], penalties: np.ndarray
) -> Callable[[np.ndarray], RidgeSolver]:
    """Return how a mixture of bands is prepared; what does not depend on the mixture is computed once."""
    n_units = sum(seen.shape[1] for seen, _ in bands)
    if len(bands[0][0]) > n_units:
        weights = [seen.new_ones(seen.shape[1]) for seen, _ in bands]
        whole = [torch.cat(sides, dim=1) for sides in zip(*bands, strict=True)]

        def of_units(mixture: np.ndarray) -> RidgeSolver:
            each = torch.cat([float(share) ** 0.5 * ones for share, ones in zip(mixture, weights, strict=True)])
            return RidgeSolver.of_standardised(whole[0] * each, whole[1] * each, inner, penalties)

        return of_units
    kernels = [products(*band) for band in bands]

    def of_stimuli(mixture: np.ndarray) -> RidgeSolver:
        gram, cross = (
            sum(float(share) * kernel[side] for share, kernel in zip(mixture, kernels, strict=True)) for side in (0, 1)
        )
        return RidgeSolver.of_products(gram, cross, n_units, inner, penalties)  # type: ignore[arg-type]

    return of_stimuli


def explained_variance(predicted: np.ndarray, observed: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return held-out R2 (v,): one minus squared error over squared distance from `centre`, the training mean (v,)."""
    left = ((observed - predicted) ** 2).sum(axis=0)
    total = ((observed - centre) ** 2).sum(axis=0)
    return np.asarray(1 - left / np.where(total > 0, total, np.nan))
