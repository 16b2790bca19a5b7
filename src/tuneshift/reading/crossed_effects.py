"""A linear mixed model whose readers and words are crossed: every reader meets the words that every other meets.

lme4 fits it by a sparse factorisation; statsmodels has no crossed effects at the size of a corpus. Here a word has one
effect only, its own mean, so that words are integrated out by hand: what is left are a few numbers a reader, and an
ordinary dense factorisation of them for each trial of the variances.
Source: Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1), section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, sparse

from tuneshift.errors import MeasurementFailed

_REPEATED = "the mixed model of reading times could not be fitted (one predictor repeats what the others say)."
_LARGEST_TABLES = 30_000_000
"""Numbers that are kept (a quarter of a GB); beyond, products are made anew each time."""


@dataclass(frozen=True)
class CrossedFit:
    """Maximum likelihood: `coefficients` (p,) with their `covariance` (p, p) if the model is right.

    `readers` (n_readers, q) is how far each reader is from the coefficients of the random columns; `deviations` (q,)
    the standard deviations of these, `word_deviation` that of words, `noise` what is left.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    readers: np.ndarray
    deviations: np.ndarray
    word_deviation: float
    noise: float
    log_likelihood: float
    converged: bool
    _model: _Crossed
    _variances: np.ndarray

    def weights(self, column: int) -> np.ndarray:
        """Return weights (n,) of the observations: a coefficient is the weighted sum of what was observed."""
        return self._model.weights(self._variances, self.covariance[:, column] / self.noise**2)


def crossed_fit(
    fixed: np.ndarray, random: np.ndarray, observed: np.ndarray, readers: np.ndarray, words: np.ndarray
) -> CrossedFit:
    """Fit observed ~ fixed + (random | reader) + (1 | word) by maximum likelihood.

    `fixed` (n, p) and `random` (n, q) hold their own column of ones; `readers` and `words` (n,) are numbers from 0.
    Random columns of a reader may be correlated. Raises MeasurementFailed where columns of `fixed` repeat one another,
    or where the likelihood is not finite.
    """
    return _Crossed(fixed, random, observed, readers, words).fit()


