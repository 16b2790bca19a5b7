"""Ordinary least squares on held-out stimuli: Brain-Score's and paper 1's "linear" mapping."""

from __future__ import annotations

import numpy as np
import scipy.linalg


class LeastSquares:
    """Training features (n, d) and test features (n_test, d), ready to predict any responses.

    With more units than stimuli, the solution of smallest norm. Features are centred and not scaled, as in
    scikit-learn's LinearRegression, whose predictions these are.
    """

    def __init__(self, train: np.ndarray, test: np.ndarray) -> None:
        features = np.asarray(train, dtype=np.float64)
        mean = features.mean(axis=0)
        # Of the n x d features only their coordinates in the space of the training stimuli matter: cheap for d >> n.
        u, s, vt = scipy.linalg.svd(features - mean, full_matrices=False)
        kept = s > s[0] * max(features.shape) * np.finfo(np.float64).eps if s.size else s > 0
        self._onto = ((np.asarray(test, dtype=np.float64) - mean) @ vt[kept].T) / s[kept] @ u[:, kept].T

    def predictions(self, responses: np.ndarray) -> np.ndarray:
        """Return predictions (n_test, v) from training responses (n, v)."""
        centre = responses.mean(axis=0, dtype=np.float64)
        return np.asarray(self._onto @ (responses - centre) + centre)
