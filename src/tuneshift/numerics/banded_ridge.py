"""Ridge regression whose bands of features (a model's, the text's surface) each have a penalty of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch

from tuneshift.numerics.ridge import RidgeSolver, standardised, target_blocks
from tuneshift.numerics.splits import Fold

PENALTIES = np.logspace(-5, 5, 21)
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
    shares: np.ndarray | None = None,
    penalties: np.ndarray = PENALTIES,
) -> np.ndarray:
    """Return predictions (n_test, v) from bands of features, each (n, d_b), and responses (n, v).

    Banded ridge (Nunez-Elizalde et al. 2019; Dupre la Tour et al. 2022): for each target, the mixture of bands (a row
    of `shares`, by default `band_shares`) and the penalty with the smallest leave-one-out error on the training
    stimuli. Every band is standardised by the training stimuli, and scaled so that its units count as one together:
    4,096 units and 4 nuisance features start equal.
    """
    train, test = fold
    shares = band_shares(len(bands)) if shares is None else shares
    grams, crosses = [], []
    for band in bands:
        seen, held_out = standardised(band, fold)
        gram = seen @ seen.T
        size = gram.diagonal().mean().clamp(min=1e-12)
        grams.append(gram / size)
        crosses.append(held_out @ seen.T / size)
    rank = sum(band.shape[1] for band in bands)
    blocks = list(target_blocks(Y.shape[1]))
    best = [torch.full((Y[:1, block].shape[1],), torch.inf) for block in blocks]
    out = np.zeros((len(test), Y.shape[1]))
    for mixture in shares:
        gram, cross = (
            sum((float(share) * part for share, part in zip(mixture, parts, strict=True)), torch.zeros(()))
            for parts in (grams, crosses)
        )
        solver = RidgeSolver(gram, cross, rank, penalties)
        for number, block in enumerate(blocks):
            predicted, mean, _, error = solver.solve(Y[train, block])
            better = error < best[number]
            best[number][better] = error[better]
            columns = np.arange(Y.shape[1])[block][better.numpy()]
            out[:, columns] = (predicted[:, better].double() + mean[better].double()).numpy()
    return out


def explained_variance(predicted: np.ndarray, observed: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return held-out R2 (v,): one minus squared error over squared distance from `centre`, the training mean (v,)."""
    left = ((observed - predicted) ** 2).sum(axis=0)
    total = ((observed - centre) ** 2).sum(axis=0)
    return np.asarray(1 - left / np.where(total > 0, total, np.nan))
