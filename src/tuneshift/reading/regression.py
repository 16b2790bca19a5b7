"""Ordinary least squares, and how much better surprisal makes it predict reading times it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


def log_likelihood(y: np.ndarray, mean: np.ndarray, variance: float) -> np.ndarray:
    """Return the normal log density of each y (n,), in nats."""
    return -0.5 * (math.log(2 * math.pi * variance) + (y - mean) ** 2 / variance)


FEWEST_STORIES = 3
"""From so many on, whole stories are held out: a sentence shares with its story what no other text would."""


def fold_labels(documents: np.ndarray, sentences: np.ndarray, folds: int, seed: int) -> tuple[np.ndarray, str]:
    """Return the fold of each word (n_words,), and what is held out together: "story" or "sentence".

    Whole stories are held out where there are at least 3 of them; else whole sentences. Groups are dealt to at most
    `folds` folds at random (`seed`), so that no fold is one stretch of the material.
    """
    unit = "story"
    groups = np.unique(documents, return_inverse=True)[1]
    if groups.max() + 1 < FEWEST_STORIES:
        unit = "sentence"
        groups = np.unique(groups * (int(sentences.max()) + 1) + sentences, return_inverse=True)[1]
    n_groups = int(groups.max()) + 1
    deal = np.random.default_rng(seed).permutation(n_groups) % min(folds, n_groups)
    return np.asarray(deal[groups]), unit


@dataclass(frozen=True)
class HeldOut:
    """Log-likelihoods (n,) of words held out, in nats, and what moves their sum.

    `by_weight` (n,): one more of a word, both where it is held out and where others learn from it; they add up to the
    sum. `by_time` (n,): one more unit of its time.
    """

    log_likelihood: np.ndarray
    by_weight: np.ndarray
    by_time: np.ndarray


def held_out(X: np.ndarray, y: np.ndarray, folds: np.ndarray) -> HeldOut:
    """Return the log-likelihood of each y (n,) under the regression fitted to the other folds.

    `X` (n, p) without an intercept, which is added. The variance is that of the training residuals (maximum
    likelihood, as in a regression's log-likelihood). Derivatives are exact: a least squares fit moves by
    (Z'Z)^-1 z e when a word with residual e is weighted up.
    """
    Z, _, _ = _standardised(X)
    names, numbers = np.unique(folds, return_inverse=True)
    parts = moments(Z, y - y.mean(), numbers, len(names))
    # What is left when a fold's sums are taken off is all that the other folds know: nothing is fitted twice.
    left = parts.sum(0) - parts
    out, by_time = np.empty(len(y)), np.zeros(len(y))
    learned = np.zeros(len(y))
    for fold, cross in enumerate(left):
        n, means = cross[0, 0], cross[0, 1:] / cross[0, 0]
        centred = cross[1:, 1:] - n * np.outer(means, means)
        slopes = _slopes(centred[:-1, :-1], centred[:-1, -1])
        variance = (centred[-1, -1] - slopes @ centred[:-1, -1]) / n
        test = numbers == fold
        away = Z - means[:-1]
        mean = y.mean() + means[-1] + away @ slopes
        out[test] = log_likelihood(y[test], mean[test], variance)
        residual = y - mean
        missed, trained = residual[test] / variance, residual[~test]
        reach = missed.sum() / n + away[~test] @ _slopes(centred[:-1, :-1], away[test].T @ missed)
        by_variance = (np.square(missed).sum() - test.sum() / variance) / 2
        by_time[test] -= missed
        by_time[~test] += reach + by_variance * 2 * trained / n
        learned[~test] += reach * trained + by_variance * (trained**2 - variance) / n
    return HeldOut(out, out + learned, by_time)


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