class _Crossed:
    """Sums over observations that are all the likelihood needs, in the order [random by reader, fixed, observed]."""

    def __init__(
        self, fixed: np.ndarray, random: np.ndarray, observed: np.ndarray, readers: np.ndarray, words: np.ndarray
    ) -> None:
        self.n, self.q, self.p = len(observed), random.shape[1], fixed.shape[1]
        self.n_readers, n_words = int(readers.max()) + 1, int(words.max()) + 1
        self.fixed, self.words = fixed, words
        self.scale = float(observed.std()) or 1.0
        own = readers[:, None] * self.q + np.arange(self.q)
        rows = np.repeat(np.arange(self.n), self.q)
        n_random = self.n_readers * self.q
        self.random = sparse.csr_matrix((random.ravel(), (rows, own.ravel())), shape=(self.n, n_random))
        dense = np.column_stack([fixed, observed / self.scale])
        self.word_of = sparse.csr_matrix((np.ones(self.n), (words, np.arange(self.n))), shape=(n_words, self.n))
        mixed = np.asarray(self.random.T @ dense)
        self.inner = np.block([[(self.random.T @ self.random).toarray(), mixed], [mixed.T, dense.T @ dense]])
        self.sums = np.hstack([(self.word_of @ self.random).toarray(), self.word_of @ dense])
        self.times_met = np.bincount(words, minlength=n_words)
        self.met, self.alike, self.n_alike = np.unique(self.times_met, return_inverse=True, return_counts=True)
        # Words that equally many readers met shrink alike: one table of products for each such number is enough.
        self.products = None
        if len(self.met) * self.sums.shape[1] ** 2 <= _LARGEST_TABLES:
            parts = (self.sums[self.alike == k] for k in range(len(self.met)))
            self.products = np.stack([part.T @ part for part in parts])

    def fit(self) -> CrossedFit:
        n_lower = self.q * (self.q + 1) // 2
        words_repeat = int(self.met.max()) > 1  # a word that one reader met is no other than that reader's noise
        start = np.zeros(n_lower + words_repeat)
        start[[i * (i + 3) // 2 for i in range(self.q)]] = 0.5
        start[n_lower:] = 0.5
        k = self.n_readers * self.q
        try:
            found = _least(self.deviance, start)
            at = self._padded(found.x)
            lower, factor = self._cholesky(at)
        except np.linalg.LinAlgError as error:
            raise MeasurementFailed(_REPEATED) from error
        inside = factor[k:-1, k:-1]
        if np.diag(inside).min() < 1e-6 * np.diag(inside).max() or not np.isfinite(found.fun):
            raise MeasurementFailed(_REPEATED)
        noise = factor[-1, -1] / math.sqrt(self.n)
        coefficients = linalg.solve_triangular(inside, factor[-1, k:-1], lower=True, trans="T")
        left = factor[-1, :k] - coefficients @ factor[k:-1, :k]
        spherical = linalg.solve_triangular(factor[:k, :k], left, lower=True, trans="T")
        inverse = linalg.solve_triangular(inside, np.eye(self.p), lower=True)
        return CrossedFit(
            coefficients=coefficients * self.scale,
            covariance=inverse.T @ inverse * (noise * self.scale) ** 2,
            readers=spherical.reshape(-1, self.q) @ lower.T * self.scale,
            deviations=np.sqrt(np.square(lower).sum(axis=1)) * noise * self.scale,
            word_deviation=abs(float(at[-1])) * noise * self.scale,
            noise=float(noise * self.scale),
            log_likelihood=-found.fun / 2 - self.n * math.log(self.scale),
            converged=bool(found.success),
            _model=self,
            _variances=at,
        )

    def deviance(self, variances: np.ndarray) -> float:
        """-2 log-likelihood; `variances` (below the diagonal by rows, then words) are in units of the noise."""
        at = self._padded(variances)
        _, factor = self._cholesky(at)
        k = self.n_readers * self.q
        size = 2 * np.log(np.diag(factor)[:k]).sum() + self.n_alike @ np.log1p(at[-1] ** 2 * self.met)
        return float(self.n * (1 + math.log(2 * math.pi * factor[-1, -1] ** 2 / self.n)) + size)

    def weights(self, variances: np.ndarray, combined: np.ndarray) -> np.ndarray:
        """Return V^-1 of fixed @ combined (n,), V in units of the noise variance."""
        lower, factor = self._cholesky(variances)
        k = self.n_readers * self.q
        shrink = (variances[-1] ** 2 / (1 + variances[-1] ** 2 * self.times_met))[self.words]
        spherical = linalg.solve_triangular(factor[:k, :k], factor[k:-1, :k].T @ combined, lower=True, trans="T")
        left = self.fixed @ combined - self.random @ (spherical.reshape(-1, self.q) @ lower.T).ravel()
        out: np.ndarray = left - shrink * (self.word_of @ left)[self.words]
        return out

    def _padded(self, variances: np.ndarray) -> np.ndarray:
        return np.append(variances, 0.0) if len(variances) == self.q * (self.q + 1) // 2 else variances

    def _cholesky(self, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lower = np.zeros((self.q, self.q))
        lower[np.tril_indices(self.q)] = variances[:-1]
        shrink = variances[-1] ** 2 / (1 + variances[-1] ** 2 * self.met)
        if self.products is not None:
            products = self.inner - np.tensordot(shrink, self.products, axes=1)
        else:
            products = self.inner - self.sums.T @ (shrink[self.alike][:, None] * self.sums)
        k = self.n_readers * self.q
        products[:k] = _by_reader(products[:k], lower)
        products[:, :k] = _by_reader(products[:, :k].T, lower).T
        products[np.arange(k), np.arange(k)] += 1
        return lower, np.linalg.cholesky(products)


def _by_reader(rows: np.ndarray, lower: np.ndarray) -> np.ndarray:
    out: np.ndarray = lower.T @ rows.reshape(-1, len(lower), rows.shape[1])
    return out.reshape(rows.shape)


def _least(deviance, start: np.ndarray):  # type: ignore[no-untyped-def]
    """Find the least deviance without derivatives, begun again where it ended until nothing more is gained."""
    found = optimize.minimize(deviance, start, method="Powell", options={"xtol": 1e-2, "ftol": 1e-7})
    for _ in range(5):
        best = found.fun
        found = optimize.minimize(
            deviance, np.atleast_1d(found.x), method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-6, "maxiter": 2000},
        )  # fmt: skip
        if best - found.fun < 1e-4:
            break
    return found
