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
    out = np.empty(len(y))
    for fold in np.unique(folds):
        test = folds == fold
        coefficients, variance = fitted(X[~test], y[~test])
        out[test] = log_likelihood(y[test], coefficients[0] + X[test] @ coefficients[1:], variance)
    return out


def fitted(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return coefficients (1 + p,), intercept first, and the residual variance (maximum likelihood).

    Columns are centred and scaled for the solution only; a constant one gets 0.
    """
    centre, scale = X.mean(0), X.std(0)
    scale = np.where(scale > 1e-12 * np.maximum(1, np.abs(centre)), scale, np.inf)
    Z = (X - centre) / scale
    slopes = np.linalg.lstsq(Z, y - y.mean(), rcond=None)[0]
    residual = y - y.mean() - Z @ slopes
    slopes = slopes / scale
    return np.concatenate([[y.mean() - centre @ slopes], slopes]), float(residual @ residual / len(y))


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
