"""Ordinary least squares on held-out stimuli: Brain-Score's and paper 1's "linear" mapping."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import torch

from tuneshift.numerics.ridge import column_blocks, pearson
from tuneshift.numerics.splits import Fold


def least_squares_predictions(X: np.ndarray, Y: np.ndarray, fold: Fold) -> np.ndarray:
    """Return predictions (n_test, v) of the test stimuli from features X (n, d), responses Y (n, v).

    With more units than stimuli, the solution of smallest norm. Features are centred and not scaled, as in
    scikit-learn's LinearRegression, whose predictions these are.
    """
    train, test = fold
    features = np.asarray(X, dtype=np.float64)
    mean = features[train].mean(axis=0)
    # Of the n x d features only their coordinates in the space of the training stimuli matter: cheap for d >> n.
    u, s, vt = scipy.linalg.svd(features[train] - mean, full_matrices=False)
    kept = s > s[0] * max(len(train), features.shape[1]) * np.finfo(np.float64).eps if s.size else s > 0
    onto = ((features[test] - mean) @ vt[kept].T) / s[kept] @ u[:, kept].T  # (n_test, n_train)
    responses = np.asarray(Y[train])
    centre = responses.mean(axis=0, dtype=np.float64)
    return np.asarray(onto @ (responses - centre) + centre)


def least_squares_scores(X: np.ndarray, Y: np.ndarray, fold: Fold) -> np.ndarray:
    """Return the Pearson r (v,) between those predictions and the test responses."""
    scores = []
    for block in column_blocks(Y.shape[1]):
        predicted = least_squares_predictions(X, Y[:, block], fold)
        scores.append(pearson(torch.as_tensor(predicted), torch.as_tensor(Y[fold[1], block])).numpy())
    return np.concatenate(scores)
