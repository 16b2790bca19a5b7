"""From features to responses: ridge, least squares, RSA and CKA, each prepared once for all targets of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch

from tuneshift.numerics.least_squares import LeastSquares
from tuneshift.numerics.resampling import mean_of_known
from tuneshift.numerics.ridge import RidgeSolver, pearson
from tuneshift.numerics.similarity import linear_cka, rsa
from tuneshift.numerics.splits import Fold

Mapping = Literal["ridge", "linear", "rsa", "cka"]
GEOMETRIES = ("rsa", "cka")
"""Mappings that fit nothing: they compare how alike stimuli are to each other on both sides."""


class Mapped(Protocol):
    """Features of one split, ready for any responses to the same stimuli."""

    def scores(self, seen: np.ndarray, held_out: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the score (v,) on test responses (n_test, v), and how good the features are within training (v,).

        The second knows nothing of the test responses: layers are chosen by it. `seen` are the training responses
        (n, v); targets that share a label (v,) form a pattern.
        """
        ...


class Ridge:
    """Ridge regression: r on the test stimuli; within training, the share of variance predicted when left out."""

    def __init__(self, train: np.ndarray, test: np.ndarray, inner: Sequence[Fold], device: str = "cpu") -> None:
        self.solver = RidgeSolver.of_features(train, test, inner, device=device)

    def scores(self, seen: np.ndarray, held_out: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Mapped`."""
        found = self.solver.solve(seen)
        r = pearson(found.predicted, torch.as_tensor(held_out, device=self.solver.device))
        return r.cpu().numpy(), found.explained.cpu().numpy()

    def predictions(self, seen: np.ndarray) -> np.ndarray:
        """Return what is predicted for the test stimuli (n_test, v)."""
        found = self.solver.solve(seen)
        return (found.predicted.double() + found.mean.double()).cpu().numpy()


class Linear:
    """Ordinary least squares: r on the test stimuli; within training, r of the parts left out."""

    def __init__(self, train: np.ndarray, test: np.ndarray, inner: Sequence[Fold], device: str = "cpu") -> None:
        self.fit = LeastSquares(train, test)
        self.inner = [(fold, LeastSquares(train[fold[0]], train[fold[1]])) for fold in inner]

    def scores(self, seen: np.ndarray, held_out: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Mapped`."""
        within = [_r(fit.predictions(seen[kept]), seen[left_out]) for (kept, left_out), fit in self.inner]
        return _r(self.fit.predictions(seen), held_out), mean_of_known(np.stack(within))

    def predictions(self, seen: np.ndarray) -> np.ndarray:
        """Return what is predicted for the test stimuli (n_test, v)."""
        return self.fit.predictions(seen)


class Geometry:
    """RSA and CKA fit nothing: the geometry of stimuli in the features against that in the targets of a label."""

    def __init__(self, mapping: Mapping, train: np.ndarray, test: np.ndarray, inner: Sequence[Fold]) -> None:
        self.compare = rsa if mapping == "rsa" else linear_cka
        self.train, self.test, self.inner = train, test, inner

    def scores(self, seen: np.ndarray, held_out: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Mapped`."""
        within = [self._alike(self.train[part], seen[part], labels) for _, part in self.inner]
        return self._alike(self.test, held_out, labels), mean_of_known(np.stack(within))

    def _alike(self, features: np.ndarray, responses: np.ndarray, labels: np.ndarray) -> np.ndarray:
        out = np.full(responses.shape[1], np.nan)
        for label in np.unique(labels):
            out[labels == label] = self.compare(features, responses[:, labels == label])
        return out


def mapped(mapping: Mapping, train: np.ndarray, test: np.ndarray, inner: Sequence[Fold], device: str = "cpu") -> Mapped:
    """Prepare training features (n, d) and test features (n_test, d) for a mapping."""
    if mapping in GEOMETRIES:
        return Geometry(mapping, train, test, inner)
    return (Ridge if mapping == "ridge" else Linear)(train, test, inner, device)


def _r(predicted: np.ndarray, observed: np.ndarray) -> np.ndarray:
    return np.asarray(pearson(torch.as_tensor(predicted), torch.as_tensor(observed)).numpy())
