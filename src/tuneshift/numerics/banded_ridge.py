"""Ridge regression whose bands of features (a model's, the text's surface) each have a penalty of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch

from tuneshift.numerics.ridge import RidgeSolver, column_blocks, standardised
from tuneshift.numerics.splits import Fold, contiguous

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
) -> np.ndarray:
    """Return predictions (n_test, v) from bands of features, each (n, d_b), and responses (n, v).

    Banded ridge (Nunez-Elizalde et al. 2019; Dupre la Tour et al. 2022): for each target, the mixture of bands (a row
    of `shares`, by default `band_shares`) and the penalty with the smallest error on the `inner` folds: rows of X,
    from the fold's training stimuli only; by default four blocks of them. (Leaving out one stimulus at a time would
    choose far too small a penalty where neighbours resemble each other.) Every band is standardised by the training
    stimuli, and scaled so that its units count as one together: 4,096 units and 4 nuisance features start equal.
    """
    train, test = fold
    shares = band_shares(len(bands)) if shares is None else shares
    place = {int(row): number for number, row in enumerate(train)}
    inner = [(train[a], train[b]) for a, b in contiguous(len(train), 4)] if inner is None else inner
    within = [tuple(np.array([place[int(row)] for row in rows]) for rows in both) for both in inner]
    kernels = [_kernels(band, fold) for band in bands]
    rank = sum(band.shape[1] for band in bands)
    responses = Y[train]
    best = torch.full((Y.shape[1],), torch.inf)
    out = np.zeros((len(test), Y.shape[1]))
    for mixture in shares:
        gram, cross = (_mixed(mixture, parts) for parts in zip(*kernels, strict=True))
        solver = RidgeSolver(gram, cross, rank, penalties)
        solvers = [(RidgeSolver(*_recentred(gram, a, b), rank, penalties), a, b) for a, b in within]
        for block in column_blocks(Y.shape[1], 2048):
            errors = [each.errors(responses[a, block], responses[b, block]) for each, a, b in solvers]
            error, chosen = torch.stack(errors).sum(0).min(0)
            better = error < best[block]
            if not better.any():
                continue
            best[block] = torch.where(better, error, best[block])
            columns = np.arange(Y.shape[1])[block][better.numpy()]
            out[:, columns] = solver.with_penalties(responses[:, columns], chosen[better]).numpy()
    return out


def _kernels(band: np.ndarray, fold: Fold) -> tuple[torch.Tensor, torch.Tensor]:
    """Products among training stimuli, and of the test stimuli with them; the mean square of a stimulus is one."""
    seen, held_out = standardised(band, fold)
    gram = seen @ seen.T
    size = gram.diagonal().mean().clamp(min=1e-12)
    return gram / size, held_out @ seen.T / size


def _mixed(mixture: np.ndarray, kernels: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([float(share) * kernel for share, kernel in zip(mixture, kernels, strict=True)]).sum(0)


def _recentred(gram: torch.Tensor, train: np.ndarray, test: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Kernels of a part of the stimuli whose features are centred on the mean of that part's training stimuli."""
    own, cross = gram[train][:, train], gram[test][:, train]
    mean = own.mean(0)
    return own - mean - mean[:, None] + mean.mean(), cross - cross.mean(1, keepdim=True) - mean + mean.mean()


def explained_variance(predicted: np.ndarray, observed: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return held-out R2 (v,): one minus squared error over squared distance from `centre`, the training mean (v,)."""
    left = ((observed - predicted) ** 2).sum(axis=0)
    total = ((observed - centre) ** 2).sum(axis=0)
    return np.asarray(1 - left / np.where(total > 0, total, np.nan))
