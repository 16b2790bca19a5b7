"""Surprisal in a linear mixed model: readers with a speed and a sensitivity of their own, words with an effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuneshift.reading.crossed_effects import crossed_fit


@dataclass(frozen=True)
class MixedModel:
    """A fitted pair of mixed models, with surprisal and without.

    `slope` (ms per bit), and its standard error if the model is right in every detail; `slope_by_participant` (ms per
    bit), the fixed effect plus each reader's own deviation; `influence` (n,) of every observation on the slope, which
    add up to 0; `delta_ll` in nats, in total, over `n` observations.
    """

    slope: float
    standard_error: float
    slope_by_participant: dict[str, float]
    influence: np.ndarray
    delta_ll: float
    n: int
    notes: tuple[str, ...]


def mixed_model(
    surprisal: np.ndarray,
    spillover: np.ndarray,
    controls: np.ndarray,
    times: np.ndarray,
    participants: np.ndarray,
    words: np.ndarray,
) -> MixedModel:
    """Fit time ~ surprisal + spillover + controls + (1 + surprisal | participant) + (1 | word) by maximum likelihood.

    `surprisal` (n,) in bits, `spillover` (n, k) the surprisals of the words before, `controls` (n, p), `times` (n,)
    in ms, `participants` (n,) names, `words` (n,) which word of the text: one row an observation. The model that
    `delta_ll` compares with knows no surprisal at all, neither fixed nor by reader: readers' own slopes would take up
    what the fixed effect is to explain, and the more so the worse the surprisals.
    Raises MeasurementFailed where the fit does not come to an end.
    """
    names, readers = np.unique(participants, return_inverse=True)
    numbers = np.unique(words, return_inverse=True)[1]
    ones, scaled = np.ones((len(times), 1)), _independent(controls)
    spread = float(surprisal.std()) or 1.0
    own = (surprisal - surprisal.mean())[:, None] / spread  # of like size as the ones: the search is rounder so
    fixed = np.column_stack([ones, own, spillover - spillover.mean(0), scaled])
    base = crossed_fit(np.column_stack([ones, scaled]), ones, times, readers, numbers)
    full = crossed_fit(fixed, np.column_stack([ones, own]), times, readers, numbers)
    notes = []
    if not (base.converged and full.converged):
        notes.append("mixed model: the fit did not converge, so read its slopes and delta-LL with doubt")
    residual = times - fixed @ full.coefficients
    n_words = int(numbers.max()) + 1
    # Words lie nearer to a regression that was fitted to them than others would (MacKinnon & White 1985, HC1).
    lacking = np.sqrt(n_words / max(n_words - fixed.shape[1], 1))
    slopes = (full.coefficients[1] + full.readers[:, 1]) / spread
    return MixedModel(
        slope=float(full.coefficients[1] / spread),
        standard_error=float(np.sqrt(full.covariance[1, 1]) / spread),
        slope_by_participant={str(name): float(value) for name, value in zip(names, slopes, strict=True)},
        influence=lacking * full.weights(1) * residual / spread,
        delta_ll=full.log_likelihood - base.log_likelihood,
        n=len(times),
        notes=tuple(notes),
    )


def _independent(controls: np.ndarray) -> np.ndarray:
    """Return uncorrelated columns that span the centred controls: flags that repeat each other would fail the fit."""
    centred = controls - controls.mean(0)
    spread = centred.std(0)
    left, values, _ = np.linalg.svd(centred[:, spread > 1e-12] / spread[spread > 1e-12], full_matrices=False)
    out: np.ndarray = left[:, values > 1e-8 * values[0]] * np.sqrt(len(controls))
    return out
