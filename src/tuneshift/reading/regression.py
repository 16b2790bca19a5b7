"""Ordinary least squares, and how much better surprisal makes it predict reading times it has not seen."""

from __future__ import annotations

import math

import numpy as np


def log_likelihood(y: np.ndarray, mean: np.ndarray, variance: float) -> np.ndarray:
    """Return the normal log density of each y (n,), in nats."""
    return -0.5 * (math.log(2 * math.pi * variance) + (y - mean) ** 2 / variance)


def fold_labels(documents: np.ndarray, sentences: np.ndarray, folds: int, seed: int) -> tuple[np.ndarray, str]:
    """Return the fold of each word (n_words,), and what is held out together: "story" or "sentence".

    Whole stories are held out where there are at least `folds` of them; else whole sentences. Groups are dealt to
    folds at random (`seed`), so that no fold is one stretch of the material.
    """
    unit = "story"
    groups = np.unique(documents, return_inverse=True)[1]
    if groups.max() + 1 < folds:
        unit = "sentence"
        groups = np.unique(groups * (int(sentences.max()) + 1) + sentences, return_inverse=True)[1]
    n_groups = int(groups.max()) + 1
    deal = np.random.default_rng(seed).permutation(n_groups) % min(folds, n_groups)
    return np.asarray(deal[groups]), unit


def held_out_log_likelihood(X: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the log-likelihood (n,), in nats, of each y under the regression fitted to the other folds.

    `X` (n, p) without an intercept, which is added. The variance is that of the training residuals (maximum
    likelihood, as in a regression's log-likelihood).
    """
    Z, _, _ = _standardised(X)
    names, numbers = np.unique(folds, return_inverse=True)
    parts = moments(Z, y - y.mean(), numbers, len(names))
    # What is left when a fold's sums are taken off is all that the other folds know: nothing is fitted twice.
    left = parts.sum(0) - parts
    out = np.empty(len(y))
    for fold, cross in enumerate(left):
        n, means = cross[0, 0], cross[0, 1:] / cross[0, 0]
        centred = cross[1:, 1:] - n * np.outer(means, means)
        slopes = _slopes(centred[:-1, :-1], centred[:-1, -1])
        variance = (centred[-1, -1] - slopes @ centred[:-1, -1]) / n
        test = numbers == fold
        mean = y.mean() + means[-1] + (Z[test] - means[:-1]) @ slopes
        out[test] = log_likelihood(y[test], mean, variance)
    return out


def fitted(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return coefficients (1 + p,), intercept first, and the residual variance (maximum likelihood).

    A constant column gets 0; columns that repeat each other share their effect.
    """
    Z, centre, scale = _standardised(X)
    slopes = _slopes(Z.T @ Z, Z.T @ (y - y.mean()))
    residual = y - y.mean() - Z @ slopes
    slopes = slopes / scale
    return np.concatenate([[y.mean() - centre @ slopes], slopes]), float(residual @ residual / len(y))


def _standardised(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return columns of mean 0 and deviation 1 (a constant one is 0), their means and scales."""
    centre, scale = X.mean(0), X.std(0)
    scale = np.where(scale > 1e-12 * np.maximum(1, np.abs(centre)), scale, np.inf)
    return (X - centre) / scale, centre, scale


def _slopes(gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Solve the normal equations of standardised columns; what repeats others is left to the shortest solution."""
    slopes: np.ndarray = np.linalg.lstsq(gram, cross, rcond=1e-11)[0]
    return slopes


def moments(X: np.ndarray, y: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Return each group's cross products (n_groups, p + 2, p + 2) of [1, X, y]: all that least squares needs."""
    M = np.column_stack([np.ones(len(y)), X, y])
    return np.stack([M[groups == g].T @ M[groups == g] for g in range(n_groups)])


def total_log_likelihood(cross_products: np.ndarray, columns: list[int]) -> float:
    """Return the maximised log-likelihood, in nats, of the regression of y on `columns` of X (intercept added).

    `cross_products` (p + 2, p + 2) are those of [1, X, y] (see `moments`).
    """
    keep = [0, *(1 + c for c in columns)]
    n = cross_products[0, 0]
    A, b = cross_products[np.ix_(keep, keep)], cross_products[keep, -1]
    # Scaled to a unit diagonal: frequency, position and surprisal live on very different scales.
    scale = 1 / np.sqrt(np.maximum(np.diag(A), 1e-300))
    solution = np.linalg.lstsq(A * np.outer(scale, scale), b * scale, rcond=1e-13)[0]
    rss = cross_products[-1, -1] - (b * scale) @ solution
    return float(-n / 2 * (math.log(2 * math.pi * rss / n) + 1))
